//! The colours by name, light and dark, and the table that a picture draws from.
//!
//! A theme is data: two swatch tables with the same names (`assets/themes`). While a picture is
//! painted, a [`Paints`] hands out [`Paint`]s by name and takes in the colours that the
//! script itself wrote, each with a counterpart for the dark theme.

use std::collections::BTreeMap;

use topomotion_scene::{Paint, Palette, Rgb, Stroke, Swatch};

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
            table.get(name).and_then(|hex| parse_hex(hex)).unwrap_or(Rgb(128, 128, 128))
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
        let family = match role {
            "broker" | "controller" | "connect" | "streams" | "zookeeper" => role,
            "producer" | "consumer" | "client" => "client",
            "schema-registry" => "registry",
            _ => "service",
        };
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
        let rgb = parse_hex(&text).or_else(|| css_name(&text))?;
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
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        let fill = (mix(page.0, rgb, 0.18), mix(page.1, rgb, 0.22));
        self.add(&format!("{name}-fill"), fill.0, fill.1);
        self.add(&format!("{name}-line"), mix(rgb, black, 0.1), mix(rgb, white, 0.15));
        let light = readable(rgb, black, fill.0);
        let dark = readable(rgb, white, fill.1);
        self.add(&format!("{name}-ink"), light, dark);
    }

    /// The finished palette.
    pub fn palette(self) -> Palette {
        Palette { swatches: self.swatches }
    }
}

/// `color`, moved towards `end` until text in it can be read on `ground`.
fn readable(color: Rgb, end: Rgb, ground: Rgb) -> Rgb {
    let steps = (0..=10).map(|step| mix(color, end, f64::from(step) / 10.0));
    steps.into_iter().find(|&text| contrast(text, ground) >= 4.5).unwrap_or(end)
}

/// `#rgb` or `#rrggbb`.
fn parse_hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#')?;
    if !digits.is_ascii() {
        return None;
    }
    let wide: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let part = |at: usize| u8::from_str_radix(wide.get(at..at + 2)?, 16).ok();
    Some(Rgb(part(0)?, part(2)?, part(4)?))
}

fn css_name(name: &str) -> Option<Rgb> {
    Some(match name {
        "red" => Rgb(214, 57, 57),
        "orange" => Rgb(226, 127, 34),
        "yellow" => Rgb(222, 178, 20),
        "green" => Rgb(56, 158, 84),
        "teal" => Rgb(17, 138, 132),
        "cyan" => Rgb(24, 154, 184),
        "blue" => Rgb(47, 111, 208),
        "indigo" => Rgb(84, 88, 200),
        "purple" | "violet" => Rgb(130, 80, 190),
        "pink" | "magenta" => Rgb(205, 72, 140),
        "brown" => Rgb(140, 98, 62),
        "gray" | "grey" => Rgb(118, 128, 142),
        "black" => Rgb(30, 36, 46),
        "white" => Rgb(250, 250, 250),
        _ => return None,
    })
}

/// The colour `part` (0 to 1) of the way from `a` to `b`.
fn mix(a: Rgb, b: Rgb, part: f64) -> Rgb {
    let channel = |a: u8, b: u8| {
        let value = f64::from(a) + (f64::from(b) - f64::from(a)) * part;
        value.clamp(0.0, 255.0).round() as u8
    };
    Rgb(channel(a.0, b.0), channel(a.1, b.1), channel(a.2, b.2))
}

/// Contrast as WCAG 2 counts it, with a cubic in place of its power, which no two machines
/// compute alike; the difference is below 1 %.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Rgb) -> f64 {
    let linear = |channel: u8| {
        let part = f64::from(channel) / 255.0;
        part * (part * (part * 0.305_306 + 0.682_171) + 0.012_523)
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula of WCAG 2.2, as it stands.
    fn exact(a: Rgb, b: Rgb) -> f64 {
        #[allow(clippy::disallowed_methods)]
        fn linear(channel: u8) -> f64 {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        }
        let luminance =
            |c: Rgb| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    const ROLES: [&str; 8] = [
        "broker",
        "controller",
        "client",
        "zookeeper",
        "registry",
        "connect",
        "streams",
        "service",
    ];
    const PACKETS: [&str; 7] =
        ["produce", "replicate", "fetch", "control", "quorum", "plain", "error"];

    fn assert_contrast(text: &str, ground: &str, least: f64) {
        let theme = Theme::default();
        let (text_pair, ground_pair) = (theme.pair(text), theme.pair(ground));
        for (a, b) in [(text_pair.0, ground_pair.0), (text_pair.1, ground_pair.1)] {
            let found = exact(a, b);
            assert!(found >= least, "{text} on {ground}: {found:.2}");
        }
    }

    #[test]
    fn both_themes_name_the_same_colours_and_all_can_be_read() {
        let theme = Theme::default();
        assert!(theme.light.len() > 60);
        assert!(theme.light.keys().eq(theme.dark.keys()));
        for hex in theme.light.values().chain(theme.dark.values()) {
            assert!(parse_hex(hex).is_some(), "{hex}");
        }
    }

    #[test]
    fn text_has_enough_contrast_on_everything_that_it_stands_on() {
        for text in ["ink", "muted", "error-ink"] {
            for ground in ["page", "surface", "group-0", "group-1", "group-2"] {
                assert_contrast(text, ground, 4.5);
            }
        }
        for role in ROLES {
            for text in ["ink", "muted", &format!("{role}-ink")] {
                assert_contrast(text, &format!("{role}-fill"), 4.5);
            }
            assert_contrast(&format!("{role}-ink"), "group-2", 4.5);
        }
        for kind in PACKETS {
            assert_contrast("packet-text", &format!("packet-{kind}"), 4.5);
            let (ink, soft) =
                (format!("packet-{kind}-ink"), format!("packet-{kind}-soft"));
            assert_contrast(&ink, &soft, 4.5);
        }
        for (text, ground) in [
            ("cell-ink", "cell"),
            ("cell-open-ink", "cell-open"),
            ("watermark", "surface"),
            ("leader-text", "leader"),
            ("executed", "page"),
            ("error-ink", "error-soft"),
            ("warning-ink", "warning-soft"),
        ] {
            assert_contrast(text, ground, 4.5);
        }
    }

    #[test]
    fn lines_and_state_marks_can_be_told_from_what_they_stand_on() {
        for mark in ["line", "running", "warning", "error", "stopped", "crown"] {
            assert_contrast(mark, "surface", 3.0);
        }
    }

    #[test]
    fn a_written_colour_becomes_readable_in_both_themes() {
        let mut paints = Paints::new(&Theme::default());
        for text in ["#ff0", "#123456", "teal", "white", "BLACK"] {
            let look = paints.written(text).expect(text);
            let ink = paints.swatches[usize::from(look.ink.swatch)].clone();
            let fill = paints.swatches[usize::from(look.fill.swatch)].clone();
            assert!(exact(ink.light, fill.light) > 4.3, "{text} light");
            assert!(exact(ink.dark, fill.dark) > 4.3, "{text} dark");
        }
        assert!(paints.written("no such colour").is_none());
        assert!(paints.written("#ggg").is_none());
        assert!(paints.written("#ä00").is_none());
    }
}
