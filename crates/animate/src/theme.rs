//! The colours by name, light and dark, and the table that a picture draws from.
//!
//! A theme is data: two swatch tables with the same names (`assets/themes`). While a picture is
//! painted, a [`Paints`] hands out [`Paint`]s by name and takes in the colours that the
//! script itself wrote, each with a counterpart for the dark theme.

mod color;
mod file;
mod json;
mod pairs;

use std::collections::BTreeMap;

use topomotion_scene::{Paint, Palette, Rgb, Stroke, Swatch};

pub use file::{Scheme, ThemeFile};

/// The families of roles that have colours of their own.
pub(crate) const ROLES: [&str; 8] = [
    "broker",
    "controller",
    "client",
    "zookeeper",
    "registry",
    "connect",
    "streams",
    "service",
];

/// What packets are for: each has a colour of its own.
pub(crate) const PACKETS: [&str; 7] =
    ["produce", "replicate", "fetch", "control", "quorum", "plain", "error"];

/// The colours of connections.
pub(crate) const WIRES: [&str; 7] = [
    "wire-kafka",
    "wire-web",
    "wire-rpc",
    "wire-graph",
    "wire-data",
    "wire-cache",
    "wire-queue",
];

/// Every named colour in both themes; the default is the bundled one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Name to `#rrggbb`, light.
    pub light: BTreeMap<String, String>,
    /// Name to `#rrggbb`, dark. The same names.
    pub dark: BTreeMap<String, String>,
}

impl Default for Theme {
    fn default() -> Theme {
        // The bundled tables are read by a test; an unreadable one would paint in ink.
        let table = |text| serde_json::from_str(text).unwrap_or_default();
        Theme {
            light: table(include_str!("../../../assets/themes/light.json")),
            dark: table(include_str!("../../../assets/themes/dark.json")),
        }
    }
}

impl Theme {
    /// The colour called `name` in both themes; one that is missing or unreadable is grey.
    fn pair(&self, name: &str) -> (Rgb, Rgb) {
        let read = |table: &BTreeMap<String, String>| {
            table
                .get(name)
                .and_then(|hex| color::parse_hex(hex))
                .unwrap_or(Rgb(128, 128, 128))
        };
        (read(&self.light), read(&self.dark))
    }
}

/// The palette of a picture in the making.
#[derive(Debug)]
pub(crate) struct Paints {
    swatches: Vec<Swatch>,
    places: BTreeMap<String, u16>,
}

/// The colours in which a group, a node or an edge is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Inside.
    pub fill: Paint,
    /// Border.
    pub line: Paint,
    /// Text and icons in its own colour.
    pub ink: Paint,
}

impl Paints {
    /// All colours of the theme, the page's own first.
    pub fn new(theme: &Theme) -> Paints {
        let mut paints = Paints { swatches: Vec::new(), places: BTreeMap::new() };
        paints.take(theme, "page");
        for name in theme.light.keys().filter(|name| *name != "page") {
            paints.take(theme, name);
        }
        paints
    }

    fn take(&mut self, theme: &Theme, name: &str) {
        let (light, dark) = theme.pair(name);
        self.add(name, light, dark);
    }

    fn add(&mut self, name: &str, light: Rgb, dark: Rgb) -> u16 {
        let place = u16::try_from(self.swatches.len()).unwrap_or(u16::MAX);
        self.swatches.push(Swatch { name: name.to_owned(), light, dark });
        self.places.insert(name.to_owned(), place);
        place
    }

    /// The colour called `name`, opaque; `ink` if there is none.
    pub fn solid(&self, name: &str) -> Paint {
        self.faint(name, 1.0)
    }

    /// The colour called `name` with an opacity.
    pub fn faint(&self, name: &str, opacity: f32) -> Paint {
        let place = self.places.get(name).or_else(|| self.places.get("ink"));
        Paint { swatch: place.copied().unwrap_or(0), opacity }
    }

    /// An unbroken line in the colour called `name`.
    pub fn stroke(&self, name: &str, width: f64) -> Stroke {
        Stroke { paint: self.solid(name), width, dash: Vec::new() }
    }

    /// The look of a role: `broker`, `producer`, …; anything unknown is a service.
    pub fn role(&self, role: &str) -> Look {
        let family = family(role);
        let named = |part: &str| self.solid(&format!("{family}-{part}"));
        Look { fill: named("fill"), line: named("line"), ink: named("ink") }
    }

    /// The look of a colour as a script writes it: a role, a CSS name or `#rrggbb`.
    /// `None` if it is no colour that we know.
    pub fn written(&mut self, text: &str) -> Option<Look> {
        let text = text.trim().to_ascii_lowercase();
        let known = self.places.contains_key(&format!("{text}-fill"));
        if known || matches!(text.as_str(), "producer" | "consumer" | "schema-registry") {
            return Some(self.role(&text));
        }
        let rgb = color::parse_hex(&text).or_else(|| color::by_name(&text))?;
        let name = format!("own-{:02x}{:02x}{:02x}", rgb.0, rgb.1, rgb.2);
        if !self.places.contains_key(&format!("{name}-fill")) {
            self.add_own(&name, rgb);
        }
        let named = |part: &str| self.solid(&format!("{name}-{part}"));
        Some(Look { fill: named("fill"), line: named("line"), ink: named("ink") })
    }

    fn add_own(&mut self, name: &str, rgb: Rgb) {
        let page =
            self.swatches.first().map_or((rgb, rgb), |page| (page.light, page.dark));
        let (light, dark) = (color::trio(rgb, page.0), color::trio(rgb, page.1));
        for (part, (light, dark)) in
            ["fill", "line", "ink"].into_iter().zip(light.into_iter().zip(dark))
        {
            self.add(&format!("{name}-{part}"), light, dark);
        }
    }

    /// The finished palette.
    pub fn palette(self) -> Palette {
        Palette { swatches: self.swatches }
    }
}

/// The family of roles that share their colours.
pub(crate) fn family(role: &str) -> &str {
    match role {
        "broker" | "controller" | "connect" | "streams" | "zookeeper" => role,
        "producer" | "consumer" | "client" => "client",
        "schema-registry" | "registry" => "registry",
        _ => "service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_themes_name_the_same_colours_and_all_can_be_read() {
        let theme = Theme::default();
        assert!(theme.light.len() > 60);
        assert!(theme.light.keys().eq(theme.dark.keys()));
        for hex in theme.light.values().chain(theme.dark.values()) {
            assert!(color::parse_hex(hex).is_some(), "{hex}");
        }
    }

    #[test]
    fn a_written_colour_becomes_readable_in_both_themes() {
        let mut paints = Paints::new(&Theme::default());
        for text in ["#ff0", "#123456", "teal", "white", "BLACK"] {
            let look = paints.written(text).expect(text);
            let ink = paints.swatches[usize::from(look.ink.swatch)].clone();
            let fill = paints.swatches[usize::from(look.fill.swatch)].clone();
            let exact = color::tests::exact;
            assert!(exact(ink.light, fill.light) > 4.3, "{text} light");
            assert!(exact(ink.dark, fill.dark) > 4.3, "{text} dark");
        }
        assert!(paints.written("no such colour").is_none());
        assert!(paints.written("#ggg").is_none());
        assert!(paints.written("#ä00").is_none());
    }
}
