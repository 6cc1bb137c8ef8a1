//! What holds for any text: nothing is lost, nothing sticks out, nothing panics.

use std::collections::BTreeSet;

use proptest::prelude::*;
use topomotion_text::{Face, PathCommand, ellipsize, outline, subset, width, wrap};
use unicode_segmentation::UnicodeSegmentation;

fn face() -> impl Strategy<Value = Face> {
    prop_oneof![Just(Face::Regular), Just(Face::SemiBold), Just(Face::Mono)]
}

/// Labels as people write them: words, identifiers, line breaks.
fn label() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9]{1,12}[ \n_./:,-]{0,2}){0,8}"
}

/// Anything: other scripts, marks, joiners, flags, controls.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        4 => prop::char::range(' ', '~'),
        1 => prop::char::range('\u{300}', '\u{36F}'),
        1 => prop::char::range('\u{1F1E6}', '\u{1F1FF}'),
        1 => prop::char::range('\u{1F3F0}', '\u{1F4FF}'),
        1 => prop::char::range('一', '三'),
        1 => prop::sample::select(vec!['\u{200D}', '\u{FE0F}', ' ', '\n', '…', '。', '「']),
    ];
    prop_oneof![
        label(),
        prop::collection::vec(character, 0..40).prop_map(String::from_iter)
    ]
}

fn visible(text: &str) -> String {
    // The non-breaking spaces are kept like letters.
    let space = |c: char| c.is_whitespace() && !"\u{A0}\u{202F}\u{2007}".contains(c);
    text.chars().filter(|&c| !space(c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn wrapping_loses_nothing_unless_it_says_so(
        face in face(), text in text(), room in 0.0..200.0, lines in 0_usize..6,
    ) {
        let wrapped = wrap(face, 12.0, &text, room, lines);
        prop_assert!(wrapped.lines.len() <= lines);
        if wrapped.shortened {
            prop_assert!(wrapped.lines.last().is_none_or(|line| line.ends_with('…')));
        } else {
            prop_assert_eq!(visible(&wrapped.lines.concat()), visible(&text));
        }
    }

    #[test]
    fn no_line_is_too_wide_unless_one_sign_is(
        face in face(), text in text(), room in 0.0..200.0, lines in 1_usize..6,
    ) {
        let wrapped = wrap(face, 12.0, &text, room, lines);
        for line in &wrapped.lines {
            let one_sign = wrap(face, 12.0, line, 0.0, usize::MAX).lines.len() == 1;
            prop_assert!(width(face, 12.0, line) <= room || one_sign, "{line:?}");
        }
        let widest = wrapped.lines.iter().map(|line| width(face, 12.0, line));
        prop_assert_eq!(wrapped.width, widest.fold(0.0, f64::max));
    }

    #[test]
    fn no_sign_is_cut_in_two(face in face(), text in text(), room in 0.0..60.0) {
        prop_assume!(!text.chars().any(leans));
        // White space is rewritten, so that lines are compared with what they came from
        // without it.
        let whole: Vec<String> = text
            .split(char::is_whitespace)
            .flat_map(|word| word.graphemes(true))
            .map(str::to_owned)
            .collect();
        let wrapped = wrap(face, 12.0, &text, room, usize::MAX);
        let signs = wrapped.lines.iter().flat_map(|line| line.split(char::is_whitespace));
        let signs: Vec<String> =
            signs.flat_map(|word| word.graphemes(true)).map(str::to_owned).collect();
        prop_assert_eq!(signs, whole);
    }

    #[test]
    fn a_wrapped_text_wraps_to_itself(face in face(), text in text(), room in 0.0..200.0) {
        let once = wrap(face, 12.0, &text, room, usize::MAX);
        let twice = wrap(face, 12.0, &once.lines.join("\n"), room, usize::MAX);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn more_room_never_takes_more_lines_of_plain_words(
        face in face(), text in "([a-z]{1,9} ){0,9}", room in 60.0..200.0, more in 0.0..50.0,
    ) {
        let narrow = wrap(face, 12.0, &text, room, usize::MAX);
        let wide = wrap(face, 12.0, &text, room + more, usize::MAX);
        prop_assert!(wide.lines.len() <= narrow.lines.len());
    }

    #[test]
    fn a_longer_text_is_never_narrower(face in face(), text in label(), more in label()) {
        let longer = format!("{text}{more}");
        prop_assert!(width(face, 12.0, &text) <= width(face, 12.0, &longer));
    }

    #[test]
    fn a_width_grows_with_its_size(face in face(), text in text(), size in 1.0..50.0) {
        let (one, two) = (width(face, size, &text), width(face, 2.0 * size, &text));
        prop_assert!(one >= 0.0 && (two - 2.0 * one).abs() <= 1e-9 * two);
    }

    #[test]
    fn an_ellipsis_ends_a_beginning_of_the_text(
        face in face(), text in text(), room in 0.0..100.0,
    ) {
        let short = ellipsize(face, 12.0, &text, room);
        prop_assert!(width(face, 12.0, &short) <= room || short == "…" || short.is_empty());
        let kept = short.strip_suffix('…').unwrap_or(&short);
        prop_assert!(visible(&text).starts_with(&visible(kept)));
    }

    #[test]
    fn any_text_can_be_drawn_and_embedded(face in face(), text in text()) {
        for command in outline(face, 12.0, &text) {
            if let PathCommand::Move { x, y } | PathCommand::Line { x, y } = command {
                prop_assert!(x.is_finite() && y.is_finite());
            }
        }
        let characters: BTreeSet<char> = text.chars().collect();
        prop_assert!(skrifa::FontRef::new(&subset(face, &characters)).is_ok());
    }
}

/// Whether a character leans on the one after it, as a few signs of old scripts do: these are
/// the clusters that we do not know.
fn leans(c: char) -> bool {
    !c.is_control() && format!("{c}a").graphemes(true).count() == 1
}

#[test]
fn every_mark_stays_with_its_letter() {
    let visible =
        ('\u{80}'..=char::MAX).filter(|c| !c.is_whitespace() && !c.is_control());
    for mark in visible {
        let marked = format!("a{mark}");
        if marked.graphemes(true).count() == 1 {
            let wrapped = wrap(Face::Regular, 12.0, &marked, 0.0, usize::MAX);
            assert_eq!(wrapped.lines, [marked], "U+{:04X}", u32::from(mark));
        }
    }
}
