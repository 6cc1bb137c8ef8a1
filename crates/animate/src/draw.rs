//! Short ways to write primitives.

use topomotion_scene::{
    Anchor, FontFace, Paint, PathCommand, Point, Primitive, Rect, Stroke,
};
use topomotion_text::Face;

/// The measuring face of a font.
pub(crate) fn face(font: FontFace) -> Face {
    match font {
        FontFace::Regular => Face::Regular,
        FontFace::SemiBold => Face::SemiBold,
        FontFace::Mono => Face::Mono,
    }
}

/// Measured width of a line, px.
pub(crate) fn width(font: FontFace, size: f64, text: &str) -> f64 {
    topomotion_text::width(face(font), size, text)
}

/// A font, a size and a colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    pub face: FontFace,
    pub size: f64,
    pub paint: Paint,
}

impl Ink {
    pub fn new(face: FontFace, size: f64, paint: Paint) -> Ink {
        Ink { face, size, paint }
    }

    /// One line of text.
    pub fn line(self, text: &str, at: Point, anchor: Anchor) -> Primitive {
        Primitive::Text {
            at,
            anchor,
            text: text.to_owned(),
            face: self.face,
            size: self.size,
            width: self.width(text),
            paint: self.paint,
        }
    }

    /// Measured width of a line in this ink.
    pub fn width(self, text: &str) -> f64 {
        width(self.face, self.size, text)
    }
}

pub(crate) fn rect(
    rect: Rect,
    radius: f64,
    fill: Option<Paint>,
    stroke: Option<Stroke>,
) -> Primitive {
    Primitive::Rect { rect, radius, fill, stroke }
}

pub(crate) fn circle(
    center: Point,
    radius: f64,
    fill: Option<Paint>,
    stroke: Option<Stroke>,
) -> Primitive {
    Primitive::Circle { center, radius, fill, stroke }
}

/// An open line through `points`.
pub(crate) fn polyline(points: &[Point], stroke: Stroke) -> Primitive {
    Primitive::Path { commands: through(points), fill: None, stroke: Some(stroke) }
}

/// A closed shape with corners at `points`.
pub(crate) fn polygon(
    points: &[Point],
    fill: Option<Paint>,
    stroke: Option<Stroke>,
) -> Primitive {
    let mut commands = through(points);
    commands.push(PathCommand::Close);
    Primitive::Path { commands, fill, stroke }
}

fn through(points: &[Point]) -> Vec<PathCommand> {
    let step = |(index, &point): (usize, &Point)| match index {
        0 => PathCommand::Move(point),
        _ => PathCommand::Line(point),
    };
    points.iter().enumerate().map(step).collect()
}

/// A rectangle around `center`.
pub(crate) fn around(center: Point, width: f64, height: f64) -> Rect {
    Rect::new(center.x - width / 2.0, center.y - height / 2.0, width, height)
}
