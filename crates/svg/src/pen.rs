//! Primitives as SVG elements.
//!
//! Every colour is written twice where the theme follows the reader: as an attribute in
//! light, and as a class that the style sheet repaints.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{
    Anchor, FontFace, Item, Paint, Palette, PathCommand, Point, Primitive, Rgb, Stroke,
    Swatch,
};

use crate::fonts;
use crate::options::{Options, ThemeChoice};
use crate::text::{DIGEST, escape, identifier, number, shown, slug};

/// Writes items.
#[derive(Debug)]
pub(crate) struct Pen<'a> {
    palette: &'a Palette,
    options: &'a Options,
    /// Swatches that fill something.
    pub fills: BTreeSet<u16>,
    /// Swatches in which a line is drawn.
    pub strokes: BTreeSet<u16>,
    /// Ids that are taken, and how often they were wanted.
    ids: BTreeMap<String, usize>,
}

/// What a colour is used for.
#[derive(Debug, Clone, Copy)]
enum Use {
    Fill,
    Stroke,
}

impl<'a> Pen<'a> {
    pub fn new(palette: &'a Palette, options: &'a Options) -> Pen<'a> {
        Pen {
            palette,
            options,
            fills: BTreeSet::new(),
            strokes: BTreeSet::new(),
            ids: BTreeMap::new(),
        }
    }

    /// The classes by which a site's own style sheet finds an item.
    pub fn classes(item: &Item) -> String {
        let words: Vec<String> = item
            .class
            .split_whitespace()
            .map(|word| format!("tm-{}", slug(word)))
            .collect();
        words.join(" ")
    }

    /// The attributes that say what an item is: to style sheets, and to whoever cannot see it.
    pub fn meaning(item: &Item) -> String {
        let mut out = String::new();
        if let Some(id) = &item.id {
            out.push_str(" data-id=\"");
            escape(&mut out, id);
            out.push('"');
        }
        if item.name.is_some() {
            let role = if kind(item) == "group" { "object" } else { "symbol" };
            out.push_str(&format!(" role=\"graphics-{role}\""));
        }
        out
    }

    /// An item's name, which is its tooltip, too.
    pub fn title(item: &Item) -> String {
        let mut out = String::new();
        if let Some(name) = &item.name {
            out.push_str("<title>");
            escape(&mut out, name);
            out.push_str("</title>");
        }
        out
    }

    /// The id of what the topology itself names: `node-broker-1`. A second one of the same
    /// name in the same file gets a number.
    fn id(&mut self, item: &Item) -> String {
        let (kind, Some(id)) = (kind(item), &item.id) else { return String::new() };
        if !matches!(kind, "node" | "group" | "edge") {
            return String::new();
        }
        let name = format!("{kind}-{}", identifier(id));
        let count = self.ids.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 => format!(" id=\"{name}\""),
            count => format!(" id=\"{name}.{count}\""),
        }
    }

    /// What an item shows.
    pub fn content(&mut self, item: &Item) -> String {
        let mut out = String::new();
        for primitive in &item.primitives {
            self.primitive(&mut out, primitive);
        }
        out
    }

    /// A whole item, with further attributes of its element.
    pub fn item(&mut self, item: &Item, attributes: &str) -> String {
        let id = self.id(item);
        let (classes, meaning) = (Pen::classes(item), Pen::meaning(item));
        let (title, content) = (Pen::title(item), self.content(item));
        format!("<g{id} class=\"{classes}\"{meaning}{attributes}>{title}{content}</g>")
    }

    fn swatch(&self, paint: Paint) -> Option<&Swatch> {
        self.palette.swatches.get(usize::from(paint.swatch))
    }

    /// The colour as an attribute shows it.
    pub fn color(&self, paint: Paint) -> String {
        let black = Rgb(0, 0, 0);
        let rgb = match (self.swatch(paint), self.options.theme) {
            (None, _) => black,
            (Some(swatch), ThemeChoice::Dark) => swatch.dark,
            (Some(swatch), ThemeChoice::Auto | ThemeChoice::Light) => swatch.light,
        };
        hex(rgb)
    }

    fn paint(
        &mut self,
        out: &mut String,
        classes: &mut Vec<String>,
        paint: Paint,
        to: Use,
    ) {
        let (name, letter) = match to {
            Use::Fill => ("fill", 'f'),
            Use::Stroke => ("stroke", 's'),
        };
        out.push_str(&format!(" {name}=\"{}\"", self.color(paint)));
        if paint.opacity < 1.0 {
            let opacity = shown(f64::from(paint.opacity.max(0.0)));
            out.push_str(&format!(" {name}-opacity=\"{opacity}\""));
        }
        if self.options.theme == ThemeChoice::Auto {
            classes.push(format!("{letter}{}-{DIGEST}", paint.swatch));
            match to {
                Use::Fill => self.fills.insert(paint.swatch),
                Use::Stroke => self.strokes.insert(paint.swatch),
            };
        }
    }

    /// The attributes of a shape's colours.
    fn look(&mut self, out: &mut String, fill: Option<Paint>, stroke: Option<&Stroke>) {
        let mut classes = Vec::new();
        if let Some(fill) = fill {
            self.paint(out, &mut classes, fill, Use::Fill);
        }
        if let Some(stroke) = stroke {
            self.paint(out, &mut classes, stroke.paint, Use::Stroke);
            if (stroke.width - 1.0).abs() > 1e-9 {
                out.push_str(&format!(" stroke-width=\"{}\"", shown(stroke.width)));
            }
            if !stroke.dash.is_empty() {
                let dash: Vec<String> =
                    stroke.dash.iter().map(|&gap| shown(gap)).collect();
                out.push_str(&format!(" stroke-dasharray=\"{}\"", dash.join(" ")));
            }
        }
        if !classes.is_empty() {
            out.push_str(&format!(" class=\"{}\"", classes.join(" ")));
        }
    }

    fn primitive(&mut self, out: &mut String, primitive: &Primitive) {
        match primitive {
            Primitive::Rect { rect, radius, fill, stroke } => {
                out.push_str("<rect");
                let radius = radius.min(rect.width / 2.0).min(rect.height / 2.0).max(0.0);
                let size =
                    [("width", rect.width.max(0.0)), ("height", rect.height.max(0.0))];
                attributes(out, &[("x", rect.x), ("y", rect.y)]);
                attributes(out, &size);
                if radius > 0.0 {
                    attributes(out, &[("rx", radius)]);
                }
                self.look(out, *fill, stroke.as_ref());
                out.push_str("/>");
            }
            Primitive::Circle { center, radius, fill, stroke } => {
                out.push_str("<circle");
                attributes(
                    out,
                    &[("cx", center.x), ("cy", center.y), ("r", radius.max(0.0))],
                );
                self.look(out, *fill, stroke.as_ref());
                out.push_str("/>");
            }
            Primitive::Path { commands, fill, stroke } => {
                out.push_str("<path d=\"");
                path(out, commands);
                out.push('"');
                self.look(out, *fill, stroke.as_ref());
                out.push_str("/>");
            }
            Primitive::Text { .. } => self.text(out, primitive),
        }
    }

    fn text(&mut self, out: &mut String, primitive: &Primitive) {
        let Primitive::Text { at, anchor, text, face, size, width, paint } = primitive
        else {
            return;
        };
        out.push_str("<text");
        attributes(out, &[("x", at.x), ("y", at.y), ("font-size", *size)]);
        match anchor {
            Anchor::Start => {}
            Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
            Anchor::End => out.push_str(" text-anchor=\"end\""),
        }
        match face {
            FontFace::Regular => {}
            FontFace::SemiBold => out.push_str(" font-weight=\"600\""),
            FontFace::Mono => {
                let family = fonts::family(self.options, FontFace::Mono);
                out.push_str(&format!(" font-family=\"{family}\""));
            }
        }
        // Without the font that was measured the text must still keep to its place.
        let font = self.options.fonts.iter().find(|font| font.face == *face);
        let is_measured =
            font.is_some_and(|font| !text.chars().any(|c| font.lacks.contains(&c)));
        if !is_measured && *width > 0.0 {
            attributes(out, &[("textLength", *width)]);
            out.push_str(" lengthAdjust=\"spacingAndGlyphs\"");
        }
        self.look(out, Some(*paint), None);
        out.push('>');
        escape(out, text);
        out.push_str("</text>");
    }
}

/// The first word of an item's class: what it is.
fn kind(item: &Item) -> &str {
    item.class.split_whitespace().next().unwrap_or_default()
}

/// `#rrggbb`, or `#rgb` where that says the same.
pub(crate) fn hex(Rgb(r, g, b): Rgb) -> String {
    let is_short = [r, g, b].iter().all(|channel| channel >> 4 == channel & 15);
    if is_short {
        return format!("#{:x}{:x}{:x}", r & 15, g & 15, b & 15);
    }
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn attributes(out: &mut String, pairs: &[(&str, f64)]) {
    for (name, value) in pairs {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        number(out, *value);
        out.push('"');
    }
}

/// A path's `d`.
pub(crate) fn path(out: &mut String, commands: &[PathCommand]) {
    let mut pen = Point::default();
    let mut first = pen;
    for command in commands {
        match *command {
            PathCommand::Move(to) => {
                step(out, 'M', &[to]);
                (pen, first) = (to, to);
            }
            PathCommand::Line(to) => {
                line_to(out, pen, to);
                pen = to;
            }
            PathCommand::Quad(a, to) => {
                step(out, 'Q', &[a, to]);
                pen = to;
            }
            PathCommand::Cubic(a, b, to) => {
                step(out, 'C', &[a, b, to]);
                pen = to;
            }
            PathCommand::Close => {
                out.push('Z');
                pen = first;
            }
        }
    }
}

/// An open line through points, as a path's `d`.
pub(crate) fn way(points: &[Point]) -> String {
    let mut out = String::new();
    let mut pen = None;
    for &point in points {
        match pen {
            None => step(&mut out, 'M', &[point]),
            Some(pen) => line_to(&mut out, pen, point),
        }
        pen = Some(point);
    }
    out
}

fn line_to(out: &mut String, from: Point, to: Point) {
    let same = |a: f64, b: f64| shown(a) == shown(b);
    if same(from.y, to.y) && !same(from.x, to.x) {
        out.push('H');
        number(out, to.x);
    } else if same(from.x, to.x) && !same(from.y, to.y) {
        out.push('V');
        number(out, to.y);
    } else {
        step(out, 'L', &[to]);
    }
}

fn step(out: &mut String, letter: char, points: &[Point]) {
    out.push(letter);
    for (index, point) in points.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        number(out, point.x);
        out.push(' ');
        number(out, point.y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_are_written_short() {
        let points = [Point::new(0.0, 0.0), Point::new(10.0, 0.0), Point::new(10.0, 5.5)];
        assert_eq!(way(&points), "M0 0H10V5.5");
    }

    #[test]
    fn a_way_that_stands_still_is_still_a_way() {
        assert_eq!(way(&[Point::new(1.0, 2.0), Point::new(1.0, 2.0)]), "M1 2L1 2");
    }

    #[test]
    fn colours_are_as_short_as_they_can_be() {
        assert_eq!(hex(Rgb(255, 255, 255)), "#fff");
        assert_eq!(hex(Rgb(0x1b, 0x24, 0x31)), "#1b2431");
    }
}
