//! Films for players on pages: the bundle, and the page that holds both.

use topomotion_animate::Scheme;
use topomotion_live::Live;
use topomotion_scene::Animation;
use topomotion_viewer::{Bundle, Page, Parts};

use crate::picture::{self, Look};

/// How a film shows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Messages travel between processes.
    Topology,
    /// Time runs downwards.
    Sequence,
}

/// Films of the same stories, each in its view, the one that is shown first in front.
#[derive(Debug)]
pub struct Reel {
    /// The film that is shown, and where only one can be shown, the only one.
    pub film: Animation,
    /// How it shows them.
    pub view: View,
    /// The same stories in the other view, where a player can change between them.
    pub other: Option<Animation>,
    /// What the engine in the page needs to go on with them, if readers may.
    pub live: Option<Live>,
}

impl Reel {
    /// What a player loads.
    pub fn bundle(&self) -> Bundle {
        let (first, second) = match self.view {
            View::Topology => ("topology", "sequence"),
            View::Sequence => ("sequence", "topology"),
        };
        let other = self.other.as_ref().map(|film| (second, film));
        let films: Vec<_> = [(first, &self.film)].into_iter().chain(other).collect();
        let bundle = Bundle::new(&films);
        match &self.live {
            // Where the engine ran nothing, there is nothing to take over.
            Some(live) if !live.stories.is_empty() => bundle.with_live(&live.json()),
            _ => bundle,
        }
    }

    /// A page with a player, and with a still for who runs no scripts.
    #[cfg(feature = "write")]
    pub fn html(&self, look: &Look) -> String {
        self.page(look, &Parts::default())
    }

    /// The same, from a player and an engine that the caller has.
    pub fn page(&self, look: &Look, parts: &Parts<'_>) -> String {
        let theme = match look.theme {
            Scheme::Auto => "auto",
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let poster = picture::svg(&self.film, Some(self.film.poster), look);
        let bundle = self.bundle();
        let page = Page { bundle: &bundle, poster: &poster, theme };
        topomotion_viewer::html(&page, parts)
    }
}
