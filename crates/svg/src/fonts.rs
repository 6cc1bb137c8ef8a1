//! Fonts inside the file.
//!
//! A family that is embedded is renamed with the file's digest: on a page with two inlined
//! files each keeps its own subset.

use std::collections::BTreeSet;

use topomotion_scene::{Animation, FontFace, Item, Primitive};

use crate::options::{EmbeddedFont, Options};
use crate::text::{DIGEST, base64, slug};

/// Every character that an animation sets in a face: what a subset must hold.
pub fn characters(animation: &Animation, face: FontFace) -> BTreeSet<char> {
    let sprites = animation.sprites.iter().map(|sprite| &sprite.item);
    let items = animation.backdrop.iter().chain(sprites);
    items.flat_map(|item: &Item| item.primitives.iter()).fold(
        BTreeSet::new(),
        |mut all, primitive| {
            if let Primitive::Text { text, face: own, .. } = primitive
                && *own == face
            {
                all.extend(text.chars());
            }
            all
        },
    )
}

/// The families of a face, best first, for a `font-family` attribute.
pub(crate) fn family(options: &Options, face: FontFace) -> String {
    let fallback = match face {
        FontFace::Regular | FontFace::SemiBold => "Inter,system-ui,sans-serif",
        FontFace::Mono => "JetBrains Mono,ui-monospace,monospace",
    };
    let is_mono = |face| face == FontFace::Mono;
    match options.fonts.iter().find(|font| is_mono(font.face) == is_mono(face)) {
        Some(font) => format!("{},{fallback}", own_name(font)),
        None => fallback.to_owned(),
    }
}

fn own_name(font: &EmbeddedFont) -> String {
    format!("{}-{DIGEST}", slug(&font.family))
}

/// The `@font-face` rules.
pub(crate) fn rules(options: &Options) -> String {
    let mut out = String::new();
    for font in &options.fonts {
        let kind = match font.data.get(..4) {
            Some(b"wOF2") => "woff2",
            Some(b"wOFF") => "woff",
            Some(b"OTTO") => "otf",
            _ => "ttf",
        };
        out.push_str(&format!(
            "@font-face{{font-family:{};font-weight:{};src:url(data:font/{kind};base64,",
            own_name(font),
            font.weight
        ));
        base64(&mut out, &font.data);
        out.push_str(")}");
    }
    out
}
