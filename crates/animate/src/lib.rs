//! Scene and trace to animation: pacing, captions, and what is drawn when.

pub mod flow;
mod options;
mod theme;

use std::collections::BTreeMap;

use topomotion_scene::{Animation, Scene, Size};

pub use options::{Kind, Options, Pace, Story};
pub use theme::Theme;

/// The picture without any story.
pub fn still(scene: &Scene, options: &Options) -> Animation {
    Animation {
        size: scene.size,
        title: options.title.clone(),
        description: options.description.clone(),
        ..Animation::default()
    }
}

/// The film: one chapter a story, in a loop. Without stories it is the still picture.
pub fn direct(scene: &Scene, stories: &[Story<'_>], options: &Options) -> Animation {
    let _ = stories;
    still(scene, options)
}

/// How much room each process needs below its body for what the stories show at it; to be
/// known before the layout.
pub fn panels(stories: &[Story<'_>]) -> BTreeMap<String, Size> {
    let _ = stories;
    BTreeMap::new()
}
