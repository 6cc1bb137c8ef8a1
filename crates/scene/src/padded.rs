//! A film with room around it.

use crate::{Animation, Item, PathCommand, Point, Primitive};

impl Animation {
    /// The same film with `by` px more on every side, all that is drawn moved accordingly.
    #[must_use]
    pub fn padded(mut self, by: f64) -> Animation {
        self.size.width += 2.0 * by;
        self.size.height += 2.0 * by;
        for item in &mut self.backdrop {
            item.shift(by);
        }
        for sprite in &mut self.sprites {
            match &mut sprite.motion {
                // What moves is drawn around the origin, and only its way has a place.
                Some(motion) => motion.path.iter_mut().for_each(|point| point.shift(by)),
                None => sprite.item.shift(by),
            }
        }
        self
    }
}

impl Point {
    fn shift(&mut self, by: f64) {
        self.x += by;
        self.y += by;
    }
}

impl Item {
    fn shift(&mut self, by: f64) {
        for primitive in &mut self.primitives {
            match primitive {
                Primitive::Rect { rect, .. } => {
                    rect.x += by;
                    rect.y += by;
                }
                Primitive::Circle { center, .. } => center.shift(by),
                Primitive::Path { commands, .. } => {
                    commands.iter_mut().for_each(|command| command.shift(by));
                }
                Primitive::Text { at, .. } => at.shift(by),
            }
        }
    }
}

impl PathCommand {
    fn shift(&mut self, by: f64) {
        match self {
            PathCommand::Move(to) | PathCommand::Line(to) => to.shift(by),
            PathCommand::Quad(control, to) => {
                control.shift(by);
                to.shift(by);
            }
            PathCommand::Cubic(a, b, to) => {
                a.shift(by);
                b.shift(by);
                to.shift(by);
            }
            PathCommand::Close => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, Millis, Motion, Sprite, Window};

    #[test]
    fn everything_moves_together() {
        let circle = Primitive::Circle {
            center: Point::default(),
            radius: 3.0,
            fill: None,
            stroke: None,
        };
        let item = Item { primitives: vec![circle], ..Item::default() };
        let path = vec![Point::new(0.0, 0.0), Point::new(10.0, 0.0)];
        let moving = Sprite {
            item: item.clone(),
            layer: Layer::Packets,
            windows: vec![Window { start: Millis(0), end: Millis(10) }],
            motion: Some(Motion { path }),
        };
        let film = Animation { backdrop: vec![item.clone()], ..Animation::default() };
        let padded = Animation { sprites: vec![moving], ..film }.padded(5.0);
        assert_eq!((padded.size.width, padded.size.height), (10.0, 10.0));
        let list = padded.sample(Millis(5));
        let center = |item: &Item| match item.primitives[0] {
            Primitive::Circle { center, .. } => center,
            _ => panic!("a circle"),
        };
        assert_eq!(center(list.items[0].item), Point::new(5.0, 5.0));
        assert_eq!(center(list.items[1].item), Point::default());
        assert_eq!(list.items[1].offset, Point::new(10.0, 5.0));
    }
}
