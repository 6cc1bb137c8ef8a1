//! Items moved as a whole.

use topomotion_scene::{Item, PathCommand, Point, Primitive, Rect};

/// The item, so much lower.
pub(crate) fn shifted(item: Item, by: f64) -> Item {
    moved(item, 0.0, by)
}

/// The item, so much farther to the right and lower.
pub(crate) fn moved(mut item: Item, dx: f64, dy: f64) -> Item {
    for primitive in &mut item.primitives {
        shift(primitive, dx, dy);
    }
    item
}

fn shift(primitive: &mut Primitive, dx: f64, dy: f64) {
    let to = |point: Point| Point::new(point.x + dx, point.y + dy);
    match primitive {
        Primitive::Rect { rect, .. } => {
            *rect = Rect::new(rect.x + dx, rect.y + dy, rect.width, rect.height);
        }
        Primitive::Circle { center, .. } => *center = to(*center),
        Primitive::Text { at, .. } => *at = to(*at),
        Primitive::Path { commands, .. } => {
            for command in commands {
                *command = match *command {
                    PathCommand::Move(a) => PathCommand::Move(to(a)),
                    PathCommand::Line(a) => PathCommand::Line(to(a)),
                    PathCommand::Quad(a, b) => PathCommand::Quad(to(a), to(b)),
                    PathCommand::Cubic(a, b, c) => {
                        PathCommand::Cubic(to(a), to(b), to(c))
                    }
                    PathCommand::Close => PathCommand::Close,
                };
            }
        }
    }
}
