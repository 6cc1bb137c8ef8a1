//! One page that holds the player and a film, and needs nothing else: it opens from a disk.

use crate::bundle::{Bundle, base64};

/// The built player: one JavaScript module that holds the wasm module, too.
#[cfg(feature = "write")]
const PLAYER: &str = include_str!("../../../web/dist/topomotion-viewer.js");

/// The engine: a wasm module, gzip, that the player loads when somebody takes a run over.
#[cfg(feature = "write")]
const ENGINE: &[u8] = include_bytes!("../../../web/dist/topomotion-live.wasm.gz");

/// The frame around it.
const PAGE: &str = include_str!("page.html");

/// The player, as it is served to pages and put into them.
#[cfg(feature = "write")]
pub fn player() -> &'static str {
    PLAYER
}

/// The engine, as it is served beside the player under the name `topomotion-live.wasm.gz`.
#[cfg(feature = "write")]
pub fn engine() -> &'static [u8] {
    ENGINE
}

/// What a page is made of beside its film.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The player: one JavaScript module.
    pub player: &'a str,
    /// The engine, gzip.
    pub engine: &'a [u8],
}

#[cfg(feature = "write")]
impl Default for Parts<'static> {
    /// The player and the engine that were built with this crate.
    fn default() -> Parts<'static> {
        Parts { player: PLAYER, engine: ENGINE }
    }
}

/// What a page shows.
#[derive(Debug)]
pub struct Page<'a> {
    /// What is played.
    pub bundle: &'a Bundle,
    /// A still of it as SVG, shown before the script runs and where none does.
    pub poster: &'a str,
    /// `auto`, `light` or `dark`.
    pub theme: &'a str,
}

/// The page.
pub fn html(page: &Page<'_>, with: &Parts<'_>) -> String {
    // The page's own parts first: what is put in last is not looked through again.
    let parts = [
        ("{{theme}}", escaped(page.theme)),
        ("{{title}}", escaped(page.bundle.title())),
        ("{{player}}", with.player.replace("</script", "<\\/script")),
        ("{{poster}}", page.poster.to_owned()),
        ("{{bundle}}", page.bundle.json().replace('<', "\\u003c")),
        ("{{engine}}", engine_of(page, with)),
    ];
    let mut out = String::new();
    let mut left = PAGE;
    while let Some((start, (name, text))) = next(left, &parts) {
        out.push_str(&left[..start]);
        out.push_str(text);
        left = &left[start + name.len()..];
    }
    out.push_str(left);
    out
}

/// The engine as text, for pages that may read no file beside them.
fn engine_of(page: &Page<'_>, with: &Parts<'_>) -> String {
    if !page.bundle.is_live() {
        return String::new();
    }
    let text = base64(with.engine);
    format!("\n<script type=\"application/x-topomotion-engine\">{text}</script>")
}

type Part = (&'static str, String);

fn next<'p>(text: &str, parts: &'p [Part]) -> Option<(usize, &'p Part)> {
    let found = parts.iter().filter_map(|part| Some((text.find(part.0)?, part)));
    found.min_by_key(|(at, _)| *at)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(all(test, feature = "write"))]
mod tests {
    use topomotion_scene::Animation;

    use super::*;

    #[test]
    fn what_a_script_says_cannot_leave_its_place() {
        let film = Animation {
            title: "</title></script><img onerror=alert(1)> {{player}}".into(),
            ..Animation::default()
        };
        let bundle = Bundle::new(&[("topology", &film)]);
        let page = Page { bundle: &bundle, poster: "<svg/>", theme: "auto" };
        let page = html(&page, &Parts::default());
        assert!(!page.contains("<img onerror"), "it is escaped wherever it stands");
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(page.matches("<svg/>").count(), 1);
        assert!(page.contains("{{player}}"), "what was put in is not looked through");
        assert!(page.contains(&player()[..200]), "the player is in it");
    }
}
