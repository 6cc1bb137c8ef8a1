//! The map from characters to glyphs, in format 4: runs of characters with runs of
//! glyphs.
//!
//! All characters of the bundled fonts are in the basic plane, which is all that format 4
//! can hold and every reader understands.

use std::collections::BTreeMap;

use super::put;

/// Characters `first..=last` with consecutive glyphs.
struct Run {
    first: u16,
    last: u16,
    glyph: u16,
}

/// The `cmap` table.
pub(super) fn table(characters: &BTreeMap<char, u16>) -> Vec<u8> {
    let runs = runs(characters);
    let count = runs.len() as u16;
    let power = count.ilog2() as u16;
    let range = 2 << power;
    let mut out = Vec::new();
    // Two names for one map: Unicode, and Windows' basic plane.
    put(&mut out, &[0, 2]);
    put(&mut out, &[0, 3, 0, 20]);
    put(&mut out, &[3, 1, 0, 20]);
    put(&mut out, &[4, 16 + 8 * count, 0]);
    put(&mut out, &[2 * count, range, power, 2 * count - range]);
    out.extend(runs.iter().flat_map(|run| run.last.to_be_bytes()));
    put(&mut out, &[0]);
    out.extend(runs.iter().flat_map(|run| run.first.to_be_bytes()));
    out.extend(
        runs.iter().flat_map(|run| run.glyph.wrapping_sub(run.first).to_be_bytes()),
    );
    out.extend(runs.iter().flat_map(|_| 0_u16.to_be_bytes()));
    out
}

fn runs(characters: &BTreeMap<char, u16>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (&c, &glyph) in characters {
        let Ok(code) = u16::try_from(u32::from(c)) else { continue };
        match runs.last_mut() {
            Some(run)
                if code == run.last + 1 && glyph == run.glyph + (code - run.first) =>
            {
                run.last = code;
            }
            _ => runs.push(Run { first: code, last: code, glyph }),
        }
    }
    // The format ends with this run, which maps to glyph 0.
    runs.push(Run { first: 0xFFFF, last: 0xFFFF, glyph: 0 });
    runs
}
