//! Design tokens: every size and distance that a reader's eye may notice, in px.

/// Width by height that a picture should come near to: a page, a slide.
pub const ASPECT_RATIO: f64 = 1.6;
