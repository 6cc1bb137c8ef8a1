//! Colours as Mermaid's styles write them, as the one colour that a box has here.
//!
//! A style names a fill and a border; a box here has one colour, from which fill, border and
//! ink are mixed for a light and a dark page. The more colourful of the two tells it.

/// Names beside those that a picture knows itself.
const NAMES: &[(&str, &str)] = &[
    ("aqua", "#00b8d4"),
    ("aquamarine", "#2fbf8f"),
    ("beige", "#c8b98a"),
    ("bisque", "#e0a971"),
    ("black", "#1e242e"),
    ("blue", "#2f6fd0"),
    ("brown", "#8c623e"),
    ("chocolate", "#d2691e"),
    ("coral", "#ff7f50"),
    ("cornflowerblue", "#6495ed"),
    ("crimson", "#dc143c"),
    ("cyan", "#189ab8"),
    ("darkblue", "#00308b"),
    ("darkgray", "#a9a9a9"),
    ("darkgreen", "#006400"),
    ("darkgrey", "#a9a9a9"),
    ("darkorange", "#ff8c00"),
    ("darkred", "#8b0000"),
    ("deepskyblue", "#00bfff"),
    ("dodgerblue", "#1e90ff"),
    ("firebrick", "#b22222"),
    ("forestgreen", "#228b22"),
    ("fuchsia", "#d048c8"),
    ("gold", "#d9b300"),
    ("goldenrod", "#daa520"),
    ("gray", "#76808e"),
    ("green", "#389e54"),
    ("grey", "#76808e"),
    ("hotpink", "#ff69b4"),
    ("indianred", "#cd5c5c"),
    ("indigo", "#5458c8"),
    ("ivory", "#c9c4a0"),
    ("khaki", "#c3b34c"),
    ("lavender", "#9a8fd8"),
    ("lightblue", "#6fb2cf"),
    ("lightcoral", "#f08080"),
    ("lightcyan", "#5fc4c4"),
    ("lightgray", "#a3a9b1"),
    ("lightgreen", "#63c163"),
    ("lightgrey", "#a3a9b1"),
    ("lightpink", "#f08c9c"),
    ("lightsalmon", "#ffa07a"),
    ("lightskyblue", "#5eb3ea"),
    ("lightyellow", "#cfc95a"),
    ("lime", "#2fb52f"),
    ("magenta", "#cd488c"),
    ("maroon", "#800000"),
    ("mediumpurple", "#9370db"),
    ("navy", "#1f3a8a"),
    ("olive", "#808000"),
    ("orange", "#e27f22"),
    ("orangered", "#ff4500"),
    ("orchid", "#da70d6"),
    ("palegreen", "#6fd06f"),
    ("peachpuff", "#f0a878"),
    ("pink", "#cd488c"),
    ("plum", "#c47cc4"),
    ("purple", "#8252be"),
    ("red", "#d63939"),
    ("royalblue", "#4169e1"),
    ("salmon", "#fa8072"),
    ("seagreen", "#2e8b57"),
    ("sienna", "#a0522d"),
    ("silver", "#9aa3ad"),
    ("skyblue", "#5fb1d8"),
    ("slateblue", "#6a5acd"),
    ("slategray", "#708090"),
    ("steelblue", "#4682b4"),
    ("tan", "#c09a6b"),
    ("teal", "#118a84"),
    ("thistle", "#b58fb5"),
    ("tomato", "#ff6347"),
    ("turquoise", "#26b7aa"),
    ("violet", "#8252be"),
    ("wheat", "#cfa95f"),
    ("white", "#fafafa"),
    ("yellow", "#deb214"),
    ("yellowgreen", "#8ab82f"),
];

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb([u8; 3]);

/// What a value of `fill`, `stroke` or `box` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// A colour.
    Color(Rgb),
    /// `none`, `transparent`: no colour on purpose.
    Nothing,
}

/// Reads `#rgb`, `#rrggbb`, `rgb(…)`, `rgba(…)` or a name; `None` for anything else.
pub(super) fn read(text: &str) -> Option<Written> {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "none" | "transparent" | "inherit" | "currentcolor") {
        return Some(Written::Nothing);
    }
    let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, hex)| *hex);
    let rgb = hex(named.unwrap_or(&text)).or_else(|| function(&text))?;
    Some(Written::Color(rgb))
}

fn hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#')?;
    let nibbles: Option<Vec<u8>> = (digits.chars())
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    match *nibbles? {
        [r, g, b] | [r, g, b, _] => Some(Rgb([r * 17, g * 17, b * 17])),
        [a, b, c, d, e, f] | [a, b, c, d, e, f, _, _] => {
            Some(Rgb([a * 16 + b, c * 16 + d, e * 16 + f]))
        }
        _ => None,
    }
}

/// `rgb(1, 2, 3)`, `rgba(1, 2, 3, 0.5)`.
fn function(text: &str) -> Option<Rgb> {
    let inner = text.strip_prefix("rgba").or_else(|| text.strip_prefix("rgb"))?;
    let inner = inner.trim().strip_prefix('(')?.strip_suffix(')')?;
    let parts: Vec<&str> =
        inner.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let [r, g, b, ..] = parts.as_slice() else { return None };
    let channel = |part: &str| part.parse::<u8>().ok();
    Some(Rgb([channel(r)?, channel(g)?, channel(b)?]))
}

impl Rgb {
    fn chroma(self) -> u8 {
        let [r, g, b] = self.0;
        r.max(g).max(b) - r.min(g).min(b)
    }

    /// A pale ground as the colour that it is pale of, so that a border in it can be seen.
    fn deepened(self) -> Rgb {
        const DEEP: u32 = 140;
        let missing = self.0.map(|channel| u32::from(255 - channel));
        let most = missing.into_iter().max().unwrap_or_default();
        if most == 0 || most >= DEEP {
            return self;
        }
        let channel =
            |part: u32| 255 - u8::try_from(part * DEEP / most).unwrap_or(u8::MAX);
        Rgb(missing.map(channel))
    }

    /// `#rrggbb`
    pub(super) fn text(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// The one colour of a box with this fill and border.
pub(super) fn one(fill: Option<Rgb>, stroke: Option<Rgb>) -> Option<Rgb> {
    match (fill, stroke) {
        (Some(fill), Some(stroke)) if fill.chroma() > stroke.chroma() => {
            Some(fill.deepened())
        }
        (_, Some(stroke)) => Some(stroke),
        (Some(fill), None) => Some(fill.deepened()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(text: &str) -> Rgb {
        match read(text) {
            Some(Written::Color(rgb)) => rgb,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn colours_are_read_in_every_common_form() {
        for (text, hex) in [
            ("#f9f", "#ff99ff"),
            ("#E1D5E7", "#e1d5e7"),
            ("#e1d5e780", "#e1d5e7"),
            ("rgb(1, 2, 255)", "#0102ff"),
            ("rgba(1,2,3,0.5)", "#010203"),
            ("Tomato", "#ff6347"),
        ] {
            assert_eq!(rgb(text).text(), hex, "{text}");
        }
        assert_eq!(read("none"), Some(Written::Nothing));
        for text in ["", "#", "#12345", "#ggg", "rgb(1,2)", "rgb(1,2,300)", "nocolour"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_more_colourful_of_fill_and_border_counts() {
        let one = |fill: &str, stroke: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| rgb(text));
            one(given(fill), given(stroke)).map(Rgb::text)
        };
        assert_eq!(one("#dae8fc", "#6c8ebf").as_deref(), Some("#6c8ebf"));
        assert_eq!(one("#ff0000", "#333").as_deref(), Some("#ff0000"));
        assert_eq!(one("#dae8fc", "").as_deref(), Some("#73a8f4"));
        assert_eq!(one("", "").as_deref(), None);
    }

    #[test]
    fn names_stand_in_order_and_are_colours() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.iter().all(|(_, text)| hex(text).is_some()));
    }
}
