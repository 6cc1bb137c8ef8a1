//! Still and animated SVG.

mod options;

use topomotion_scene::{Animation, Millis};

pub use options::{Background, EmbeddedFont, Options, Repeat, ThemeChoice};

/// The whole film as one self-contained SVG file.
pub fn render(animation: &Animation, options: &Options) -> String {
    let _ = (animation, options);
    String::new()
}

/// One moment of the film as a still SVG file.
pub fn render_frame(animation: &Animation, at: Millis, options: &Options) -> String {
    let _ = (animation, at, options);
    String::new()
}
