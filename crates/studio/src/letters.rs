//! Which characters the bundled fonts draw.

use std::collections::BTreeSet;

use topomotion_scene::{Animation, FontFace, Primitive};
use topomotion_text::{Face, SpareFont, covers};

/// The text crate's name of a face.
pub fn bundled(face: FontFace) -> Face {
    match face {
        FontFace::Regular => Face::Regular,
        FontFace::SemiBold => Face::SemiBold,
        FontFace::Mono => Face::Mono,
    }
}

/// The visible characters that neither the bundled fonts nor the spare one have.
pub fn unknown(film: &Animation, spare: Option<&SpareFont>) -> BTreeSet<char> {
    let sprites = film.sprites.iter().map(|sprite| &sprite.item);
    let items = film.backdrop.iter().chain(sprites);
    let mut all = BTreeSet::new();
    for primitive in items.flat_map(|item| &item.primitives) {
        if let Primitive::Text { text, face, .. } = primitive {
            all.extend(text.chars().filter(|&c| is_lacking(*face, c)));
        }
    }
    all.retain(|&c| !spare.is_some_and(|spare| spare.covers(c)));
    all
}

/// Whether a visible character is in no bundled font of this face.
pub fn is_lacking(face: FontFace, c: char) -> bool {
    let is_unseen = c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{E0000}'..='\u{E0FFF}');
    !is_unseen && !covers(bundled(face), c)
}

#[cfg(test)]
mod tests {
    use topomotion_scene::{Anchor, Item, Paint, Point};

    use super::*;

    fn film(text: &str) -> Animation {
        let line = Primitive::Text {
            at: Point::new(10.0, 20.0),
            anchor: Anchor::Start,
            text: text.into(),
            face: FontFace::Regular,
            size: 12.0,
            width: 30.0,
            paint: Paint { swatch: 0, opacity: 1.0 },
        };
        let item = Item { primitives: vec![line], ..Item::default() };
        Animation { backdrop: vec![item], ..Animation::default() }
    }

    #[test]
    fn only_what_is_seen_and_lacking_is_named() {
        let found = unknown(&film("Zürich → 東京\u{200D}\u{7}🚀"), None);
        assert_eq!(found.into_iter().collect::<String>(), "京東🚀");
    }
}
