//! A display list as calls to a canvas.
//!
//! What an item draws is told once, as numbers that name calls ([`call`]); a moment is then only
//! a list of items and places. The page keeps a `Path2D` for each shape, so that a packet costs
//! one transform and one fill a frame.

use topomotion_scene::{
    Anchor, FontFace, Millis, Paint, PathCommand, Point, Primitive, Rect, Stroke,
};

use crate::film::{EM, Film};

/// How near a line counts as on it, px.
const NEAR: f64 = 6.0;

/// The calls, each followed by its numbers.
pub mod call {
    /// A new path.
    pub const BEGIN: f32 = 0.0;
    /// `moveTo`: x, y.
    pub const MOVE: f32 = 1.0;
    /// `lineTo`: x, y.
    pub const LINE: f32 = 2.0;
    /// `quadraticCurveTo`: two points.
    pub const QUAD: f32 = 3.0;
    /// `bezierCurveTo`: three points.
    pub const CUBIC: f32 = 4.0;
    /// `closePath`.
    pub const CLOSE: f32 = 5.0;
    /// `roundRect`: x, y, width, height, radius.
    pub const RECT: f32 = 6.0;
    /// A full `arc`: x, y, radius.
    pub const CIRCLE: f32 = 7.0;
    /// `fill` by the non-zero rule: swatch, opacity.
    pub const FILL: f32 = 8.0;
    /// `stroke` with round joins and caps: swatch, opacity, width, number of dashes, dashes.
    pub const STROKE: f32 = 9.0;
}

/// What is seen at a moment, as three stretches of (look, x, y) in drawing order: what lies under
/// everything that moves, what lies between, and what lies over it. The outer two change seldom.
#[derive(Debug, Default)]
pub struct Moment {
    /// Three numbers for each item.
    pub placed: Vec<f32>,
    /// How many items are under everything that moves.
    pub under: usize,
    /// How many follow up to the last that moves.
    pub between: usize,
}

impl Film {
    /// The calls that draw a look.
    pub fn calls(&self, look: usize, out: &mut Vec<f32>) {
        out.clear();
        let item = self.samples.get(look).and_then(|&item| self.item(item));
        let Some(item) = item else { return };
        for primitive in &item.primitives {
            self.primitive(primitive, out);
        }
    }

    /// The looks of the backdrop, in order.
    pub fn backdrop(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.looks.iter().take(self.animation.backdrop.len()).enumerate();
        all.filter(|(item, _)| !self.is_hidden(*item)).map(|(_, look)| *look)
    }

    /// What is seen beside the backdrop at a moment.
    pub fn moment(&self, at: Millis, out: &mut Moment) {
        out.placed.clear();
        (out.under, out.between) = (0, 0);
        let before = self.animation.backdrop.len();
        let list = self.animation.sample(at);
        let mut count = 0;
        for placed in list.items.iter().skip(before) {
            let Some(index) = self.sprite_of(placed.item) else { continue };
            if self.is_hidden(before + index) {
                continue;
            }
            let (sprite, look) =
                (&self.animation.sprites[index], self.looks[before + index]);
            if sprite.motion.is_some() {
                if out.between == 0 {
                    out.under = count;
                }
                out.between = count + 1 - out.under;
            }
            out.placed.extend([
                look as f32,
                placed.offset.x as f32,
                placed.offset.y as f32,
            ]);
            count += 1;
        }
        if out.between == 0 {
            out.under = out.placed.len() / 3;
        }
    }

    /// The topmost item at a place of a moment that has a name or moves: of the backdrop or,
    /// after those, of the sprites.
    pub fn hit(&self, at: Millis, place: Point) -> Option<usize> {
        let list = self.animation.sample(at);
        let before = self.animation.backdrop.len();
        let mut found =
            list.items.iter().enumerate().rev().filter_map(|(count, placed)| {
                let from =
                    Point::new(place.x - placed.offset.x, place.y - placed.offset.y);
                let item = placed.item;
                let sprite =
                    if count < before { None } else { Some(self.sprite_of(item)?) };
                let index = sprite.map_or(count, |sprite| before + sprite);
                let moves = sprite
                    .and_then(|sprite| self.animation.sprites.get(sprite))
                    .is_some_and(|sprite| sprite.motion.is_some());
                let tells = (moves || item.name.is_some()) && !self.is_hidden(index);
                let is_there =
                    tells && item.primitives.iter().any(|one| touches(one, from));
                is_there.then_some(index)
            });
        found.next()
    }

    /// The process at a place: an item of the backdrop.
    pub fn hit_node(&self, place: Point) -> Option<usize> {
        let backdrop = self.animation.backdrop.iter().enumerate().rev();
        let found = backdrop.filter(|(index, item)| {
            item.class.starts_with("node")
                && !self.is_hidden(*index)
                && item.primitives.iter().any(|one| touches(one, place))
        });
        found.map(|(index, _)| index).next()
    }

    /// The box around an item that stands still.
    pub fn bounds(&self, item: usize) -> Option<Rect> {
        let boxes = self.item(item)?.primitives.iter().filter_map(bounds);
        boxes.reduce(|all, one| all.union(&one))
    }

    /// What is under way at a moment, hidden or not.
    pub fn air(&self, at: Millis) -> impl Iterator<Item = usize> + '_ {
        let before = self.animation.backdrop.len();
        let sprites = self.animation.sprites.iter().enumerate();
        let moving = sprites.filter(move |(_, sprite)| {
            sprite.motion.is_some() && sprite.offset(at).is_some()
        });
        moving.map(move |(index, _)| before + index)
    }

    /// Which sprite an item is, by where it stands.
    fn sprite_of(&self, item: &topomotion_scene::Item) -> Option<usize> {
        let sprites = &self.animation.sprites;
        let first = sprites.first()?;
        let start = std::ptr::from_ref(&first.item) as usize;
        let own = std::ptr::from_ref(item) as usize;
        let index = own.checked_sub(start)? / size_of::<topomotion_scene::Sprite>();
        (index < sprites.len()).then_some(index)
    }

    fn primitive(&self, primitive: &Primitive, out: &mut Vec<f32>) {
        out.push(call::BEGIN);
        match primitive {
            Primitive::Rect { rect, radius, fill, stroke } => {
                let most = rect.width.min(rect.height) / 2.0;
                let radius = radius.min(most).max(0.0);
                out.push(call::RECT);
                numbers(out, &[rect.x, rect.y, rect.width, rect.height, radius]);
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Circle { center, radius, fill, stroke } => {
                out.push(call::CIRCLE);
                numbers(out, &[center.x, center.y, radius.max(0.0)]);
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Path { commands, fill, stroke } => {
                trace(out, commands, Point::default(), 1.0);
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Text { at, anchor, text, face, size, width, paint } => {
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => *width,
                };
                self.line(out, (*face, text), Point::new(at.x - back, at.y), size / EM);
                inks(out, Some(*paint), None);
            }
        }
    }

    fn line(&self, out: &mut Vec<f32>, what: (FontFace, &str), at: Point, scale: f64) {
        let Some(run) = self.runs.get(&(what.0, what.1.to_owned())) else { return };
        for (glyph, x) in &run.signs {
            let Some(glyph) = self.glyphs.get(*glyph) else { continue };
            trace(out, glyph, Point::new(at.x + x * scale, at.y), scale);
        }
    }
}

fn numbers(out: &mut Vec<f32>, all: &[f64]) {
    out.extend(all.iter().map(|&number| number as f32));
}

fn trace(out: &mut Vec<f32>, commands: &[PathCommand], at: Point, scale: f64) {
    for command in commands {
        let (name, points): (f32, &[Point]) = match command {
            PathCommand::Move(to) => (call::MOVE, &[*to]),
            PathCommand::Line(to) => (call::LINE, &[*to]),
            PathCommand::Quad(a, to) => (call::QUAD, &[*a, *to]),
            PathCommand::Cubic(a, b, to) => (call::CUBIC, &[*a, *b, *to]),
            PathCommand::Close => (call::CLOSE, &[]),
        };
        out.push(name);
        for point in points {
            numbers(out, &[at.x + point.x * scale, at.y + point.y * scale]);
        }
    }
}

fn inks(out: &mut Vec<f32>, fill: Option<Paint>, stroke: Option<&Stroke>) {
    if let Some(paint) = fill {
        out.extend([call::FILL, f32::from(paint.swatch), paint.opacity]);
    }
    if let Some(stroke) = stroke.filter(|stroke| stroke.width > 0.0) {
        let (paint, dashes) = (stroke.paint, &stroke.dash);
        out.extend([call::STROKE, f32::from(paint.swatch), paint.opacity]);
        numbers(out, &[stroke.width, dashes.len() as f64]);
        numbers(out, dashes);
    }
}

/// Whether a place is on what is drawn: inside an area, or near a line.
fn touches(primitive: &Primitive, place: Point) -> bool {
    match primitive {
        Primitive::Rect { rect, .. } => holds(rect, place),
        Primitive::Circle { center, radius, .. } => {
            distance(*center, place) <= radius.max(NEAR)
        }
        Primitive::Path { commands, fill, .. } => {
            let points: Vec<Point> = commands.iter().filter_map(end).collect();
            match fill {
                Some(_) => around(&points).is_some_and(|rect| holds(&rect, place)),
                None => points.windows(2).any(|pair| beside(pair[0], pair[1], place)),
            }
        }
        Primitive::Text { at, anchor, size, width, .. } => {
            let back = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width / 2.0,
                Anchor::End => *width,
            };
            holds(&Rect::new(at.x - back, at.y - size, *width, size * 1.3), place)
        }
    }
}

/// The box around something drawn; texts stand within what they name.
fn bounds(primitive: &Primitive) -> Option<Rect> {
    match primitive {
        Primitive::Rect { rect, .. } => Some(*rect),
        Primitive::Circle { center, radius, .. } => {
            let (x, y) = (center.x - radius, center.y - radius);
            Some(Rect::new(x, y, 2.0 * radius, 2.0 * radius))
        }
        Primitive::Path { commands, .. } => {
            let points: Vec<Point> = commands.iter().filter_map(end).collect();
            around(&points)
        }
        Primitive::Text { .. } => None,
    }
}

fn end(command: &PathCommand) -> Option<Point> {
    match command {
        PathCommand::Move(to)
        | PathCommand::Line(to)
        | PathCommand::Quad(_, to)
        | PathCommand::Cubic(_, _, to) => Some(*to),
        PathCommand::Close => None,
    }
}

fn around(points: &[Point]) -> Option<Rect> {
    let first = points.first()?;
    let start = Rect::new(first.x, first.y, 0.0, 0.0);
    Some(points.iter().fold(start, |all, at| all.union(&Rect::new(at.x, at.y, 0.0, 0.0))))
}

fn holds(rect: &Rect, place: Point) -> bool {
    rect.contains(&Rect::new(place.x, place.y, 0.0, 0.0))
}

fn distance(a: Point, b: Point) -> f64 {
    ((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y)).sqrt()
}

/// Whether a place is near the line from `a` to `b`.
fn beside(a: Point, b: Point, place: Point) -> bool {
    let length = distance(a, b).max(1e-9);
    let along = ((place.x - a.x) * (b.x - a.x) + (place.y - a.y) * (b.y - a.y)) / length;
    let part = (along / length).clamp(0.0, 1.0);
    let foot = Point::new(a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part);
    distance(foot, place) <= NEAR
}

#[cfg(all(test, feature = "write"))]
mod tests {
    use topomotion_scene::{
        Animation, Item, Layer, Motion, Palette, Rgb, Sprite, Swatch, Window,
    };

    use super::*;
    use crate::pack;

    fn ink() -> Paint {
        Paint { swatch: 0, opacity: 1.0 }
    }

    fn dot(name: &str, at: Point) -> Item {
        let circle = Primitive::Circle {
            center: at,
            radius: 4.0,
            fill: Some(ink()),
            stroke: None,
        };
        Item { name: Some(name.into()), primitives: vec![circle], ..Item::default() }
    }

    fn sprite(item: Item, layer: Layer, path: Option<Vec<Point>>) -> Sprite {
        let windows = vec![Window { start: Millis(0), end: Millis(100) }];
        Sprite { item, layer, windows, motion: path.map(|path| Motion { path }) }
    }

    fn film() -> Film {
        let white =
            Swatch { name: "page".into(), light: Rgb(255, 255, 255), dark: Rgb(0, 0, 0) };
        let way = vec![Point::new(0.0, 50.0), Point::new(100.0, 50.0)];
        let origin = Point::default();
        let animation = Animation {
            palette: Palette { swatches: vec![white] },
            backdrop: vec![dot("ground", Point::new(20.0, 20.0))],
            sprites: vec![
                sprite(dot("word", Point::new(80.0, 20.0)), Layer::Words, None),
                sprite(dot("packet", origin), Layer::Packets, Some(way.clone())),
                sprite(dot("state", Point::new(60.0, 20.0)), Layer::Nodes, None),
                sprite(dot("packet", origin), Layer::Packets, Some(way)),
            ],
            ..Animation::default()
        };
        Film::unpack(&pack(&animation)).expect("just packed")
    }

    #[test]
    fn what_moves_is_told_apart_from_what_stands_under_and_over_it() {
        let (film, mut moment) = (film(), Moment::default());
        film.moment(Millis(50), &mut moment);
        assert_eq!((moment.under, moment.between, moment.placed.len()), (1, 2, 12));
        assert_eq!(moment.placed[4..6], [50.0, 50.0]);
        film.moment(Millis(500), &mut moment);
        assert_eq!((moment.under, moment.between, moment.placed.len()), (0, 0, 0));
        assert_eq!(film.backdrop().count(), 1);
    }

    #[test]
    fn a_look_is_a_list_of_calls() {
        let film = film();
        let mut calls = Vec::new();
        film.calls(0, &mut calls);
        assert_eq!(calls, [0.0, 7.0, 20.0, 20.0, 4.0, 8.0, 0.0, 1.0]);
        film.calls(99, &mut calls);
        assert!(calls.is_empty());
    }

    #[test]
    fn the_topmost_named_thing_at_a_place_is_found_where_it_is_then() {
        let film = film();
        let named = |at, x, y| {
            let item = film.item(film.hit(Millis(at), Point::new(x, y))?)?;
            item.name.clone()
        };
        assert_eq!(named(50, 50.0, 52.0).as_deref(), Some("packet"));
        assert_eq!(named(90, 50.0, 52.0), None);
        assert_eq!(named(50, 21.0, 21.0).as_deref(), Some("ground"));
        assert_eq!(named(50, 80.0, 20.0).as_deref(), Some("word"));
    }

    #[test]
    fn what_is_hidden_is_neither_drawn_nor_hit() {
        let (mut film, mut moment) = (film(), Moment::default());
        film.hide(vec![true, false, true]);
        assert_eq!(film.backdrop().count(), 0);
        film.moment(Millis(50), &mut moment);
        assert_eq!((moment.under, moment.between, moment.placed.len()), (1, 1, 9));
        assert_eq!(film.hit(Millis(50), Point::new(21.0, 21.0)), None);
        assert_eq!(film.hit(Millis(50), Point::new(50.0, 50.0)), Some(4));
        film.hide(Vec::new());
        assert_eq!(film.backdrop().count(), 1);
        assert_eq!(film.air(Millis(50)).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(film.hit_node(Point::new(20.0, 20.0)), None);
        assert_eq!(film.bounds(0), Some(Rect::new(16.0, 16.0, 8.0, 8.0)));
        assert_eq!(film.bounds(9), None);
    }

    #[test]
    fn a_line_is_near_along_all_its_length() {
        let (a, b) = (Point::new(0.0, 0.0), Point::new(100.0, 0.0));
        assert!(
            beside(a, b, Point::new(50.0, 5.0)) && !beside(a, b, Point::new(50.0, 7.0))
        );
        assert!(!beside(a, b, Point::new(110.0, 0.0)) && beside(a, a, a));
    }
}
