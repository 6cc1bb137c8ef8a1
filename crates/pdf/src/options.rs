//! What can be asked of the pages.

/// How pages are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// Their colours.
    pub theme: Theme,
    /// What lies beneath them.
    pub background: Background,
    /// How large they are.
    pub size: Size,
}

/// Which of its two colours each swatch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// On a light page.
    #[default]
    Light,
    /// On a dark page.
    Dark,
}

/// What lies beneath a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// The palette's background colour.
    #[default]
    Opaque,
    /// The paper.
    Transparent,
}

/// How large a page is. Its proportions stay.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Size {
    /// As the picture was laid out.
    #[default]
    Natural,
    /// So many times as large.
    Scale(f64),
    /// So many px wide.
    Width(f64),
}
