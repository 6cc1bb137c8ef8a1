//! Numbers and words in the form in which they may stand in an SVG file.

use std::fmt::Write as _;

/// Stands for the digest until the content is known. Labels cannot contain it: control
/// characters are dropped.
pub(crate) const DIGEST: char = '\u{1}';

/// Appends a number with at most two decimals and nothing superfluous.
pub(crate) fn number(out: &mut String, value: f64) {
    decimal(out, value, 2);
}

/// Appends a number with at most `places` decimals.
pub(crate) fn decimal(out: &mut String, value: f64, places: u32) {
    let unit = 10_i64.pow(places.min(9));
    let value = if value.is_finite() { value } else { 0.0 };
    // The cast saturates; no picture is that large.
    let whole = (value * unit as f64).round() as i64;
    if whole < 0 {
        out.push('-');
    }
    let (whole, unit) = (whole.unsigned_abs(), unit.unsigned_abs());
    let _ = write!(out, "{}", whole / unit);
    let mut rest = whole % unit;
    if rest > 0 {
        let mut width = places as usize;
        while rest % 10 == 0 {
            rest /= 10;
            width -= 1;
        }
        let _ = write!(out, ".{rest:0width$}");
    }
}

/// The number as text.
pub(crate) fn shown(value: f64) -> String {
    let mut out = String::new();
    number(&mut out, value);
    out
}

/// Appends text so that it is text, wherever it stands: between tags or in an attribute.
pub(crate) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            // Not allowed in XML 1.0, or not wanted in a label.
            c if c.is_control() => {}
            '\u{fffe}' | '\u{ffff}' => {}
            // They would reorder the text around the label.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => out.push(c),
        }
    }
}

/// A name that is safe as a class or as part of an identifier: lower-case letters, digits and
/// hyphens.
pub(crate) fn slug(text: &str) -> String {
    let safe = |c: char| {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }
    };
    text.chars().take(40).map(safe).collect()
}

/// An id's tail: letters and digits of any script, hyphens and underscores stay.
pub(crate) fn identifier(text: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    text.chars().take(80).map(safe).collect()
}

/// A digest of the content in five letters and digits (FNV-1a).
pub(crate) fn digest(content: &str) -> String {
    let mut hash = content.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let letters = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::new();
    for _ in 0..5 {
        text.push(char::from(letters[(hash % 36) as usize]));
        hash /= 36;
    }
    text
}

/// Base 64 (RFC 4648).
pub(crate) fn base64(out: &mut String, data: &[u8]) {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in data.chunks(3) {
        let byte = |index: usize| chunk.get(index).map_or(0, |&byte| u32::from(byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                let index = bits >> (18 - 6 * place) & 63;
                out.push(char::from(letters[index as usize]));
            } else {
                out.push('=');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (-0.001, "0"),
            (1.5, "1.5"),
            (1.005_1, "1.01"),
            (-3.05, "-3.05"),
            (100.0, "100"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ];
        for (value, text) in cases {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn no_label_can_become_markup() {
        let mut out = String::new();
        escape(&mut out, "</text><script x='\"'>&\u{0}\u{1}\u{8}\u{202e}\u{fffe}]]>");
        assert_eq!(out, "&lt;/text&gt;&lt;script x=&#39;&quot;&#39;&gt;&amp;]]&gt;");
        assert_eq!(slug("a{b}\"ü Z"), "a-b----z");
        assert_eq!(identifier("a{b}\" Zürich_東.1"), "a-b---Zürich_東-1");
    }

    #[test]
    fn base64_is_the_usual_one() {
        for (data, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            let mut out = String::new();
            base64(&mut out, data.as_bytes());
            assert_eq!(out, text);
        }
    }
}
