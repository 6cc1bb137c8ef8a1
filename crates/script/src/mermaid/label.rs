//! From a label as Mermaid writes it to plain text: markup out, entities in.
//!
//! Line breaks stay, emphasis goes: a label has one weight here. A tag that is no formatting
//! is text, such as the one in `List<Order>`.

/// Formatting that has no meaning in a plain label.
const TAGS: &[&str] = &[
    "b", "i", "u", "s", "em", "strong", "small", "big", "code", "pre", "span", "div",
    "p", "sub", "sup", "center", "font", "del", "mark", "ul", "ol", "li", "a", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "tt", "kbd",
];

/// Entities by name.
const ENTITIES: &[(&str, &str)] = &[
    ("quot", "\""),
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("num", "#"),
    ("semi", ";"),
    ("colon", ":"),
    ("comma", ","),
    ("period", "."),
    ("excl", "!"),
    ("quest", "?"),
    ("percnt", "%"),
    ("dollar", "$"),
    ("plus", "+"),
    ("equals", "="),
    ("ast", "*"),
    ("sol", "/"),
    ("bsol", "\\"),
    ("commat", "@"),
    ("lowbar", "_"),
    ("hyphen", "-"),
    ("vert", "|"),
    ("lpar", "("),
    ("rpar", ")"),
    ("lsqb", "["),
    ("rsqb", "]"),
    ("lbrack", "["),
    ("rbrack", "]"),
    ("lcub", "{"),
    ("rcub", "}"),
    ("lbrace", "{"),
    ("rbrace", "}"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("bull", "•"),
    ("middot", "·"),
    ("deg", "°"),
    ("times", "×"),
    ("divide", "÷"),
    ("plusmn", "±"),
    ("micro", "µ"),
    ("para", "¶"),
    ("sect", "§"),
    ("euro", "€"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("larr", "←"),
    ("uarr", "↑"),
    ("rarr", "→"),
    ("darr", "↓"),
    ("harr", "↔"),
    ("infin", "∞"),
    ("ne", "≠"),
    ("le", "≤"),
    ("ge", "≥"),
    ("check", "✓"),
    ("hearts", "♥"),
    ("lambda", "λ"),
    ("Delta", "Δ"),
    ("Sigma", "Σ"),
];

/// The label as plain text; lines are parted by `\n`.
pub(super) fn plain(written: &str) -> String {
    let written = written.trim();
    let unquoted = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let written = unquoted.unwrap_or(written).trim();
    let markdown = written.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    let unmarked = match markdown {
        Some(markdown) => without_emphasis(markdown),
        None => written.to_owned(),
    };
    tidy(&entities(&without_tags(&unmarked)))
}

/// Blanks within a line become one; so do lines that say nothing at either end.
fn tidy(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ").chars().filter(|c| !c.is_control()).collect::<String>()
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Markdown without its asterisks and underscores; a lone one stays.
fn without_emphasis(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let marks: Vec<char> = text.chars().collect();
    let is_inside = |at: Option<usize>| {
        let c = at.and_then(|at| marks.get(at));
        c.is_some_and(|c| !c.is_whitespace())
    };
    for (at, &c) in marks.iter().enumerate() {
        let touches = is_inside(at.checked_sub(1)) || is_inside(Some(at + 1));
        let letters = |at: Option<usize>| {
            at.and_then(|at| marks.get(at)).is_some_and(|c| c.is_alphanumeric())
        };
        // snake_case keeps its underscore.
        let joins = c == '_' && letters(at.checked_sub(1)) && letters(Some(at + 1));
        if !matches!(c, '*' | '_') || !touches || joins {
            plain.push(c);
        }
    }
    plain
}

fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tagged) = rest.split_at(open);
        plain.push_str(before);
        match tag(tagged) {
            Some((name, length)) => {
                if name.eq_ignore_ascii_case("br") {
                    plain.push('\n');
                }
                rest = &tagged[length..];
            }
            None => {
                plain.push('<');
                rest = &tagged[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.replace("\\n", "\n")
}

/// The formatting tag at the start of a text: its name and its length.
fn tag(text: &str) -> Option<(&str, usize)> {
    // Whoever writes a longer tag than this writes text.
    let window = &text[..text.floor_char_boundary(300)];
    let end = window.find('>')?;
    let inner = window.get(1..end)?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let length = inner.find(|c: char| !c.is_ascii_alphanumeric());
    let name = &inner[..length.unwrap_or(inner.len())];
    let known = TAGS.iter().chain(&["br"]).any(|tag| tag.eq_ignore_ascii_case(name));
    known.then_some((name, end + 1))
}

fn entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['#', '&']) {
        plain.push_str(&rest[..start]);
        let tail = &rest[start + 1..];
        let name = tail.strip_prefix('#').unwrap_or(tail);
        let end = name.bytes().take(10).position(|b| b == b';');
        let found = end.and_then(|end| Some((entity(name.get(..end)?)?, end)));
        match found {
            Some((character, end)) => {
                plain.push_str(&character);
                rest = &name[end + 1..];
            }
            None => {
                plain.push_str(&rest[start..=start]);
                rest = tail;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Whether `#name;` is an entity.
pub(super) fn is_entity(name: &str) -> bool {
    entity(name).is_some()
}

fn entity(name: &str) -> Option<String> {
    let number = match name.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => name.parse().ok(),
    };
    if let Some(number) = number {
        return char::from_u32(number).filter(|c| !c.is_control()).map(String::from);
    }
    let known = ENTITIES.iter().find(|(known, _)| *known == name);
    known.map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_markdown_breaks_and_entities_become_plain_text() {
        for (written, expected) in [
            ("plain", "plain"),
            ("\"quoted (text)\"", "quoted (text)"),
            ("\"`**Bold** and _slanted_ snake_case`\"", "Bold and slanted snake_case"),
            ("\"`one\n  two * three`\"", "one\ntwo * three"),
            ("a<br>b<br/>c<BR />d", "a\nb\nc\nd"),
            ("a\\nb", "a\nb"),
            ("<b>Bold</b> List<Order> a < b", "Bold List<Order> a < b"),
            ("#quot;x#quot; #35;1 &amp; #9829; &#x41;", "\"x\" #1 & ♥ A"),
            ("issue #12 is &open; now", "issue #12 is &open; now"),
            ("  many   blanks ", "many blanks"),
            ("", ""),
        ] {
            assert_eq!(plain(written), expected, "{written}");
        }
    }

    #[test]
    fn control_characters_do_not_come_through() {
        assert_eq!(plain("a\u{1b}[2Jb #27;"), "a[2Jb #27;");
    }
}
