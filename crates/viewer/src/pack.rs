//! A film, packed: everything that occurs often stands once.

use std::collections::BTreeMap;

use topomotion_scene::{
    Anchor, Animation, FontFace, Item, Layer, Paint, PathCommand, Point, Primitive, Rgb,
    Sprite, Stroke,
};
use topomotion_text::{Face, clusters, outline};

use crate::bytes::Writer;
use crate::film::{EM, MAGIC, kind, step};

/// Packs what is drawn of a film, with the shapes of its letters. [`crate::Film::unpack`] is the
/// way back; lengths are rounded to 1/64 px. The words about the film are not in it.
pub fn pack(film: &Animation) -> Vec<u8> {
    let mut stock = Stock::default();
    let mut items = Writer::default();
    items.count(film.backdrop.len());
    for item in &film.backdrop {
        stock.item(&mut items, item);
    }
    items.count(film.sprites.len());
    for sprite in &film.sprites {
        stock.sprite(&mut items, sprite);
    }
    let mut out = Writer { bytes: MAGIC.to_vec() };
    out.length(film.size.width);
    out.length(film.size.height);
    out.number(film.duration.0);
    out.number(film.poster.0);
    out.count(film.palette.swatches.len());
    for swatch in &film.palette.swatches {
        out.text(&swatch.name);
        for Rgb(red, green, blue) in [swatch.light, swatch.dark] {
            out.bytes.extend([red, green, blue]);
        }
    }
    out.count(stock.strings.len());
    for text in in_order(stock.strings) {
        out.text(&text);
    }
    for pool in [stock.glyphs, stock.runs, stock.shapes] {
        out.count(pool.len());
        for bytes in in_order(pool) {
            out.bytes.extend(bytes);
        }
    }
    out.bytes.extend(items.bytes);
    out.bytes
}

/// Things that stand once, each with its place.
type Pool<T> = BTreeMap<T, usize>;

fn place<T: Ord>(pool: &mut Pool<T>, thing: T) -> usize {
    let next = pool.len();
    *pool.entry(thing).or_insert(next)
}

fn in_order<T>(pool: Pool<T>) -> Vec<T> {
    let mut all: Vec<(usize, T)> =
        pool.into_iter().map(|(thing, place)| (place, thing)).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, thing)| thing).collect()
}

#[derive(Debug, Default)]
struct Stock {
    strings: Pool<String>,
    glyphs: Pool<Vec<u8>>,
    runs: Pool<Vec<u8>>,
    shapes: Pool<Vec<u8>>,
    letters: BTreeMap<(FontFace, String), usize>,
    set: BTreeMap<(FontFace, String), ()>,
}

impl Stock {
    fn string(&mut self, text: &str) -> usize {
        place(&mut self.strings, text.to_owned())
    }

    fn item(&mut self, out: &mut Writer, item: &Item) {
        let class = self.string(&item.class);
        out.count(class);
        for text in [&item.id, &item.name] {
            let index = text.as_ref().map_or(0, |text| self.string(text) + 1);
            out.count(index);
        }
        let mut shape = Writer::default();
        shape.count(item.primitives.len());
        for primitive in &item.primitives {
            self.primitive(&mut shape, primitive);
        }
        out.count(place(&mut self.shapes, shape.bytes));
    }

    fn sprite(&mut self, out: &mut Writer, sprite: &Sprite) {
        self.item(out, &sprite.item);
        out.bytes.push(match sprite.layer {
            Layer::Edges => 0,
            Layer::Nodes => 1,
            Layer::Packets => 2,
            Layer::Words => 3,
        });
        out.count(sprite.windows.len());
        let mut now = 0;
        for time in sprite.windows.iter().flat_map(|window| [window.start, window.end]) {
            out.number(time.0.saturating_sub(now));
            now = time.0;
        }
        let path = sprite.motion.as_ref().map_or(&[][..], |motion| &motion.path);
        out.count(path.len());
        for &at in path {
            point(out, at);
        }
    }

    fn primitive(&mut self, out: &mut Writer, primitive: &Primitive) {
        match primitive {
            Primitive::Rect { rect, radius, fill, stroke } => {
                out.bytes.push(kind::RECT);
                for length in [rect.x, rect.y, rect.width, rect.height, *radius] {
                    out.length(length);
                }
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Circle { center, radius, fill, stroke } => {
                out.bytes.push(kind::CIRCLE);
                point(out, *center);
                out.length(*radius);
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Path { commands, fill, stroke } => {
                out.bytes.push(kind::PATH);
                path(out, commands);
                inks(out, *fill, stroke.as_ref());
            }
            Primitive::Text { at, anchor, text, face, size, width, paint: ink } => {
                out.bytes.push(kind::TEXT);
                point(out, *at);
                out.bytes.push(match anchor {
                    Anchor::Start => 0,
                    Anchor::Middle => 1,
                    Anchor::End => 2,
                });
                out.count(self.string(text));
                out.bytes.push(number(*face));
                out.length(*size);
                out.length(*width);
                paint(out, *ink);
                self.set(*face, text);
            }
        }
    }

    /// Sets a line: letter by letter, or, where letters are not all there is to it, as one.
    fn set(&mut self, face: FontFace, text: &str) {
        if self.set.insert((face, text.to_owned()), ()).is_some() {
            return;
        }
        let whole = letters(face, text, 0.0);
        let mut signs = Vec::new();
        let mut composed = Vec::new();
        for sign in clusters(bundled(face), EM, text) {
            composed.extend(letters(face, sign.text, sign.x));
            signs.push((sign.text, sign.x));
        }
        if !is_alike(&whole, &composed) {
            signs = vec![(text, 0.0)];
        }
        let mut run = Writer::default();
        run.bytes.push(number(face));
        run.count(self.string(text));
        let signs: Vec<(usize, f64)> =
            signs.into_iter().map(|(sign, x)| (self.letter(face, sign), x)).collect();
        run.count(signs.len());
        for (glyph, x) in signs {
            run.count(glyph);
            run.length(x);
        }
        place(&mut self.runs, run.bytes);
    }

    fn letter(&mut self, face: FontFace, sign: &str) -> usize {
        if let Some(&known) = self.letters.get(&(face, sign.to_owned())) {
            return known;
        }
        let mut shape = Writer::default();
        path(&mut shape, &letters(face, sign, 0.0));
        let glyph = place(&mut self.glyphs, shape.bytes);
        self.letters.insert((face, sign.to_owned()), glyph);
        glyph
    }
}

/// The outlines of a text, `x` px to the right.
fn letters(face: FontFace, text: &str, x: f64) -> Vec<PathCommand> {
    use topomotion_text::PathCommand as C;
    let at = |dx: f32, dy: f32| Point::new(x + f64::from(dx), f64::from(dy));
    let shape = outline(bundled(face), EM, text);
    let commands = shape.into_iter().map(|command| match command {
        C::Move { x, y } => PathCommand::Move(at(x, y)),
        C::Line { x, y } => PathCommand::Line(at(x, y)),
        C::Quad { cx, cy, x, y } => PathCommand::Quad(at(cx, cy), at(x, y)),
        C::Cubic { c1x, c1y, c2x, c2y, x, y } => {
            PathCommand::Cubic(at(c1x, c1y), at(c2x, c2y), at(x, y))
        }
        C::Close => PathCommand::Close,
    });
    commands.collect()
}

/// Whether two paths have the same steps at the same places.
fn is_alike(a: &[PathCommand], b: &[PathCommand]) -> bool {
    const NEAR: f64 = 0.05;
    let near = |a: Point, b: Point| (a.x - b.x).abs() < NEAR && (a.y - b.y).abs() < NEAR;
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (PathCommand::Move(a), PathCommand::Move(b))
            | (PathCommand::Line(a), PathCommand::Line(b)) => near(*a, *b),
            (PathCommand::Quad(a, c), PathCommand::Quad(b, d)) => {
                near(*a, *b) && near(*c, *d)
            }
            (PathCommand::Cubic(a, c, e), PathCommand::Cubic(b, d, f)) => {
                near(*a, *b) && near(*c, *d) && near(*e, *f)
            }
            (PathCommand::Close, PathCommand::Close) => true,
            _ => false,
        })
}

fn bundled(face: FontFace) -> Face {
    match face {
        FontFace::Regular => Face::Regular,
        FontFace::SemiBold => Face::SemiBold,
        FontFace::Mono => Face::Mono,
    }
}

fn number(face: FontFace) -> u8 {
    match face {
        FontFace::Regular => 0,
        FontFace::SemiBold => 1,
        FontFace::Mono => 2,
    }
}

fn point(out: &mut Writer, at: Point) {
    out.length(at.x);
    out.length(at.y);
}

/// Each point relative to the one before, as it will be read: rounding does not add up.
fn path(out: &mut Writer, commands: &[PathCommand]) {
    out.count(commands.len());
    let mut pen = Point::default();
    for command in commands {
        let (kind, points): (u8, &[Point]) = match command {
            PathCommand::Move(to) => (step::MOVE, &[*to]),
            PathCommand::Line(to) => (step::LINE, &[*to]),
            PathCommand::Quad(a, to) => (step::QUAD, &[*a, *to]),
            PathCommand::Cubic(a, b, to) => (step::CUBIC, &[*a, *b, *to]),
            PathCommand::Close => (step::CLOSE, &[]),
        };
        out.bytes.push(kind);
        for to in points {
            let by = Point::new(exact(to.x - pen.x), exact(to.y - pen.y));
            point(out, by);
            pen = Point::new(pen.x + by.x, pen.y + by.y);
        }
    }
}

/// As it will be read.
fn exact(px: f64) -> f64 {
    (px * 64.0).round() / 64.0
}

fn paint(out: &mut Writer, paint: Paint) {
    out.number(paint.swatch.into());
    out.bytes.push((paint.opacity.clamp(0.0, 1.0) * 255.0).round() as u8);
}

fn inks(out: &mut Writer, fill: Option<Paint>, stroke: Option<&Stroke>) {
    let which = u8::from(fill.is_some()) | u8::from(stroke.is_some()) << 1;
    out.bytes.push(which);
    if let Some(fill) = fill {
        paint(out, fill);
    }
    if let Some(stroke) = stroke {
        paint(out, stroke.paint);
        out.length(stroke.width);
        out.count(stroke.dash.len());
        for &length in &stroke.dash {
            out.length(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use topomotion_scene::{Millis, Motion, Palette, Rect, Size, Swatch, Window};

    use super::*;
    use crate::Film;

    fn text(words: &str, face: FontFace) -> Primitive {
        Primitive::Text {
            at: Point::new(10.5, 20.0),
            anchor: Anchor::Middle,
            text: words.into(),
            face,
            size: 12.0,
            width: 30.25,
            paint: Paint { swatch: 1, opacity: 1.0 },
        }
    }

    fn film() -> Animation {
        let swatch = |name: &str| Swatch {
            name: name.into(),
            light: Rgb(255, 254, 3),
            dark: Rgb(0, 1, 2),
        };
        let ink = Paint { swatch: 1, opacity: 0.6 };
        let stroke = Stroke { paint: ink, width: 1.5, dash: vec![4.0, 2.0] };
        let node = Primitive::Rect {
            rect: Rect::new(-4.0, 2.5, 80.0, 40.0),
            radius: 6.0,
            fill: Some(ink),
            stroke: Some(stroke.clone()),
        };
        let line = Primitive::Path {
            commands: vec![
                PathCommand::Move(Point::new(1.0, 2.0)),
                PathCommand::Quad(Point::new(3.0, 2.0), Point::new(4.0, 5.0)),
                PathCommand::Cubic(
                    Point::default(),
                    Point::default(),
                    Point::new(9.0, 9.0),
                ),
                PathCommand::Line(Point::new(90.0, 9.0)),
                PathCommand::Close,
            ],
            fill: None,
            stroke: Some(stroke),
        };
        let dot = Primitive::Circle {
            center: Point::default(),
            radius: 4.0,
            fill: Some(ink),
            stroke: None,
        };
        let item = |class: &str, primitives| Item {
            class: class.into(),
            id: Some("broker-1".into()),
            name: None,
            primitives,
        };
        let packet = |start: u32| Sprite {
            item: item("packet", vec![dot.clone()]),
            layer: Layer::Packets,
            windows: vec![
                Window { start: Millis(start), end: Millis(start + 500) },
                Window { start: Millis(start + 900), end: Millis(start + 1000) },
            ],
            motion: Some(Motion {
                path: vec![Point::new(0.0, 5.0), Point::new(100.0, 5.0)],
            }),
        };
        Animation {
            size: Size { width: 120.0, height: 60.0 },
            duration: Millis(2000),
            poster: Millis(700),
            palette: Palette { swatches: vec![swatch("page"), swatch("ink")] },
            backdrop: vec![
                item("node", vec![node, text("AV. Größe", FontFace::SemiBold)]),
                item("edge", vec![line, text("q\u{301} a", FontFace::Mono)]),
            ],
            sprites: vec![packet(100), packet(300)],
            ..Animation::default()
        }
    }

    /// Opacities are kept in 255 steps.
    fn rounded(mut film: Animation) -> Animation {
        let json = serde_json::to_string(&film).expect("plain data");
        let json = json.replace("0.6", &format!("{}", 153.0_f32 / 255.0));
        film = serde_json::from_str(&json).expect("plain data");
        film
    }

    #[test]
    fn a_film_is_the_same_after_packing_and_unpacking() {
        let film = film();
        let unpacked = Film::unpack(&pack(&film)).unwrap();
        assert_eq!(unpacked.animation, rounded(film));
        // Two packets that look alike are one look.
        assert_eq!(unpacked.looks, [0, 1, 2, 2]);
        assert_eq!(unpacked.runs.len(), 2);
    }

    #[test]
    fn a_film_that_is_cut_anywhere_is_refused_and_never_misread() {
        let bytes = pack(&film());
        for end in 0..bytes.len() {
            assert!(Film::unpack(&bytes[..end]).is_err(), "{end}");
        }
        for place in 0..bytes.len() {
            for value in [0, 1, 127, 128, 255] {
                let mut bad = bytes.clone();
                bad[place] = value;
                // Read or refused: never a panic.
                let _ = Film::unpack(&bad);
            }
        }
    }

    #[test]
    fn letters_stand_where_the_whole_line_has_them() {
        for words in
            ["AVATAR, To.", "orders-0 → 12", "שלום (x)", "e\u{301}q\u{301}", "漢字"]
        {
            let mut stock = Stock::default();
            stock.set(FontFace::Regular, words);
            assert_eq!(stock.runs.len(), 1);
            let drawn: usize = stock.glyphs.len();
            assert!(drawn > 0, "{words}");
        }
    }
}
