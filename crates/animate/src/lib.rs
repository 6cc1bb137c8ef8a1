//! Scene and trace to animation: pacing, captions, what is drawn.
