//! What stands at the two ends of a connection: an arrow at the dialled one, unless the
//! connection's kind says otherwise.

use topomotion_scene::{Paint, Point, Primitive, Stroke};

use crate::draw;
use crate::tokens::{ARROW_HALF, ARROW_LENGTH};

/// Radius of a ring, and half the width of a cross, px.
const MARK: f64 = 3.5;
/// From the end of a line to the middle of a cross, px.
const CROSS_BACK: f64 = 7.0;

/// What stands at one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tip {
    Bare,
    Arrow,
    Ring,
    Cross,
}

/// The tips of a kind: at the dialling end, and at the dialled one.
fn of(kind: Option<&str>) -> (Tip, Tip) {
    match kind {
        Some("line") => (Tip::Bare, Tip::Bare),
        Some("both") => (Tip::Arrow, Tip::Arrow),
        Some("circle") => (Tip::Bare, Tip::Ring),
        Some("circles") => (Tip::Ring, Tip::Ring),
        Some("cross") => (Tip::Bare, Tip::Cross),
        Some("crosses") => (Tip::Cross, Tip::Cross),
        _ => (Tip::Bare, Tip::Arrow),
    }
}

/// The line shortened to the feet of its tips, and the tips.
pub(crate) fn split(
    points: &[Point],
    kind: Option<&str>,
    stroke: &Stroke,
) -> (Vec<Point>, Vec<Primitive>) {
    let (source, target) = of(kind);
    let mut shaft = points.to_vec();
    let mut marks = put(&mut shaft, target, stroke);
    shaft.reverse();
    marks.extend(put(&mut shaft, source, stroke));
    shaft.reverse();
    (shaft, marks)
}

/// Puts a tip at the last point.
fn put(shaft: &mut [Point], tip: Tip, stroke: &Stroke) -> Vec<Primitive> {
    let [.., before, end] = &*shaft else { return Vec::new() };
    let (dx, dy) = (end.x - before.x, end.y - before.y);
    let length = (dx * dx + dy * dy).sqrt();
    if length < 1.0 {
        return Vec::new();
    }
    let end = *end;
    let (ux, uy) = (dx / length, dy / length);
    // `along` goes back from the end, `aside` to the right of the way there.
    let at = |along: f64, aside: f64| {
        Point::new(end.x - ux * along - uy * aside, end.y - uy * along + ux * aside)
    };
    let paint: Paint = stroke.paint;
    let (marks, cut) = match tip {
        Tip::Bare => (Vec::new(), 0.0),
        Tip::Arrow => {
            let long = ARROW_LENGTH.min(length);
            let corners = [end, at(long, ARROW_HALF), at(long, -ARROW_HALF)];
            (vec![draw::polygon(&corners, Some(paint), None)], long - 1.0)
        }
        Tip::Ring => {
            let line = Stroke { dash: Vec::new(), ..stroke.clone() };
            let ring = draw::circle(at(MARK + 1.0, 0.0), MARK, None, Some(line));
            (vec![ring], (2.0 * MARK + 1.0).min(length))
        }
        Tip::Cross => {
            let arm = |side: f64| {
                let line = Stroke { dash: Vec::new(), ..stroke.clone() };
                let from = at(CROSS_BACK - MARK, -side * MARK);
                draw::polyline(&[from, at(CROSS_BACK + MARK, side * MARK)], line)
            };
            (vec![arm(1.0), arm(-1.0)], 0.0)
        }
    };
    if let Some(last) = shaft.last_mut() {
        *last = at(cut, 0.0);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(kind: Option<&str>) -> (Vec<Point>, usize) {
        let points = [Point::new(0.0, 0.0), Point::new(0.0, 50.0)];
        let paint = Paint { swatch: 0, opacity: 1.0 };
        let stroke = Stroke { paint, width: 1.5, dash: Vec::new() };
        let (shaft, marks) = split(&points, kind, &stroke);
        (shaft, marks.len())
    }

    #[test]
    fn the_line_ends_where_its_tips_begin() {
        let (start, end) = (Point::new(0.0, 0.0), Point::new(0.0, 50.0));
        let arrow = Point::new(0.0, 43.0);
        assert_eq!(marks(None), (vec![start, arrow], 1));
        assert_eq!(marks(Some("pulse")), (vec![start, arrow], 1));
        assert_eq!(marks(Some("line")), (vec![start, end], 0));
        assert_eq!(marks(Some("both")), (vec![Point::new(0.0, 7.0), arrow], 2));
        assert_eq!(marks(Some("circle")), (vec![start, Point::new(0.0, 42.0)], 1));
        assert_eq!(marks(Some("crosses")), (vec![start, end], 4));
    }

    #[test]
    fn a_line_without_length_has_no_tips() {
        let paint = Paint { swatch: 0, opacity: 1.0 };
        let stroke = Stroke { paint, width: 1.5, dash: Vec::new() };
        for points in [vec![], vec![Point::default()], vec![Point::default(); 2]] {
            assert!(split(&points, Some("both"), &stroke).1.is_empty());
        }
    }
}
