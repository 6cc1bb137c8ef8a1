//! `@{ shape: cyl, label: "Orders" }`: what newer Mermaid says about a node, an edge or a
//! participant, in braces like a small YAML mapping.

use topomotion_model::Diagnostic;

use super::scan::{Piece, Scanner};

/// One `key: value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'t> {
    pub key: Piece<'t>,
    pub value: Piece<'t>,
}

/// Reads from behind `@{` to behind `}`.
pub(super) fn read<'t>(
    scanner: &mut Scanner<'t>,
) -> Result<Vec<Attribute<'t>>, Box<Diagnostic>> {
    let start = scanner.at;
    let mut attributes = Vec::new();
    loop {
        scanner.take_while(|c| c.is_whitespace() || c == ',');
        if scanner.eat("}") {
            return Ok(attributes);
        }
        if scanner.is_done() {
            return Err(Box::new(
                Diagnostic::error(
                    "open-attributes",
                    "the braces are never closed",
                    Some(scanner.stretch(start - 1, start)),
                )
                .at("opened here")
                .help("close them with `}`: `A@{ shape: cyl, label: \"Orders\" }`"),
            ));
        }
        let key = quoted_or(scanner, |c| !matches!(c, ':' | ',' | '}' | '\n'));
        scanner.skip_blanks();
        if key.text.is_empty() || !scanner.eat(":") {
            let span = scanner.span_of(key);
            let place = if key.text.is_empty() { scanner.here() } else { span };
            return Err(Box::new(
                Diagnostic::error(
                    "bad-attribute",
                    "a value is missing here",
                    Some(place),
                )
                .at("needs `: value`")
                .help("write `key: value`, parted by commas"),
            ));
        }
        scanner.skip_blanks();
        let value = quoted_or(scanner, |c| !matches!(c, ',' | '}' | '\n'));
        attributes.push(Attribute { key, value });
    }
}

/// A text in quotes (given without them), or else what `wanted` takes.
fn quoted_or<'t>(scanner: &mut Scanner<'t>, wanted: impl Fn(char) -> bool) -> Piece<'t> {
    for quote in ["\"", "'"] {
        let start = scanner.at + 1;
        if scanner.starts_with(quote)
            && let Some(length) = scanner.text[start..].find(quote)
        {
            scanner.at = start + length + 1;
            return Piece { text: &scanner.text[start..start + length], at: start };
        }
    }
    let at = scanner.at;
    Piece { text: scanner.take_while(wanted), at }.trimmed()
}

#[cfg(test)]
mod tests {
    use topomotion_model::FileId;

    use super::*;

    fn pairs(text: &str) -> Result<Vec<(&str, &str)>, String> {
        let mut scanner = Scanner::new(text, 0, FileId(0));
        assert!(scanner.eat("@{"), "{text}");
        let read = read(&mut scanner).map_err(|error| error.message)?;
        Ok(read.iter().map(|one| (one.key.text, one.value.text)).collect())
    }

    #[test]
    fn pairs_are_parted_by_commas_or_lines() {
        let read = pairs("@{ shape: cyl, label: \"a, }b\"\n \"type\" : 'x'\n}").unwrap();
        assert_eq!(read, [("shape", "cyl"), ("label", "a, }b"), ("type", "x")]);
        assert_eq!(pairs("@{}").unwrap(), []);
    }

    #[test]
    fn what_is_not_closed_or_has_no_value_is_refused() {
        assert_eq!(pairs("@{ shape: cyl").unwrap_err(), "the braces are never closed");
        assert_eq!(pairs("@{ shape }").unwrap_err(), "a value is missing here");
        assert_eq!(pairs("@{ : x }").unwrap_err(), "a value is missing here");
    }
}
