//! Places on the picture that show one thing at a time.
//!
//! Whatever is true of the cluster is drawn in a *slot*: the state of a node, a row of its
//! panel, the caption, the clock. A [`Channel`] remembers what its slot showed from when to
//! when, and becomes one sprite for each distinct picture, with all the windows in which it
//! was seen.

use std::collections::BTreeMap;

use topomotion_scene::{Item, Layer, Millis, Sprite, Window};

/// What a slot is for. The order is the order of drawing inside a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// A connection that the script did not draw.
    Wire,
    /// A wall across a connection.
    Cut,
    /// What is the matter with one way of it.
    Way,
    /// The name and the role of a partition's replica.
    Head,
    /// Its log.
    Cells,
    /// A client's own row.
    Row,
    /// The shade over a node that does not work.
    Shade,
    /// A node's state mark.
    Mark,
    /// What the controller says of it, or that it is the controller.
    Chip,
    /// Error glow.
    Glow,
    /// Words at a process.
    Bubble,
    /// The film's own words.
    Header,
    /// The step under way.
    Step,
    /// The caption.
    Caption,
    /// Engine time.
    Clock,
    /// Compressed time.
    Leap,
    /// A chapter's title card.
    Card,
}

impl Slot {
    fn layer(self) -> Layer {
        match self {
            Slot::Wire | Slot::Cut | Slot::Way => Layer::Edges,
            Slot::Head
            | Slot::Cells
            | Slot::Row
            | Slot::Shade
            | Slot::Mark
            | Slot::Chip
            | Slot::Glow => Layer::Nodes,
            Slot::Bubble
            | Slot::Header
            | Slot::Step
            | Slot::Caption
            | Slot::Clock
            | Slot::Leap
            | Slot::Card => Layer::Words,
        }
    }
}

/// What one slot showed, from when on.
#[derive(Debug, Default)]
struct Channel {
    turns: Vec<(u32, Option<Item>)>,
}

/// All slots of a film.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    all: BTreeMap<(Slot, String), Channel>,
}

impl Channels {
    /// From `at` on, the slot shows `item`, or nothing.
    pub fn set(&mut self, slot: Slot, key: &str, at: u32, item: Option<Item>) {
        let channel = self.all.entry((slot, key.to_owned())).or_default();
        while channel.turns.last().is_some_and(|(turn, _)| *turn >= at) {
            channel.turns.pop();
        }
        if channel.turns.last().map(|(_, item)| item.as_ref()) != Some(item.as_ref()) {
            channel.turns.push((at, item));
        }
    }

    /// The slot shows `item` from `start` to `end`, and then nothing, unless told otherwise.
    pub fn flash(&mut self, slot: Slot, key: &str, window: (u32, u32), item: Item) {
        self.set(slot, key, window.0, Some(item));
        self.set(slot, key, window.1, None);
    }

    /// Every slot shows nothing from `at` on.
    pub fn clear(&mut self, at: u32) {
        let keys: Vec<(Slot, String)> = self.all.keys().cloned().collect();
        for (slot, key) in keys {
            self.set(slot, &key, at, None);
        }
    }

    /// The sprites of a film of this length.
    pub fn sprites(self, end: u32) -> Vec<Sprite> {
        let mut sprites = Vec::new();
        for ((slot, _), channel) in self.all {
            sprites.extend(channel.sprites(slot.layer(), end));
        }
        sprites
    }
}

impl Channel {
    fn sprites(self, layer: Layer, end: u32) -> Vec<Sprite> {
        let ends: Vec<u32> = self.turns.iter().skip(1).map(|turn| turn.0).collect();
        let mut sprites: Vec<Sprite> = Vec::new();
        for (index, (start, item)) in self.turns.into_iter().enumerate() {
            let end = ends.get(index).copied().unwrap_or(end).min(end);
            let Some(item) = item.filter(|_| start < end) else { continue };
            let window = Window { start: Millis(start), end: Millis(end) };
            match sprites.iter_mut().find(|sprite| sprite.item == item) {
                Some(sprite) => sprite.windows.push(window),
                None => sprites.push(Sprite {
                    item,
                    layer,
                    windows: vec![window],
                    motion: None,
                }),
            }
        }
        for sprite in &mut sprites {
            let whole = Window { start: Millis(0), end: Millis(end) };
            if sprite.windows == [whole] {
                sprite.windows.clear();
            }
        }
        sprites
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(class: &str) -> Item {
        Item { class: class.to_owned(), ..Item::default() }
    }

    #[test]
    fn what_comes_back_is_the_same_sprite_with_a_second_window() {
        let mut channels = Channels::default();
        channels.set(Slot::Mark, "b", 0, Some(item("up")));
        channels.set(Slot::Mark, "b", 500, Some(item("down")));
        channels.set(Slot::Mark, "b", 800, Some(item("up")));
        let sprites = channels.sprites(1000);
        assert_eq!(sprites.len(), 2);
        let windows: Vec<(u32, u32)> =
            sprites[0].windows.iter().map(|w| (w.start.0, w.end.0)).collect();
        assert_eq!(windows, [(0, 500), (800, 1000)]);
    }

    #[test]
    fn what_never_changes_has_no_windows() {
        let mut channels = Channels::default();
        channels.set(Slot::Mark, "b", 0, Some(item("up")));
        channels.set(Slot::Mark, "b", 300, Some(item("up")));
        assert!(channels.sprites(1000)[0].windows.is_empty());
    }

    #[test]
    fn the_last_word_at_one_moment_counts() {
        let mut channels = Channels::default();
        channels.set(Slot::Mark, "b", 100, Some(item("up")));
        channels.set(Slot::Mark, "b", 100, None);
        channels.set(Slot::Mark, "b", 100, Some(item("down")));
        assert_eq!(channels.sprites(200)[0].item.class, "down");
    }
}
