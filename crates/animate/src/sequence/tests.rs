//! What holds for every sequence diagram.
