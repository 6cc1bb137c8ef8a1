//! The hand-over types of the drawing half: scene, animation, display list.
