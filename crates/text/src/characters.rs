//! What a character is, for those that no font of ours knows.
//!
//! A label in another script must still get a box of about the right size, and what
//! belongs to one visible sign must stay together. This is a rough cut of Unicode's
//! grapheme clusters, enough for labels: marks, joiner sequences, emoji modifiers, flags.

use crate::ranges::{SPACING_MARK, WIDE, ZERO};

/// Marks without room that are younger than the generated table (Unicode 15 to 17), or that only
/// clusters know.
#[rustfmt::skip]
const LATER_ZERO: [u32; 52] = [
    0x0897, 0x0897, 0x0ECE, 0x0ECE, 0x1ACF, 0x1ADD, 0x1AE0, 0x1AEB, 0x10D69, 0x10D6D,
    0x10EFA, 0x10EFF, 0x11241, 0x11241, 0x113BB, 0x113C0, 0x113CE, 0x113CE, 0x113D0, 0x113D0,
    0x113D2, 0x113D2, 0x113E1, 0x113E2, 0x11B60, 0x11B60, 0x11B62, 0x11B64, 0x11B66, 0x11B66,
    0x11F00, 0x11F01, 0x11F36, 0x11F3A, 0x11F40, 0x11F42, 0x11F5A, 0x11F5A, 0x13440, 0x13440,
    0x13447, 0x13455, 0x1611E, 0x16129, 0x1612D, 0x1612F, 0x1E08F, 0x1E08F, 0x1E4EC, 0x1E4EF,
    0x1E5EE, 0x1E5EF,
];

/// The same for marks that take room.
#[rustfmt::skip]
const LATER_SPACING: [u32; 36] = [
    0x0CF3, 0x0CF3, 0x0E33, 0x0E33, 0x0EB3, 0x0EB3, 0xFF9E, 0xFF9F, 0x113B8, 0x113BA,
    0x113C2, 0x113C2, 0x113C5, 0x113C5, 0x113C7, 0x113CA, 0x113CC, 0x113CD, 0x113CF, 0x113CF,
    0x11B61, 0x11B61, 0x11B65, 0x11B65, 0x11B67, 0x11B67, 0x11F03, 0x11F03, 0x11F34, 0x11F35,
    0x11F3E, 0x11F3F, 0x1612A, 0x1612C, 0x1E6E3, 0x1E6F5,
];

/// Pictures that a joiner may make one: emoji, and the older signs that became emoji.
#[rustfmt::skip]
const PICTURES: [u32; 92] = [
    0x00A9, 0x00A9, 0x00AE, 0x00AE, 0x203C, 0x203C, 0x2049, 0x2049, 0x2122, 0x2122,
    0x2139, 0x2139, 0x2194, 0x2199, 0x21A9, 0x21AA, 0x231A, 0x231B, 0x2328, 0x2328,
    0x23CF, 0x23CF, 0x23E9, 0x23F3, 0x23F8, 0x23FA, 0x24C2, 0x24C2, 0x25AA, 0x25AB,
    0x25B6, 0x25B6, 0x25C0, 0x25C0, 0x25FB, 0x25FE, 0x2600, 0x2604, 0x260E, 0x260E,
    0x2611, 0x2611, 0x2614, 0x2615, 0x2618, 0x2618, 0x261D, 0x261D, 0x2620, 0x2620,
    0x2622, 0x2623, 0x2626, 0x2626, 0x262A, 0x262A, 0x262E, 0x262F, 0x2638, 0x263A,
    0x2640, 0x2640, 0x2642, 0x2642, 0x2648, 0x2653, 0x265F, 0x2660, 0x2663, 0x2663,
    0x2665, 0x2666, 0x2668, 0x2668, 0x267B, 0x267B, 0x267E, 0x267F, 0x2692, 0x2697,
    0x2699, 0x2699, 0x269B, 0x269C, 0x26A0, 0x26A1, 0x26A7, 0x26A7, 0x26AA, 0x26AB,
    0x26B0, 0x2BFF,
];

/// Joins two emoji into one.
pub(crate) const JOINER: char = '\u{200D}';

/// No character below this is a mark: the quick way out for nearly all labels.
pub(crate) const FIRST_MARK: char = '\u{300}';

/// Whether `c` takes no room: a combining mark, a control or an invisible character.
pub(crate) fn is_zero(c: char) -> bool {
    c < ' ' || c == '\u{7F}' || holds(&ZERO, c) || holds(&LATER_ZERO, c)
}

/// Whether `c` fills an em: East Asian wide characters and emoji.
pub(crate) fn is_wide(c: char) -> bool {
    holds(&WIDE, c)
}

/// Whether `c` is drawn as part of the character before it.
pub(crate) fn is_mark(c: char) -> bool {
    c >= FIRST_MARK && (is_zero(c) || is_spacing_mark(c))
}

/// Whether `c` is drawn as part of the character before it, and takes room.
pub(crate) fn is_spacing_mark(c: char) -> bool {
    holds(&SPACING_MARK, c) || holds(&LATER_SPACING, c)
}

/// Whether `c` is a picture, which a joiner may make one with the next.
pub(crate) fn is_picture(c: char) -> bool {
    ('\u{1F000}'..='\u{1FAFF}').contains(&c) && !is_flag_half(c) || holds(&PICTURES, c)
}

/// Whether `c` is one half of a flag.
pub(crate) fn is_flag_half(c: char) -> bool {
    ('\u{1F1E6}'..='\u{1F1FF}').contains(&c)
}

/// Whether `c` is a space at which a line may end; the non-breaking ones are not.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{202F}' | '\u{2007}')
}

/// Whether a line may not begin with `c`: closing punctuation of East Asian scripts.
pub(crate) fn never_begins(c: char) -> bool {
    "、。,．・：；？！」』）］｝〉》】〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
        .contains(c)
}

/// Whether a line may not end with `c`: opening punctuation of East Asian scripts.
pub(crate) fn never_ends(c: char) -> bool {
    "「『（［｛〈《【〔".contains(c)
}

/// Whether one of the sorted ranges `first, last, first, last, …` holds `c`.
fn holds(ranges: &[u32], c: char) -> bool {
    let c = u32::from(c);
    if c < ranges[0] {
        return false;
    }
    let (pairs, _) = ranges.as_chunks::<2>();
    let at = pairs.partition_point(|&[first, _]| first <= c);
    at > 0 && c <= pairs[at - 1][1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_sorted_and_apart() {
        for table in
            [&ZERO[..], &WIDE, &SPACING_MARK, &LATER_ZERO, &LATER_SPACING, &PICTURES]
        {
            assert!(table.len().is_multiple_of(2));
            let (pairs, _) = table.as_chunks::<2>();
            assert!(pairs.iter().all(|[first, last]| first <= last));
            assert!(pairs.windows(2).all(|two| two[0][1] < two[1][0]));
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        assert!(is_zero('\u{301}') && is_zero('\n') && is_zero('\u{200B}'));
        assert!(is_zero('\u{FE0F}') && is_zero(JOINER) && is_zero('\u{AD}'));
        assert!(!is_zero('a') && !is_zero('漢') && !is_zero('é'));
        assert!(is_wide('漢') && is_wide('한') && is_wide('🚀') && is_wide('\u{2F800}'));
        assert!(!is_wide('ع') && !is_wide('א') && !is_wide('Ж'));
        assert!(is_mark('\u{1F3FD}') && is_mark('\u{93F}') && !is_mark('क'));
    }
}
