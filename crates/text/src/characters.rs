//! What a character is, for those that no font of ours knows.
//!
//! A label in another script must still get a box of about the right size, and what
//! belongs to one visible sign must stay together. This is a rough cut of Unicode's
//! grapheme clusters, enough for labels: marks, joiner sequences, emoji modifiers, flags.

use crate::ranges::{SPACING_MARK, WIDE, ZERO};

/// Joins two emoji into one.
pub(crate) const JOINER: char = '\u{200D}';

/// No character below this is a mark: the quick way out for nearly all labels.
pub(crate) const FIRST_MARK: char = '\u{300}';

/// Whether `c` takes no room: a combining mark, a control or an invisible character.
pub(crate) fn is_zero(c: char) -> bool {
    c < ' ' || c == '\u{7F}' || holds(&ZERO, c)
}

/// Whether `c` fills an em: East Asian wide characters and emoji.
pub(crate) fn is_wide(c: char) -> bool {
    holds(&WIDE, c)
}

/// Whether `c` is drawn as part of the character before it.
pub(crate) fn is_mark(c: char) -> bool {
    c >= FIRST_MARK && (holds(&ZERO, c) || is_spacing_mark(c))
}

/// Whether `c` is drawn as part of the character before it, and takes room.
pub(crate) fn is_spacing_mark(c: char) -> bool {
    holds(&SPACING_MARK, c)
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
        for table in [&ZERO[..], &WIDE, &SPACING_MARK] {
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
