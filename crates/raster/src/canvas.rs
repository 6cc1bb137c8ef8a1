//! A picture that goes from moment to moment, redrawing only what changed.
//!
//! A frame is the backdrop with the stamps of the sprites that are seen laid on it, in
//! drawing order, moved ones at whole pixels. That alone defines it; how the canvas came
//! there does not matter. Between two frames it restores the backdrop in every rectangle
//! where a stamp came or went, and lays the stamps that reach into it again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tiny_skia::{Pixmap, Transform};
use topomotion_scene::{Animation, Millis, Placed};

use crate::area::{self, Area};
use crate::draw::Brush;
use crate::extent::Extent;
use crate::stamp::{Stamp, Stamps, address};
use crate::{Error, Fit, Theme};

/// The picture of a film at one moment, ready to go to another.
#[derive(Debug)]
pub struct Canvas<'a> {
    film: &'a Animation,
    brush: Brush<'a>,
    extent: Extent,
    stamps: Stamps,
    backdrop: Vec<u8>,
    pixels: Vec<u8>,
    shown: Vec<Shown>,
    changed: Vec<Area>,
}

/// A stamp on the canvas.
#[derive(Debug)]
struct Shown {
    item: usize,
    stamp: Rc<Stamp>,
    area: Area,
}

impl<'a> Canvas<'a> {
    /// The backdrop alone.
    pub fn new(film: &'a Animation, theme: Theme, fit: Fit) -> Result<Canvas<'a>, Error> {
        let extent = Extent::new(film.size, fit)?;
        let mut brush = Brush::new(&film.palette, theme);
        let mut pixels = Pixmap::new(extent.width, extent.height).ok_or(Error::Empty)?;
        pixels.fill(brush.background());
        let view = Transform::from_scale(extent.scale as f32, extent.scale as f32);
        for item in &film.backdrop {
            brush.item(&mut pixels.as_mut(), item, view);
        }
        let backdrop = pixels.take();
        Ok(Canvas {
            film,
            brush,
            extent,
            stamps: Stamps::default(),
            pixels: backdrop.clone(),
            backdrop,
            shown: Vec::new(),
            changed: vec![Area::whole(extent.width, extent.height)],
        })
    }

    /// The addresses of the sprites' items of which something is inside the picture.
    pub(crate) fn in_view(&self) -> BTreeSet<usize> {
        let picture = Area::whole(self.extent.width, self.extent.height);
        let inside = |it: &&Shown| !it.area.common(&picture).is_empty();
        self.shown.iter().filter(inside).map(|it| it.item).collect()
    }

    /// Goes to a moment, forwards or backwards.
    pub fn show(&mut self, at: Millis) {
        // The backdrop's items come first, and stand on the canvas already.
        let list = self.film.sample(at);
        let sprites = &list.items[self.film.backdrop.len()..];
        let next: Vec<Shown> = sprites.iter().map(|placed| self.place(placed)).collect();
        let picture = Area::whole(self.extent.width, self.extent.height);
        self.changed.clear();
        for area in differences(&self.shown, &next) {
            area::add(&mut self.changed, area.common(&picture));
        }
        self.shown = next;
        for area in &self.changed {
            redraw(&mut self.pixels, &self.backdrop, self.extent, &self.shown, area);
        }
    }

    /// Pixels to the right.
    pub fn width(&self) -> u32 {
        self.extent.width
    }

    /// Pixels downwards.
    pub fn height(&self) -> u32 {
        self.extent.height
    }

    /// Red, green, blue and full opacity of every pixel, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Where the last step may have changed anything.
    pub(crate) fn changed(&self) -> &[Area] {
        &self.changed
    }

    fn place(&mut self, placed: &Placed<'_>) -> Shown {
        let stamp = self.stamps.stamp(placed.item, &mut self.brush, self.extent);
        let whole = |length: f64| (length * self.extent.scale).round() as i32;
        let area = stamp.area.moved(whole(placed.offset.x), whole(placed.offset.y));
        Shown { item: address(placed.item), stamp, area }
    }
}

/// Where a stamp is in one list only, or not at the same place. Their order is that of the
/// film in both, so it needs no look.
fn differences(before: &[Shown], after: &[Shown]) -> Vec<Area> {
    let mut left: BTreeMap<usize, Area> =
        before.iter().map(|shown| (shown.item, shown.area)).collect();
    let mut areas = Vec::new();
    for shown in after {
        match left.remove(&shown.item) {
            Some(area) if area == shown.area => {}
            Some(area) => areas.extend([area, shown.area]),
            None => areas.push(shown.area),
        }
    }
    areas.extend(left.into_values());
    areas
}

fn redraw(
    pixels: &mut [u8],
    backdrop: &[u8],
    extent: Extent,
    shown: &[Shown],
    area: &Area,
) {
    let stride = extent.width as usize;
    for row in area.rows(stride) {
        let row = row.start * 4..row.end * 4;
        pixels[row.clone()].copy_from_slice(&backdrop[row]);
    }
    for Shown { stamp, area: at, .. } in shown {
        stamp.lay(at, pixels, stride, area);
    }
}
