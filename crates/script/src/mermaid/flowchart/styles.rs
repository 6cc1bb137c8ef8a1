//! Styles: `classDef`, `style` and `linkStyle` to the colour and the dashes that things have.

use topomotion_model::Span;

use crate::mermaid::color::{self, Rgb, Written};
use crate::mermaid::scan::{Findings, Piece, Scanner};

/// What of a style can be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub fill: Option<Rgb>,
    pub stroke: Option<Rgb>,
    pub is_dashed: bool,
    pub is_thick: bool,
}

impl Style {
    /// Puts `over` on top.
    pub(super) fn lay(&mut self, over: &Style) {
        self.fill = over.fill.or(self.fill);
        self.stroke = over.stroke.or(self.stroke);
        self.is_dashed |= over.is_dashed;
        self.is_thick |= over.is_thick;
    }

    /// The colour of a box in this style.
    pub(super) fn color(&self) -> Option<String> {
        color::one(self.fill, self.stroke).map(Rgb::text)
    }
}

/// On what a style lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Nodes and subgraphs.
    Box,
    /// Links.
    Link,
}

/// A line from this width on is thick, px.
const THICK: f64 = 3.0;

/// Reads `fill:#f9f,stroke:#333`. What is left over is told in one warning.
pub(super) fn read(
    written: Piece<'_>,
    of: Of,
    scanner: &Scanner<'_>,
    findings: &mut Findings,
) -> Style {
    let mut style = Style::default();
    let mut lost: Vec<(&str, Span)> = Vec::new();
    for part in written.split_commas() {
        let (name, value) = part.text.split_once(':').unwrap_or((part.text, ""));
        let value = value.trim().trim_end_matches("!important").trim();
        let is_kept = match (name.trim(), of) {
            ("fill", Of::Box) => take(&mut style.fill, value),
            // A link has no inside.
            ("fill", Of::Link) => value == "none",
            ("stroke", _) => take(&mut style.stroke, value),
            ("stroke-dasharray", _) => {
                style.is_dashed = !matches!(value, "0" | "none");
                true
            }
            ("stroke-width", Of::Link) => {
                let number = value.trim_end_matches("px").trim();
                let width: Option<f64> = number.parse().ok();
                style.is_thick = width.is_some_and(|width| width >= THICK);
                width.is_some()
            }
            _ => false,
        };
        if !is_kept {
            lost.push((part.text, scanner.span_of(part)));
        }
    }
    if let (Some((_, first)), Some((_, last))) = (lost.first(), lost.last()) {
        let span = Span { end: last.end, ..*first };
        let names: Vec<String> =
            lost.iter().map(|(text, _)| format!("`{text}`")).collect();
        let what = format!("the style {}", names.join(", "));
        let why = match of {
            Of::Box => {
                "colours of fill and stroke and dashes are imported; ink follows the theme"
            }
            Of::Link => "the stroke's colour, width and dashes are imported",
        };
        findings.lost(&what, why, span);
    }
    style
}

/// Takes a colour; `false` if it is none.
fn take(place: &mut Option<Rgb>, value: &str) -> bool {
    match color::read(value) {
        Some(Written::Color(rgb)) => *place = Some(rgb),
        Some(Written::Nothing) => {}
        None => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use topomotion_model::FileId;

    use super::*;

    fn style(text: &str, of: Of) -> (Style, Vec<String>) {
        let scanner = Scanner::new(text, 0, FileId(0));
        let mut findings = Findings::default();
        let style = read(Piece { text, at: 0 }, of, &scanner, &mut findings);
        (style, findings.into_all().into_iter().map(|one| one.message).collect())
    }

    #[test]
    fn colours_and_dashes_are_kept_and_the_rest_is_told_at_once() {
        let (read, told) = style(
            "fill:#f9f, stroke-width:4px,stroke:#333,stroke-dasharray: 5 5,x",
            Of::Box,
        );
        assert_eq!(read.color().as_deref(), Some("#ff73ff"));
        assert!(read.is_dashed);
        assert_eq!(told, ["the style `stroke-width:4px`, `x` is not imported"]);
    }

    #[test]
    fn a_link_may_be_thick() {
        let (read, told) = style("stroke:red,stroke-width:4px,fill:none", Of::Link);
        assert!(read.is_thick && told.is_empty());
        assert!(!style("stroke-width:2px", Of::Link).0.is_thick);
    }
}
