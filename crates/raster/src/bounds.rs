//! Which pixels an item can touch.

use tiny_skia::Transform;
use topomotion_scene::Item;

use crate::area::Area;
use crate::draw::{Brush, Shape};

/// The farthest that any pixel is looked for: beyond every picture.
const FAR: f32 = 1_000_000.0;

impl Brush<'_> {
    /// The pixels that `item` can touch under `view`; nothing if it draws nothing.
    pub fn bounds(&mut self, item: &Item, view: Transform) -> Area {
        let mut area = Area::NOTHING;
        for primitive in &item.primitives {
            if let Some(shape) = self.shape(primitive) {
                area = area.around(&pixels(&shape, view));
            }
        }
        area
    }
}

/// Control points hold every curve in; a line reaches half its width beyond, and round joins
/// and caps no farther; smoothing one pixel more.
fn pixels(shape: &Shape<'_>, view: Transform) -> Area {
    let width = shape.stroke.map_or(0.0, |stroke| stroke.width.max(0.0) as f32);
    let (x, y) = (shape.shift.x as f32, shape.shift.y as f32);
    let bounds = shape.path.bounds();
    let reach = width / 2.0;
    let low = (bounds.left() + x - reach, bounds.top() + y - reach);
    let high = (bounds.right() + x + reach, bounds.bottom() + y + reach);
    // Views only scale and move, so corners stay corners.
    let to =
        |value: f32, scale: f32, shift: f32| (value * scale + shift).clamp(-FAR, FAR);
    Area {
        left: to(low.0, view.sx, view.tx).floor() as i32 - 1,
        top: to(low.1, view.sy, view.ty).floor() as i32 - 1,
        right: to(high.0, view.sx, view.tx).ceil() as i32 + 1,
        bottom: to(high.1, view.sy, view.ty).ceil() as i32 + 1,
    }
}

#[cfg(test)]
mod tests {
    use topomotion_scene::{Paint, Palette, PathCommand, Point, Primitive, Stroke};

    use super::*;
    use crate::Theme;

    #[test]
    fn a_lines_width_and_its_smoothing_are_inside() {
        let palette = Palette::default();
        let mut brush = Brush::new(&palette, Theme::Light);
        let stroke = Stroke {
            paint: Paint { swatch: 0, opacity: 1.0 },
            width: 4.0,
            dash: Vec::new(),
        };
        let line = Primitive::Path {
            commands: vec![
                PathCommand::Move(Point::new(10.0, 10.0)),
                PathCommand::Line(Point::new(20.0, 10.0)),
            ],
            fill: None,
            stroke: Some(stroke),
        };
        let item = Item { primitives: vec![line], ..Item::default() };
        let area = brush.bounds(&item, Transform::from_scale(2.0, 2.0));
        assert_eq!(area, Area { left: 15, top: 15, right: 45, bottom: 25 });
        assert!(brush.bounds(&Item::default(), Transform::identity()).is_empty());
    }
}
