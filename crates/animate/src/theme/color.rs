//! Colours: read, mixed, and weighed against what they stand on.

use topomotion_scene::Rgb;

/// Least contrast of text with its ground (WCAG 2.2, AA).
pub(crate) const TEXT: f64 = 4.5;
/// Least contrast of a mark with its ground.
pub(crate) const MARK: f64 = 3.0;

/// `#rgb` or `#rrggbb`.
pub(crate) fn parse_hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#')?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
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

/// `#rrggbb`.
pub(crate) fn hex(Rgb(r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The colours that may be called by name.
pub(crate) const NAMES: [(&str, Rgb); 17] = [
    ("red", Rgb(214, 57, 57)),
    ("orange", Rgb(226, 127, 34)),
    ("yellow", Rgb(222, 178, 20)),
    ("green", Rgb(56, 158, 84)),
    ("teal", Rgb(17, 138, 132)),
    ("cyan", Rgb(24, 154, 184)),
    ("blue", Rgb(47, 111, 208)),
    ("indigo", Rgb(84, 88, 200)),
    ("purple", Rgb(130, 80, 190)),
    ("violet", Rgb(130, 80, 190)),
    ("pink", Rgb(205, 72, 140)),
    ("magenta", Rgb(205, 72, 140)),
    ("brown", Rgb(140, 98, 62)),
    ("gray", Rgb(118, 128, 142)),
    ("grey", Rgb(118, 128, 142)),
    ("black", Rgb(30, 36, 46)),
    ("white", Rgb(250, 250, 250)),
];

/// A colour by its CSS name, in the tone of our palette.
pub(crate) fn by_name(name: &str) -> Option<Rgb> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, color)| *color)
}

/// The colour `part` (0 to 1) of the way from `a` to `b`.
pub(crate) fn mix(a: Rgb, b: Rgb, part: f64) -> Rgb {
    let channel = |a: u8, b: u8| {
        let value = f64::from(a) + (f64::from(b) - f64::from(a)) * part;
        value.clamp(0.0, 255.0).round() as u8
    };
    Rgb(channel(a.0, b.0), channel(a.1, b.1), channel(a.2, b.2))
}

/// Contrast as WCAG 2 counts it, with a cubic in place of its power, which no two machines
/// compute alike; the difference is below 6 %, and that only among near blacks.
pub(crate) fn contrast(a: Rgb, b: Rgb) -> f64 {
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

/// The inside, the border and the text of something in a colour of one's own, on a page that
/// is light or dark.
pub(crate) fn trio(own: Rgb, page: Rgb) -> [Rgb; 3] {
    let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
    if contrast(page, black) > contrast(page, white) {
        let fill = mix(page, own, 0.18);
        [fill, mix(own, black, 0.1), readable(own, black, fill)]
    } else {
        let fill = mix(page, own, 0.22);
        [fill, mix(own, white, 0.15), readable(own, white, fill)]
    }
}

/// `color`, moved towards `end` until text in it can be read on `ground`, and on what is a
/// little nearer to it.
fn readable(color: Rgb, end: Rgb, ground: Rgb) -> Rgb {
    let mut steps = (0..=10).map(|step| mix(color, end, f64::from(step) / 10.0));
    steps.find(|&text| contrast(text, ground) >= TEXT * 1.1).unwrap_or(end)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The formula of WCAG 2.2, as it stands.
    pub(crate) fn exact(a: Rgb, b: Rgb) -> f64 {
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

    #[test]
    fn our_contrast_is_nearly_that_of_the_standard() {
        for a in (0..=255).step_by(15) {
            for b in (0..=255).step_by(15) {
                let (a, b) = (Rgb(a, 128, b), Rgb(b, a, 40));
                let (ours, theirs) = (contrast(a, b), exact(a, b));
                assert!((ours / theirs - 1.0).abs() < 0.06, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn colours_are_read_as_they_are_written() {
        assert_eq!(parse_hex("#1aF"), Some(Rgb(0x11, 0xaa, 0xff)));
        assert_eq!(parse_hex(&hex(Rgb(1, 2, 254))), Some(Rgb(1, 2, 254)));
        for wrong in ["", "#", "#12", "#1234", "123456", "#ggg", "#ä00", "#+12"] {
            assert_eq!(parse_hex(wrong), None, "{wrong}");
        }
    }
}
