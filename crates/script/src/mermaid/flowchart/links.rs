//! Links as they are written between two nodes: `-->`, `-. text .->`, `== text ==>`, `x--x`.

use topomotion_model::Diagnostic;

use super::chart::{Line, Stroke, Tip};
use crate::mermaid::label::plain;
use crate::mermaid::scan::{Piece, Scanner};

/// Reads a link, if one stands here. A longer one means the same as a short one.
pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Option<Stroke>, Box<Diagnostic>> {
    let start = scanner.at;
    let id = link_id(scanner);
    let from = tail(scanner);
    let found = match drawn(scanner) {
        Some((line, Some(to))) => Some((line, to, None)),
        Some((line, None)) => {
            let (text, to) = text_and_end(scanner, line, start)?;
            Some((line, to, Some(text)))
        }
        None => None,
    };
    let Some((line, to, text)) = found else {
        scanner.at = start;
        return Ok(None);
    };
    let mut stroke = Stroke {
        line,
        from,
        to,
        label: text.map(|text| (plain(text.text), scanner.span_of(text))),
        id: id.map(str::to_owned),
        span: Some(scanner.stretch(start, scanner.at)),
    };
    let behind = scanner.at;
    scanner.skip_space();
    if scanner.starts_with("|") {
        let label = between_bars(scanner)?;
        stroke.label = Some((plain(label.text), scanner.span_of(label)));
        stroke.span = Some(scanner.stretch(start, scanner.at));
    } else {
        scanner.at = behind;
    }
    stroke.label = stroke.label.filter(|(text, _)| !text.is_empty());
    Ok(Some(stroke))
}

/// `e1@` in front of a link.
fn link_id<'t>(scanner: &mut Scanner<'t>) -> Option<&'t str> {
    let word = scanner.word();
    let behind = &scanner.rest()[word.len()..];
    let is_id = !word.is_empty() && behind.starts_with('@') && !behind.starts_with("@{");
    is_id.then(|| {
        scanner.at += word.len() + 1;
        word
    })
}

/// The tip at the near end, if a line follows it.
fn tail(scanner: &mut Scanner<'_>) -> Tip {
    let (tip, behind) = match scanner.rest().as_bytes() {
        [b'<', behind @ ..] => (Tip::Arrow, behind),
        [b'x', behind @ ..] => (Tip::Cross, behind),
        [b'o', behind @ ..] => (Tip::Circle, behind),
        _ => return Tip::Bare,
    };
    let is_line = [&b"--"[..], b"==", b"-."].iter().any(|line| behind.starts_with(line));
    if !is_line {
        return Tip::Bare;
    }
    scanner.at += 1;
    tip
}

/// A line, and the tip at its far end; `None` where a text interrupts it.
fn drawn(scanner: &mut Scanner<'_>) -> Option<(Line, Option<Tip>)> {
    let rest = scanner.rest();
    if rest.starts_with("~~~") {
        scanner.take_while(|c| c == '~');
        return Some((Line::Invisible, Some(Tip::Bare)));
    }
    let (line, length, tip) = if rest.starts_with("--") {
        let dashes = rest.len() - rest.trim_start_matches('-').len();
        (Line::Solid, dashes, tip(&rest[dashes..], dashes > 2))
    } else if rest.starts_with("==") {
        let dashes = rest.len() - rest.trim_start_matches('=').len();
        (Line::Thick, dashes, tip(&rest[dashes..], dashes > 2))
    } else if rest.starts_with("-.") {
        let dots = rest[1..].len() - rest[1..].trim_start_matches('.').len();
        let behind = &rest[1 + dots..];
        match behind.strip_prefix('-') {
            Some(behind) => (Line::Dotted, dots + 2, tip(behind, true)),
            None => (Line::Dotted, dots + 1, None),
        }
    } else {
        return None;
    };
    let head = match tip {
        Some(Tip::Bare) | None => 0,
        Some(_) => 1,
    };
    scanner.at += length + head;
    Some((line, tip))
}

/// The tip behind a line; a line without one must be long enough to be a link at all.
fn tip(behind: &str, is_long: bool) -> Option<Tip> {
    match behind.as_bytes().first() {
        Some(b'>') => Some(Tip::Arrow),
        Some(b'x') => Some(Tip::Cross),
        Some(b'o') => Some(Tip::Circle),
        _ => is_long.then_some(Tip::Bare),
    }
}

/// The text of `-- text -->`, and the tip at the link's end.
fn text_and_end<'t>(
    scanner: &mut Scanner<'t>,
    line: Line,
    start: usize,
) -> Result<(Piece<'t>, Tip), Box<Diagnostic>> {
    let opened = scanner.stretch(start, scanner.at);
    let at = scanner.at;
    let (sign, closing) = match line {
        Line::Solid | Line::Invisible => ("--", "-->"),
        Line::Thick => ("==", "==>"),
        Line::Dotted => (".-", ".->"),
    };
    let mut quoted_end = at;
    scanner.skip_blanks();
    if scanner.starts_with("\"")
        && let Some(length) = scanner.rest()[1..].find('"')
    {
        quoted_end = scanner.at + length + 2;
    }
    scanner.at = quoted_end;
    let window = scanner.window();
    let room = &window[..window.find('\n').unwrap_or(window.len())];
    let Some(end) = room.find(sign).map(|length| quoted_end + length) else {
        return Err(Box::new(
            Diagnostic::error("open-link", "the link has no end", Some(opened))
                .at("a text follows, and then nothing")
                .help(format!("end it in `{closing}` on the same line")),
        ));
    };
    // `-. text ..->` has more dots than one.
    let text = match line {
        Line::Dotted => scanner.text[at..end].trim_end_matches('.'),
        _ => &scanner.text[at..end],
    };
    let text = Piece { text, at }.trimmed();
    scanner.at = end;
    let to = match line {
        Line::Dotted => {
            scanner.at += sign.len();
            let to = tip(scanner.rest(), true);
            scanner.at += usize::from(to != Some(Tip::Bare));
            to
        }
        _ => drawn(scanner).and_then(|(_, tip)| tip),
    };
    match to {
        Some(to) => Ok((text, to)),
        // `-- text --` with nothing behind it.
        None => Ok((text, Tip::Bare)),
    }
}

/// `|text|`
fn between_bars<'t>(scanner: &mut Scanner<'t>) -> Result<Piece<'t>, Box<Diagnostic>> {
    let open = scanner.stretch(scanner.at, scanner.at + 1);
    scanner.at += 1;
    let at = scanner.at;
    let before = scanner.rest().len() - scanner.rest().trim_start().len();
    let quoted = scanner.rest()[before..].strip_prefix('"');
    let from = quoted.and_then(|text| text.find('"')).map_or(0, |end| before + end + 2);
    let room = &scanner.rest()[from..];
    let end = room.find(['|', '\n']).filter(|end| room[*end..].starts_with('|'));
    let Some(length) = end else {
        return Err(Box::new(
            Diagnostic::error("open-label", "the label is never closed", Some(open))
                .at("opened here")
                .help("close it with another `|`"),
        ));
    };
    scanner.at = at + from + length + 1;
    Ok(Piece { text: &scanner.text[at..at + from + length], at }.trimmed())
}

#[cfg(test)]
mod tests {
    use topomotion_model::FileId;

    use super::*;

    fn link(text: &str) -> (Stroke, &str) {
        let mut scanner = Scanner::new(text, 0, FileId(0));
        let stroke = read(&mut scanner).unwrap().unwrap_or_else(|| panic!("{text}"));
        (stroke, scanner.rest())
    }

    #[test]
    fn every_line_and_tip_is_told_apart() {
        use Line::{Dotted, Invisible, Solid, Thick};
        use Tip::{Arrow, Bare, Circle, Cross};
        for (text, line, from, to) in [
            ("-->", Solid, Bare, Arrow),
            ("---", Solid, Bare, Bare),
            ("----->", Solid, Bare, Arrow),
            ("-----", Solid, Bare, Bare),
            ("--o", Solid, Bare, Circle),
            ("--x", Solid, Bare, Cross),
            ("<-->", Solid, Arrow, Arrow),
            ("o--o", Solid, Circle, Circle),
            ("x---x", Solid, Cross, Cross),
            ("==>", Thick, Bare, Arrow),
            ("===", Thick, Bare, Bare),
            ("<==>", Thick, Arrow, Arrow),
            ("-.->", Dotted, Bare, Arrow),
            ("-.-", Dotted, Bare, Bare),
            ("-...->", Dotted, Bare, Arrow),
            ("<-.->", Dotted, Arrow, Arrow),
            ("~~~", Invisible, Bare, Bare),
            ("~~~~~", Invisible, Bare, Bare),
        ] {
            let (stroke, rest) = link(text);
            assert_eq!((stroke.line, stroke.from, stroke.to), (line, from, to), "{text}");
            assert_eq!(rest, "", "{text}");
        }
    }

    #[test]
    fn labels_stand_between_bars_or_inside_the_line() {
        for (text, label, to) in [
            ("-->|yes| B", "yes", Tip::Arrow),
            ("--> |\"a | b\"| B", "a | b", Tip::Arrow),
            ("-- yes, sir --> B", "yes, sir", Tip::Arrow),
            ("-- \"a --> b\" --> B", "a --> b", Tip::Arrow),
            ("-- open --- B", "open", Tip::Bare),
            ("== big ==> B", "big", Tip::Arrow),
            ("-. maybe .-> B", "maybe", Tip::Arrow),
            ("-. may.be ..- B", "may.be", Tip::Bare),
            ("e1@-- named --> B", "named", Tip::Arrow),
        ] {
            let (stroke, rest) = link(text);
            assert_eq!(
                stroke.label.map(|label| label.0).as_deref(),
                Some(label),
                "{text}"
            );
            assert_eq!((stroke.to, rest.trim()), (to, "B"), "{text}");
        }
        assert_eq!(link("e1@--> B").0.id.as_deref(), Some("e1"));
    }

    #[test]
    fn what_is_no_link_is_left_alone() {
        for text in ["", "B", "-", "- ->", "x", "o-", "<", "~~", "=", "e1@{ a: b }", "&"]
        {
            let mut scanner = Scanner::new(text, 0, FileId(0));
            assert_eq!(read(&mut scanner).unwrap(), None, "{text}");
            assert_eq!(scanner.at, 0, "{text}");
        }
        for text in ["-- never", "-->|never", "-. never", "== never = x"] {
            assert!(read(&mut Scanner::new(text, 0, FileId(0))).is_err(), "{text}");
        }
    }
}
