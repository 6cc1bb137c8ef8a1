//! The scene on the film's canvas: a header above, a caption bar below, names for everybody.
//!
//! The scene is moved as a whole to make room; nothing in it is moved against anything else.

use std::collections::BTreeMap;

use topomotion_scene::{NodeBox, Point, Rect, Scene, Size};

use crate::paint::names;
use crate::tokens::{BAND_CAPTIONS, BAND_HEADER, BAND_TITLE, LEAST_WIDTH};

/// Which bands a picture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bands {
    /// The scene alone.
    None,
    /// A title above.
    Title,
    /// Titles and the clock above, captions below.
    Film,
    /// Titles above only: nobody speaks but at the processes.
    Silent,
}

/// The canvas.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The scene, moved below the header.
    pub scene: Scene,
    /// The whole canvas.
    pub size: Size,
    /// Titles and clock.
    pub header: Rect,
    /// The legend, if there is one.
    pub legend: Rect,
    /// Captions.
    pub captions: Rect,
    names: BTreeMap<String, String>,
}

impl Stage {
    /// Puts the scene on a canvas with these bands.
    pub fn new(scene: &Scene, bands: Bands) -> Stage {
        Stage::with_legend(scene, bands, |_| 0.0)
    }

    /// The same, with a legend that is so high on a canvas of a given width.
    pub fn with_legend(
        scene: &Scene,
        bands: Bands,
        legend: impl FnOnce(f64) -> f64,
    ) -> Stage {
        let (above, below) = match bands {
            Bands::None => (0.0, 0.0),
            Bands::Title => (BAND_TITLE, 0.0),
            Bands::Film => (BAND_HEADER, BAND_CAPTIONS),
            Bands::Silent => (BAND_HEADER, 0.0),
        };
        let least = match bands {
            Bands::Film | Bands::Silent => LEAST_WIDTH,
            Bands::None | Bands::Title => 0.0,
        };
        let width = scene.size.width.max(least);
        let aside = ((width - scene.size.width) / 2.0).round();
        let mut moved = moved(scene, Point::new(aside, above));
        let legend = Rect::new(0.0, above + scene.size.height, width, legend(width));
        let foot = legend.bottom();
        moved.size = Size { width, height: legend.y };
        Stage {
            scene: moved,
            size: Size { width, height: foot + below },
            header: Rect::new(0.0, 0.0, width, above),
            legend,
            captions: Rect::new(0.0, foot, width, below),
            names: names(scene),
        }
    }

    /// The name of a process in running text.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// The process's place.
    pub fn node(&self, id: &str) -> Option<&NodeBox> {
        self.scene.nodes.iter().find(|node| node.id == id)
    }

    /// A text in which the processes' ids have been replaced by their names.
    pub fn with_names(&self, text: &str) -> String {
        self.renamed(text, |_| true)
    }

    /// The same for what an author says: ids that are plain words stay, for they may be meant
    /// as words.
    pub fn in_prose(&self, text: &str) -> String {
        self.renamed(text, |id| id.contains(|c: char| !c.is_alphabetic()))
    }

    fn renamed(&self, text: &str, is_meant: impl Fn(&str) -> bool) -> String {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let mut told = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            // A full stop ends a sentence, and belongs to no id.
            let id = word.trim_end_matches('.');
            told.push_str(if is_meant(id) { self.name(id) } else { id });
            told.push_str(&word[id.len()..]);
            let gap = after.find(is_part).unwrap_or(after.len());
            told.push_str(&after[..gap]);
            rest = &after[gap..];
        }
        told
    }
}

fn moved(scene: &Scene, by: Point) -> Scene {
    let point = |p: &mut Point| *p = Point::new(p.x + by.x, p.y + by.y);
    let rect = |r: &mut Rect| *r = Rect::new(r.x + by.x, r.y + by.y, r.width, r.height);
    let mut scene = scene.clone();
    for group in &mut scene.groups {
        rect(&mut group.rect);
        rect(&mut group.title);
        group.lines.iter_mut().for_each(|line| point(&mut line.at));
    }
    for node in &mut scene.nodes {
        rect(&mut node.rect);
        rect(&mut node.body);
        rect(&mut node.dot);
        node.panel.iter_mut().for_each(rect);
        node.icon.iter_mut().for_each(|(_, place)| rect(place));
        node.lines.iter_mut().for_each(|line| point(&mut line.at));
        for badge in &mut node.badges {
            rect(&mut badge.rect);
            point(&mut badge.line.at);
        }
    }
    for route in &mut scene.routes {
        route.points.iter_mut().for_each(point);
        if let Some(label) = &mut route.label {
            rect(&mut label.rect);
            label.lines.iter_mut().for_each(|line| point(&mut line.at));
        }
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_scene_moves_as_a_whole() {
        let scene = fixture::scene();
        let stage = Stage::new(&scene, Bands::Film);
        let by = stage.scene.nodes[0].rect.y - scene.nodes[0].rect.y;
        assert!(by > 0.0);
        for (before, after) in scene.nodes.iter().zip(&stage.scene.nodes) {
            assert!((after.rect.y - before.rect.y - by).abs() < 1e-9);
            assert!((after.dot.y - before.dot.y - by).abs() < 1e-9);
        }
        for (before, after) in scene.routes.iter().zip(&stage.scene.routes) {
            assert!((after.points[0].y - before.points[0].y - by).abs() < 1e-9);
        }
    }

    #[test]
    fn ids_that_are_words_stay_in_prose() {
        let mut scene = fixture::scene();
        let first = scene.nodes[0].id.clone();
        scene.nodes[1].id = "reader".into();
        scene.nodes[1].label = "Spark".into();
        let stage = Stage::new(&scene, Bands::None);
        let told = stage.in_prose(&format!("A reader asks {first}."));
        assert_eq!(told, format!("A reader asks {}.", stage.name(&first)));
        assert_eq!(stage.with_names("reader"), stage.name("reader"));
    }

    #[test]
    fn ids_become_names_only_where_they_stand_alone() {
        let stage = Stage::new(&fixture::scene(), Bands::None);
        assert_eq!(
            stage.with_names("broker-1 and broker-12, (broker-2)!"),
            "Broker 1 and broker-12, (Broker 2)!"
        );
        assert_eq!(stage.with_names("→ä "), "→ä ");
    }
}
