//! Pair kerning as a `GPOS` table: one feature, one lookup, by classes of glyphs.
//!
//! The classes of the baked metrics are folded again, because few characters leave many
//! of them alike. Right class 0 is everything else and kerns with nothing; what never
//! kerns on the left is not covered.

use std::collections::BTreeMap;

use super::put;
use crate::metrics::{Glyph, Metrics};

/// The lookup changes only the advance of the left glyph.
const ADVANCE: u16 = 0x0004;
/// Letters kern across the marks between them.
const IGNORE_MARKS: u16 = 0x0008;

/// The `GPOS` table, if any of the characters kern.
pub(super) fn table(
    metrics: &Metrics,
    characters: &BTreeMap<char, u16>,
) -> Option<Vec<u8>> {
    let pairs = Pairs::new(metrics, characters);
    if pairs.left.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    // Version 1.0, then where scripts, features and lookups begin.
    put(&mut out, &[1, 0, 10, 36, 50]);
    // The default script and Latin share one table: no languages, feature 0.
    put(&mut out, &[2]);
    out.extend(b"DFLT\0\x0Elatn\0\x0E");
    put(&mut out, &[4, 0, 0, 0xFFFF, 1, 0]);
    // One feature with lookup 0.
    put(&mut out, &[1]);
    out.extend(b"kern\0\x08");
    put(&mut out, &[0, 1, 0]);
    // One lookup, of pairs, with one subtable.
    put(&mut out, &[1, 4]);
    put(&mut out, &[2, IGNORE_MARKS, 1, 8]);
    pairs.write(&mut out);
    Some(out)
}

/// Kerning between classes of glyphs.
struct Pairs {
    /// Class of each glyph that kerns as a left one.
    left: BTreeMap<u16, u16>,
    /// Class of each glyph that kerns as a right one; from 1 on.
    right: BTreeMap<u16, u16>,
    /// Extra advance by left class and right class, without right class 0.
    kerning: Vec<Vec<i16>>,
}

impl Pairs {
    fn new(metrics: &Metrics, characters: &BTreeMap<char, u16>) -> Self {
        let known = |(&c, &id): (&char, &u16)| Some((id, metrics.glyph(c)?));
        let glyphs: BTreeMap<u16, Glyph> = characters.iter().filter_map(known).collect();
        let columns: Vec<u8> = glyphs.values().map(|glyph| glyph.column).collect();
        let row = |glyph: &Glyph| -> Vec<i16> {
            columns.iter().map(|&column| metrics.kerning(glyph.row, column)).collect()
        };
        let (left, rows) = fold(glyphs.iter().map(|(&id, glyph)| (id, row(glyph))));
        let column = |at: usize| -> Vec<i16> { rows.iter().map(|row| row[at]).collect() };
        let (right, folded) =
            fold(glyphs.keys().enumerate().map(|(at, &id)| (id, column(at))));
        let kerning = (0..rows.len())
            .map(|row| folded.iter().map(|column| column[row]).collect())
            .collect();
        let right = right.into_iter().map(|(id, class)| (id, class + 1)).collect();
        Pairs { left, right, kerning }
    }

    /// Writes the subtable; its offsets count from its own start.
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let rights = self.kerning.first().map_or(0, Vec::len) as u16 + 1;
        let lefts = self.kerning.len() as u16;
        let coverage = 16 + 2 * lefts * rights;
        let left_classes = coverage + 4 + 2 * self.left.len() as u16;
        let right_classes = left_classes + 6 + 2 * span(&self.left);
        put(out, &[2, coverage, ADVANCE, 0]);
        put(out, &[left_classes, right_classes, lefts, rights]);
        for row in &self.kerning {
            put(out, &[0]);
            out.extend(row.iter().flat_map(|units| units.to_be_bytes()));
        }
        debug_assert_eq!(out.len() - start, usize::from(coverage));
        put(out, &[1, self.left.len() as u16]);
        out.extend(self.left.keys().flat_map(|id| id.to_be_bytes()));
        classes(out, &self.left);
        debug_assert_eq!(out.len() - start, usize::from(right_classes));
        classes(out, &self.right);
    }
}

/// Gives equal vectors one class; those of nothing but zeros get none.
fn fold(
    vectors: impl Iterator<Item = (u16, Vec<i16>)>,
) -> (BTreeMap<u16, u16>, Vec<Vec<i16>>) {
    let mut class_of: BTreeMap<Vec<i16>, u16> = BTreeMap::new();
    let mut members = BTreeMap::new();
    let mut classes = Vec::new();
    for (id, vector) in
        vectors.filter(|(_, vector)| vector.iter().any(|&units| units != 0))
    {
        let class = *class_of.entry(vector).or_insert_with_key(|vector| {
            classes.push(vector.clone());
            classes.len() as u16 - 1
        });
        members.insert(id, class);
    }
    (members, classes)
}

/// How many glyphs lie from the first to the last.
fn span(members: &BTreeMap<u16, u16>) -> u16 {
    match (members.first_key_value(), members.last_key_value()) {
        (Some((first, _)), Some((last, _))) => last - first + 1,
        _ => 0,
    }
}

/// A table of classes: one number for each glyph of the span.
fn classes(out: &mut Vec<u8>, members: &BTreeMap<u16, u16>) {
    let first = members.first_key_value().map_or(0, |(&first, _)| first);
    put(out, &[1, first, span(members)]);
    for id in first..first + span(members) {
        put(out, &[members.get(&id).copied().unwrap_or(0)]);
    }
}
