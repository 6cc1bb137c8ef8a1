//! The one rule of drawing: backdrop first, then every sprite whose window holds `t`.

use crate::{
    Animation, DisplayList, Layer, Millis, Motion, Placed, Point, Sprite, Window,
};

impl Animation {
    /// What is seen at `at`; beyond the end, what is seen at the end.
    pub fn sample(&self, at: Millis) -> DisplayList<'_> {
        let still = |item| Placed { item, offset: Point::default() };
        let mut items: Vec<Placed<'_>> = self.backdrop.iter().map(still).collect();
        for layer in [Layer::Edges, Layer::Nodes, Layer::Packets, Layer::Words] {
            let sprites = self.sprites.iter().filter(|sprite| sprite.layer == layer);
            items.extend(sprites.filter_map(|sprite| {
                let offset = sprite.offset(at)?;
                Some(Placed { item: &sprite.item, offset })
            }));
        }
        DisplayList { size: self.size, palette: &self.palette, items }
    }
}

impl Sprite {
    /// Where it is at `at`, or `None` if it is not seen then.
    pub fn offset(&self, at: Millis) -> Option<Point> {
        let whole = Window { start: Millis(0), end: Millis(u32::MAX) };
        let window = if self.windows.is_empty() {
            &whole
        } else {
            self.windows.iter().find(|window| window.holds(at))?
        };
        let Some(motion) = &self.motion else { return Some(Point::default()) };
        let span = f64::from(window.end.0 - window.start.0).max(1.0);
        Some(motion.point(f64::from(at.0 - window.start.0) / span))
    }
}

impl Window {
    /// Whether something with this window is seen at `at`.
    pub fn holds(&self, at: Millis) -> bool {
        self.start <= at && at < self.end
    }
}

impl Motion {
    /// The point at `fraction` (0 to 1) of the way's length.
    pub fn point(&self, fraction: f64) -> Point {
        let Some(&first) = self.path.first() else { return Point::default() };
        let mut left = fraction.clamp(0.0, 1.0) * self.length();
        let mut last = first;
        for pair in self.path.windows(2) {
            let length = distance(pair[0], pair[1]);
            if left <= length && length > 0.0 {
                let part = left / length;
                return Point::new(
                    pair[0].x + (pair[1].x - pair[0].x) * part,
                    pair[0].y + (pair[1].y - pair[0].y) * part,
                );
            }
            left -= length;
            last = pair[1];
        }
        last
    }

    /// Length of the way, px.
    pub fn length(&self) -> f64 {
        self.path.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
    }
}

fn distance(a: Point, b: Point) -> f64 {
    ((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Item;

    fn sprite(windows: &[(u32, u32)], path: &[(f64, f64)]) -> Sprite {
        let path: Vec<Point> = path.iter().map(|&(x, y)| Point::new(x, y)).collect();
        Sprite {
            item: Item::default(),
            layer: Layer::Packets,
            windows: windows
                .iter()
                .map(|&(start, end)| Window { start: Millis(start), end: Millis(end) })
                .collect(),
            motion: (!path.is_empty()).then_some(Motion { path }),
        }
    }

    #[test]
    fn a_sprite_is_seen_inside_its_windows_only() {
        let sprite = sprite(&[(100, 200), (300, 400)], &[]);
        let seen = |at| sprite.offset(Millis(at)).is_some();
        assert!(!seen(99) && seen(100) && seen(199) && !seen(200) && seen(300));
    }

    #[test]
    fn a_packet_travels_its_way_at_constant_speed() {
        let sprite = sprite(&[(0, 100)], &[(0.0, 0.0), (30.0, 0.0), (30.0, 10.0)]);
        assert_eq!(sprite.offset(Millis(0)), Some(Point::new(0.0, 0.0)));
        assert_eq!(sprite.offset(Millis(50)), Some(Point::new(20.0, 0.0)));
        let near_end = sprite.offset(Millis(90)).unwrap();
        assert!((near_end.x - 30.0).abs() < 1e-9 && (near_end.y - 6.0).abs() < 1e-9);
    }

    #[test]
    fn layers_decide_what_is_drawn_above_what() {
        let mut word = sprite(&[], &[]);
        word.layer = Layer::Words;
        word.item.class = "word".into();
        let packet = sprite(&[], &[]);
        let animation = Animation { sprites: vec![word, packet], ..Animation::default() };
        let list = animation.sample(Millis(0));
        assert_eq!(list.items.last().unwrap().item.class, "word");
    }
}
