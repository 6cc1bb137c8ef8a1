//! One KRaft voter or observer.
