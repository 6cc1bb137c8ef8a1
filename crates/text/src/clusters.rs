//! A line as the signs that a reader sees, each where it stands: for writers that set
//! glyphs of an embedded font themselves.

use crate::face::Face;
use crate::measure::to_px;
use crate::metrics;
use crate::visual;

/// One visible sign: a letter with its marks, a joined emoji, a flag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster<'t> {
    /// Its characters.
    pub text: &'t str,
    /// Where it begins, px from the line's beginning.
    pub x: f64,
    /// The one character of the face that draws all of it. `None` if the face lacks it or
    /// needs several glyphs; [`outline`](crate::outline) draws what there is.
    pub glyph: Option<char>,
}

/// The signs of one line at `size` px, where [`width`](crate::width) measures them.
pub fn clusters(face: Face, size: f64, text: &str) -> Vec<Cluster<'_>> {
    let metrics = metrics::of(face);
    let mut found: Vec<(usize, i64, Option<char>)> = Vec::new();
    for (glyph, at) in visual::placed(metrics, text) {
        match found.last_mut() {
            Some((_, left, whole)) if glyph.joined => {
                *left = (*left).min(at);
                *whole = None;
            }
            _ => {
                let drawn = metrics.glyph(glyph.c).is_some().then_some(glyph.c);
                found.push((glyph.at, at, drawn));
            }
        }
    }
    let ends = found.iter().skip(1).map(|(start, ..)| *start).chain([text.len()]);
    let ends: Vec<usize> = ends.collect();
    let signs = found.iter().zip(ends);
    signs
        .map(|(&(start, at, glyph), end)| Cluster {
            text: &text[start..end],
            x: to_px(metrics, size, at),
            glyph,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::width;

    #[test]
    fn signs_stand_where_they_are_measured() {
        let (face, text) = (Face::Regular, "AVé漢e\u{301}👍🏽q\u{301}!");
        let signs = clusters(face, 20.0, text);
        assert_eq!(signs.iter().map(|sign| sign.text).collect::<String>(), text);
        let glyphs: Vec<Option<char>> = signs.iter().map(|sign| sign.glyph).collect();
        let (a, v) = (Some('A'), Some('V'));
        assert_eq!(glyphs, [a, v, Some('é'), None, Some('é'), None, None, Some('!')]);
        assert!(
            (signs[1].x - (width(face, 20.0, "AV") - width(face, 20.0, "V"))).abs()
                < 1e-9
        );
        assert_eq!(signs[5].text, "👍🏽");
    }
}
