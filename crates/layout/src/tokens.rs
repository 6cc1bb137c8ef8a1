//! Design tokens: every size and distance that a reader's eye may notice, in px.

/// Width by height that a picture should come near to: a page, a slide.
pub const ASPECT_RATIO: f64 = 1.6;

/// From a group's top border to its title.
pub const TITLE_TOP: f64 = 9.0;
/// From a group's left border to its title.
pub const TITLE_LEFT: f64 = 14.0;
/// From a title to what stands below it.
pub const TITLE_BELOW: f64 = 12.0;
