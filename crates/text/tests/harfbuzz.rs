//! Widths against HarfBuzz: every text of the golden file measures the same to the unit.
//!
//! `harfbuzz.tsv` is made by `assets/fonts/build.py` from the font files we ship.

use topomotion_text::{Face, width};

#[test]
fn every_golden_text_is_as_wide_as_harfbuzz_says() {
    let mut wrong = Vec::new();
    let mut texts = 0;
    for line in
        include_str!("harfbuzz.tsv").lines().filter(|line| !line.starts_with("# "))
    {
        let mut columns = line.splitn(3, '\t');
        let (Some(face), Some(units), Some(text)) =
            (columns.next(), columns.next(), columns.next())
        else {
            panic!("three columns: {line}");
        };
        let (face, units_per_em) = match face {
            "regular" => (Face::Regular, 2048.0),
            "semibold" => (Face::SemiBold, 2048.0),
            _ => (Face::Mono, 1000.0),
        };
        let expected: f64 = units.parse().unwrap();
        texts += 1;
        let measured = width(face, units_per_em, text);
        if measured != expected {
            wrong.push(format!("{face:?} {text}: {measured}, not {expected}"));
        }
    }
    assert!(texts > 600, "{texts} texts read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
