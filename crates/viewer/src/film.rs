//! A packed film, taken apart again.
//!
//! ```text
//!   "tmf1"  size duration poster  swatches  strings  glyphs  runs  shapes  backdrop  sprites
//! ```
//!
//! Strings, letters, set lines and what items draw stand once each; everything else names them by
//! their place. Numbers are little-endian base 128; lengths are in 1/64 px, folded so that small
//! ones are short whatever their sign.

use std::collections::BTreeMap;

use topomotion_scene::{
    Anchor, Animation, FontFace, Item, Layer, Millis, Motion, Paint, Palette,
    PathCommand, Point, Primitive, Rect, Rgb, Size, Sprite, Stroke, Swatch, Window,
};

use crate::bytes::{Broken, Reader};

/// What packed films begin with: the form and its version.
pub(crate) const MAGIC: &[u8] = b"tmf1";

/// The size at which letters are kept, px.
pub(crate) const EM: f64 = 64.0;

/// What a primitive is, in the packed form.
pub(crate) mod kind {
    pub const RECT: u8 = 0;
    pub const CIRCLE: u8 = 1;
    pub const PATH: u8 = 2;
    pub const TEXT: u8 = 3;
}

/// A step of a path, in the packed form.
pub(crate) mod step {
    pub const MOVE: u8 = 0;
    pub const LINE: u8 = 1;
    pub const QUAD: u8 = 2;
    pub const CUBIC: u8 = 3;
    pub const CLOSE: u8 = 4;
}

/// A line of text, set: letters, and where each begins. At [`EM`] px.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Run {
    pub signs: Vec<(usize, f64)>,
}

/// A film as a page plays it: what is drawn and when, and the shapes of its letters.
#[derive(Debug, Default)]
pub struct Film {
    /// The film. Its words (title, chapters, transcript) stand in the bundle, not here.
    pub animation: Animation,
    /// What each item of the backdrop, then of the sprites, draws: equal for what looks alike.
    pub(crate) looks: Vec<usize>,
    /// An item that draws each look.
    pub(crate) samples: Vec<usize>,
    pub(crate) glyphs: Vec<Vec<PathCommand>>,
    pub(crate) runs: BTreeMap<(FontFace, String), Run>,
    /// Items that are not drawn, by place; what lies beyond its end is.
    pub(crate) hidden: Vec<bool>,
}

impl Film {
    /// Takes a packed film apart.
    pub fn unpack(bytes: &[u8]) -> Result<Film, Broken> {
        let mut read = Reader::new(bytes);
        match read.take(MAGIC.len()) {
            Ok(magic) if magic == MAGIC => {}
            _ => return Err(Broken::NotAFilm),
        }
        let size = Size { width: read.length()?, height: read.length()? };
        if !(size.width >= 0.0 && size.height >= 0.0) {
            return Err(Broken::Odd("its size"));
        }
        let (duration, poster) = (Millis(read.number()?), Millis(read.number()?));
        let palette = Palette { swatches: list(&mut read, swatch)? };
        let strings: Vec<&str> = list(&mut read, Reader::text)?;
        let glyphs = list(&mut read, path)?;
        let runs = list(&mut read, |read| run(read, &strings, glyphs.len()))?;
        let swatches = palette.swatches.len();
        let shapes: Vec<Vec<Primitive>> = list(&mut read, |read| {
            list(read, |read| primitive(read, &strings, swatches))
        })?;
        let mut film =
            Film { glyphs, runs: runs.into_iter().collect(), ..Film::default() };
        film.samples = vec![usize::MAX; shapes.len()];
        let stock = Stock { strings: &strings, shapes: &shapes };
        let mut looks = Vec::new();
        let backdrop = list(&mut read, |read| stock.item(read, &mut looks))?;
        let sprites = list(&mut read, |read| stock.sprite(read, &mut looks))?;
        if !read.is_empty() {
            return Err(Broken::Odd("its end"));
        }
        for (item, look) in looks.iter().enumerate().rev() {
            film.samples[*look] = item;
        }
        film.looks = looks;
        film.animation = Animation {
            size,
            duration,
            poster,
            palette,
            backdrop,
            sprites,
            ..Animation::default()
        };
        Ok(film)
    }

    /// Hides items, by place: those of the backdrop, then those of the sprites.
    pub fn hide(&mut self, hidden: Vec<bool>) {
        self.hidden = hidden;
    }

    pub(crate) fn is_hidden(&self, item: usize) -> bool {
        self.hidden.get(item).copied().unwrap_or(false)
    }

    /// An item of the backdrop or, after those, of the sprites.
    pub fn item(&self, index: usize) -> Option<&Item> {
        let Animation { backdrop, sprites, .. } = &self.animation;
        match index.checked_sub(backdrop.len()) {
            None => backdrop.get(index),
            Some(sprite) => sprites.get(sprite).map(|sprite| &sprite.item),
        }
    }
}

fn list<'b, T>(
    read: &mut Reader<'b>,
    mut one: impl FnMut(&mut Reader<'b>) -> Result<T, Broken>,
) -> Result<Vec<T>, Broken> {
    let count = read.count()?;
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(one(read)?);
    }
    Ok(all)
}

fn swatch(read: &mut Reader<'_>) -> Result<Swatch, Broken> {
    let name = read.text()?.to_owned();
    let mut rgb =
        || -> Result<Rgb, Broken> { Ok(Rgb(read.byte()?, read.byte()?, read.byte()?)) };
    Ok(Swatch { name, light: rgb()?, dark: rgb()? })
}

fn point(read: &mut Reader<'_>) -> Result<Point, Broken> {
    Ok(Point::new(read.length()?, read.length()?))
}

/// A path; each point relative to the one before.
fn path(read: &mut Reader<'_>) -> Result<Vec<PathCommand>, Broken> {
    let mut pen = Point::default();
    list(read, |read| {
        let kind = read.byte()?;
        let mut points = [Point::default(); 3];
        let count = match kind {
            step::MOVE | step::LINE => 1,
            step::QUAD => 2,
            step::CUBIC => 3,
            _ => 0,
        };
        for place in points.iter_mut().take(count) {
            let by = point(read)?;
            pen = Point::new(pen.x + by.x, pen.y + by.y);
            *place = pen;
        }
        let [a, b, c] = points;
        Ok(match kind {
            step::MOVE => PathCommand::Move(a),
            step::LINE => PathCommand::Line(a),
            step::QUAD => PathCommand::Quad(a, b),
            step::CUBIC => PathCommand::Cubic(a, b, c),
            step::CLOSE => PathCommand::Close,
            _ => return Err(Broken::Odd("a path")),
        })
    })
}

/// The face and the text of a line, and how it is set.
fn run(
    read: &mut Reader<'_>,
    strings: &[&str],
    glyphs: usize,
) -> Result<((FontFace, String), Run), Broken> {
    let face = face(read)?;
    let text = strings[read.index(strings.len(), "a line")?].to_owned();
    let signs = list(read, |read| Ok((read.index(glyphs, "a letter")?, read.length()?)))?;
    Ok(((face, text), Run { signs }))
}

fn face(read: &mut Reader<'_>) -> Result<FontFace, Broken> {
    Ok(match read.byte()? {
        0 => FontFace::Regular,
        1 => FontFace::SemiBold,
        2 => FontFace::Mono,
        _ => return Err(Broken::Odd("a face")),
    })
}

fn paint(read: &mut Reader<'_>, swatches: usize) -> Result<Paint, Broken> {
    let swatch = read.index(swatches, "a colour")?;
    let swatch = u16::try_from(swatch).map_err(|_| Broken::Odd("a colour"))?;
    Ok(Paint { swatch, opacity: f32::from(read.byte()?) / 255.0 })
}

/// Inside and line: a byte tells which there are.
fn inks(
    read: &mut Reader<'_>,
    swatches: usize,
) -> Result<(Option<Paint>, Option<Stroke>), Broken> {
    let which = read.byte()?;
    let fill = if which & 1 == 0 { None } else { Some(paint(read, swatches)?) };
    if which & 2 == 0 {
        return Ok((fill, None));
    }
    let (paint, width) = (paint(read, swatches)?, read.length()?);
    let dash = list(read, Reader::length)?;
    Ok((fill, Some(Stroke { paint, width, dash })))
}

fn primitive(
    read: &mut Reader<'_>,
    strings: &[&str],
    swatches: usize,
) -> Result<Primitive, Broken> {
    match read.byte()? {
        kind::RECT => {
            let (x, y, width) = (read.length()?, read.length()?, read.length()?);
            let rect = Rect::new(x, y, width, read.length()?);
            let radius = read.length()?;
            let (fill, stroke) = inks(read, swatches)?;
            Ok(Primitive::Rect { rect, radius, fill, stroke })
        }
        kind::CIRCLE => {
            let (center, radius) = (point(read)?, read.length()?);
            let (fill, stroke) = inks(read, swatches)?;
            Ok(Primitive::Circle { center, radius, fill, stroke })
        }
        kind::PATH => {
            let commands = path(read)?;
            let (fill, stroke) = inks(read, swatches)?;
            Ok(Primitive::Path { commands, fill, stroke })
        }
        kind::TEXT => {
            let at = point(read)?;
            let anchor = match read.byte()? {
                0 => Anchor::Start,
                1 => Anchor::Middle,
                2 => Anchor::End,
                _ => return Err(Broken::Odd("an anchor")),
            };
            let text = strings[read.index(strings.len(), "a text")?].to_owned();
            let (face, size, width) = (face(read)?, read.length()?, read.length()?);
            let paint = paint(read, swatches)?;
            Ok(Primitive::Text { at, anchor, text, face, size, width, paint })
        }
        _ => Err(Broken::Odd("a shape")),
    }
}

/// What items are made of.
struct Stock<'b> {
    strings: &'b [&'b str],
    shapes: &'b [Vec<Primitive>],
}

impl Stock<'_> {
    fn item(
        &self,
        read: &mut Reader<'_>,
        looks: &mut Vec<usize>,
    ) -> Result<Item, Broken> {
        let class = self.strings[read.index(self.strings.len(), "a class")?].to_owned();
        let (id, name) = (self.maybe(read)?, self.maybe(read)?);
        let look = read.index(self.shapes.len(), "a look")?;
        looks.push(look);
        Ok(Item { class, id, name, primitives: self.shapes[look].clone() })
    }

    /// A text, or 0 for none.
    fn maybe(&self, read: &mut Reader<'_>) -> Result<Option<String>, Broken> {
        let index = read.index(self.strings.len() + 1, "a name")?;
        Ok(index.checked_sub(1).map(|index| self.strings[index].to_owned()))
    }

    fn sprite(
        &self,
        read: &mut Reader<'_>,
        looks: &mut Vec<usize>,
    ) -> Result<Sprite, Broken> {
        let item = self.item(read, looks)?;
        let layer = match read.byte()? {
            0 => Layer::Edges,
            1 => Layer::Nodes,
            2 => Layer::Packets,
            3 => Layer::Words,
            _ => return Err(Broken::Odd("a layer")),
        };
        // Each window begins so long after the end of the one before, and is so long.
        let mut now = 0_u32;
        let windows = list(read, |read| {
            let mut later = || -> Result<Millis, Broken> {
                let by = read.number()?;
                now = now.checked_add(by).ok_or(Broken::Odd("a time"))?;
                Ok(Millis(now))
            };
            Ok(Window { start: later()?, end: later()? })
        })?;
        let path = list(read, point)?;
        let motion = if path.is_empty() { None } else { Some(Motion { path }) };
        Ok(Sprite { item, layer, windows, motion })
    }
}
