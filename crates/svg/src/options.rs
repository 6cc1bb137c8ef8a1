//! What a caller may choose about the file.

use std::collections::BTreeSet;

use topomotion_scene::FontFace;

/// How the file is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Which colours.
    pub theme: ThemeChoice,
    /// Font files to embed; empty means the reader's own fonts, with every text held to its
    /// measured width.
    pub fonts: Vec<EmbeddedFont>,
    /// How often the film plays.
    pub repeat: Repeat,
    /// What is behind the picture.
    pub background: Background,
    /// Room around the picture, px.
    pub padding: f64,
    /// How large it is shown where nobody else decides.
    pub size: Size,
}

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// Those that the reader prefers (`prefers-color-scheme`), light where nobody says.
    #[default]
    Auto,
    /// The light ones.
    Light,
    /// The dark ones.
    Dark,
}

/// How often the film plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// For ever.
    #[default]
    Forever,
    /// So many times; then the poster stays.
    Times(u32),
}

/// What is behind the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// The palette's first swatch.
    #[default]
    Palette,
    /// Whatever the page shows.
    Transparent,
}

/// How large the picture is shown. Its proportions stay.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Size {
    /// As it was laid out.
    #[default]
    Natural,
    /// So many times as large.
    Scale(f64),
    /// So many px wide.
    Width(f64),
}

/// A font file to be carried inside the SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedFont {
    /// The face that it stands for.
    pub face: FontFace,
    /// Its family name.
    pub family: String,
    /// Its CSS weight.
    pub weight: u16,
    /// The file: TrueType, OpenType, WOFF or WOFF2 (told by its first bytes).
    pub data: Vec<u8>,
    /// Characters of the film that it lacks. The reader's own fonts must set them, and the
    /// lines that hold one are held to their measured width.
    pub lacks: BTreeSet<char>,
}
