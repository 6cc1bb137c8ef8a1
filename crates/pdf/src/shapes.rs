//! Shapes as the path operators that a page knows: lines and cubic curves.

use pdf_writer::Content;
use topomotion_scene::{PathCommand, Point, Rect};

/// How far a cubic's control points reach to draw a quarter of a circle, in radii.
const QUARTER: f64 = 0.552_284_749_8;

/// Appends a rectangle whose corners are rounded by at most half a side.
pub(crate) fn rounded(page: &mut Content, rect: &Rect, radius: f64) {
    let radius = radius.min(rect.width / 2.0).min(rect.height / 2.0);
    if radius.is_nan() || radius <= 0.0 {
        page.rect(rect.x as f32, rect.y as f32, rect.width as f32, rect.height as f32);
        return;
    }
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    let near = radius * (1.0 - QUARTER);
    let mut pen = Pen { page, at: Point::default() };
    pen.move_to(Point::new(left + radius, top));
    pen.line_to(Point::new(right - radius, top));
    pen.curve([right - near, top, right, top + near, right, top + radius]);
    pen.line_to(Point::new(right, bottom - radius));
    pen.curve([right, bottom - near, right - near, bottom, right - radius, bottom]);
    pen.line_to(Point::new(left + radius, bottom));
    pen.curve([left + near, bottom, left, bottom - near, left, bottom - radius]);
    pen.line_to(Point::new(left, top + radius));
    pen.curve([left, top + near, left + near, top, left + radius, top]);
    page.close_path();
}

/// Appends a circle.
pub(crate) fn circle(page: &mut Content, center: Point, radius: f64) {
    let side = 2.0 * radius;
    rounded(page, &Rect::new(center.x - radius, center.y - radius, side, side), radius);
}

/// Appends a path as the display list names it.
pub(crate) fn path(page: &mut Content, commands: &[PathCommand]) {
    let mut pen = Pen { page, at: Point::default() };
    for command in commands {
        match *command {
            PathCommand::Move(to) => pen.move_to(to),
            PathCommand::Line(to) => pen.line_to(to),
            PathCommand::Quad(control, to) => pen.quad(control, to),
            PathCommand::Cubic(a, b, to) => pen.curve([a.x, a.y, b.x, b.y, to.x, to.y]),
            PathCommand::Close => {
                pen.page.close_path();
            }
        }
    }
}

/// Appends the outlines of a line of text, its baseline beginning at `origin`.
pub(crate) fn outlines(
    page: &mut Content,
    commands: &[topomotion_text::PathCommand],
    origin: Point,
) {
    use topomotion_text::PathCommand as C;
    let place =
        |x: f32, y: f32| Point::new(origin.x + f64::from(x), origin.y + f64::from(y));
    let mut pen = Pen { page, at: origin };
    for command in commands {
        match *command {
            C::Move { x, y } => pen.move_to(place(x, y)),
            C::Line { x, y } => pen.line_to(place(x, y)),
            C::Quad { cx, cy, x, y } => pen.quad(place(cx, cy), place(x, y)),
            C::Cubic { c1x, c1y, c2x, c2y, x, y } => {
                let (a, b, to) = (place(c1x, c1y), place(c2x, c2y), place(x, y));
                pen.curve([a.x, a.y, b.x, b.y, to.x, to.y]);
            }
            C::Close => {
                pen.page.close_path();
            }
        }
    }
}

/// Remembers where the path has come to, which a quadratic curve needs to become a cubic.
struct Pen<'p> {
    page: &'p mut Content,
    at: Point,
}

impl Pen<'_> {
    fn move_to(&mut self, to: Point) {
        self.page.move_to(to.x as f32, to.y as f32);
        self.at = to;
    }

    fn line_to(&mut self, to: Point) {
        self.page.line_to(to.x as f32, to.y as f32);
        self.at = to;
    }

    fn curve(&mut self, points: [f64; 6]) {
        let [ax, ay, bx, by, x, y] = points.map(|value| value as f32);
        self.page.cubic_to(ax, ay, bx, by, x, y);
        self.at = Point::new(points[4], points[5]);
    }

    fn quad(&mut self, control: Point, to: Point) {
        let toward = |from: Point| {
            let part = 2.0 / 3.0;
            let x = from.x + (control.x - from.x) * part;
            (x, from.y + (control.y - from.y) * part)
        };
        let ((ax, ay), (bx, by)) = (toward(self.at), toward(to));
        self.curve([ax, ay, bx, by, to.x, to.y]);
    }
}
