//! What can be asked of the pixels.

use topomotion_scene::Millis;

/// Which of its two colours each swatch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// On a light page.
    #[default]
    Light,
    /// On a dark page.
    Dark,
}

/// What lies beneath a still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// The palette's background colour.
    #[default]
    Opaque,
    /// Nothing.
    Transparent,
}

/// How large the picture becomes. Its proportions stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fit {
    /// So many pixels to a px.
    Scale(f64),
    /// So many pixels wide.
    Width(u32),
    /// As large as fits into so many pixels.
    Within {
        /// Pixels to the right.
        width: u32,
        /// Pixels downwards.
        height: u32,
    },
}

impl Default for Fit {
    fn default() -> Fit {
        Fit::Scale(1.0)
    }
}

/// How a still is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PngOptions {
    /// Its colours.
    pub theme: Theme,
    /// Its size.
    pub fit: Fit,
    /// What lies beneath it.
    pub background: Background,
}

/// How often a film is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loops {
    /// Again and again.
    #[default]
    Forever,
    /// So many times; 0 counts as once.
    Times(u16),
}

/// How a film is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GifOptions {
    /// Its colours.
    pub theme: Theme,
    /// Its size.
    pub fit: Fit,
    /// Frames a second, 1 to 50. GIF counts in hundredths of a second: 20, 25 and 50 are
    /// exact, 30 becomes delays of 3, 3 and 4.
    pub fps: u32,
    /// First moment shown.
    pub from: Millis,
    /// First moment no longer shown; `None` is the film's end.
    pub to: Option<Millis>,
    /// How often it is played.
    pub loops: Loops,
}

impl Default for GifOptions {
    fn default() -> GifOptions {
        GifOptions {
            theme: Theme::default(),
            fit: Fit::default(),
            fps: 20,
            from: Millis(0),
            to: None,
            loops: Loops::default(),
        }
    }
}
