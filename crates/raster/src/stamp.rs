//! A sprite's pixels, drawn once and laid down many times.

use std::collections::BTreeMap;
use std::rc::Rc;

use tiny_skia::{Pixmap, Transform};
use topomotion_scene::Item;

use crate::area::Area;
use crate::draw::Brush;
use crate::extent::Extent;

/// Memory for stamps, in bytes. What is over it is drawn again when it is seen again.
const BYTES_MAX: usize = 48 << 20;

/// The pixels of one item.
#[derive(Debug)]
pub(crate) struct Stamp {
    /// Where they stand when the item has not moved.
    pub area: Area,
    /// Red, green, blue, each multiplied by the fourth: opacity.
    pixels: Vec<u8>,
}

/// The stamps of a film's items.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    /// By the item's address: items live as long as the film, each at its own.
    made: BTreeMap<usize, Rc<Stamp>>,
    bytes: usize,
}

impl Stamps {
    /// The stamp of `item`.
    pub fn stamp(&mut self, item: &Item, brush: &mut Brush<'_>, on: Extent) -> Rc<Stamp> {
        let key = address(item);
        if let Some(stamp) = self.made.get(&key) {
            return stamp.clone();
        }
        let stamp = Rc::new(Stamp::draw(item, brush, on));
        if self.bytes + stamp.pixels.len() > BYTES_MAX {
            self.made.clear();
            self.bytes = 0;
        }
        self.bytes += stamp.pixels.len();
        self.made.insert(key, stamp.clone());
        stamp
    }
}

/// An item's identity within its film.
pub(crate) fn address(item: &Item) -> usize {
    std::ptr::from_ref(item) as usize
}

impl Stamp {
    fn draw(item: &Item, brush: &mut Brush<'_>, on: Extent) -> Stamp {
        let view = Transform::from_scale(on.scale as f32, on.scale as f32);
        let picture = Area::whole(on.width, on.height);
        // An item that moves is drawn around the origin and moved into the picture; so no
        // pixel farther out than one picture can ever be seen.
        let reach = Area { left: -picture.right, top: -picture.bottom, ..picture };
        let area = brush.bounds(item, view).common(&reach);
        let size = (area.width() as u32, area.height() as u32);
        let Some(mut pixels) = Pixmap::new(size.0, size.1) else {
            return Stamp { area: Area::NOTHING, pixels: Vec::new() };
        };
        let view = view.post_translate(-area.left as f32, -area.top as f32);
        brush.item(&mut pixels.as_mut(), item, view);
        Stamp { area, pixels: pixels.take() }
    }

    /// Lays the stamp, moved to stand at `at`, on an opaque picture whose rows are `stride`
    /// pixels long; only within `clip`, which lies within the picture.
    pub fn lay(&self, at: &Area, picture: &mut [u8], stride: usize, clip: &Area) {
        let seen = at.common(clip);
        if seen.is_empty() {
            return;
        }
        let own = seen.moved(-at.left, -at.top);
        for (to, from) in seen.rows(stride).zip(own.rows(at.width())) {
            let to = &mut picture[to.start * 4..to.end * 4];
            let from = &self.pixels[from.start * 4..from.end * 4];
            for (below, above) in to.chunks_exact_mut(4).zip(from.chunks_exact(4)) {
                over(below, above);
            }
        }
    }
}

/// One pixel over an opaque one.
fn over(below: &mut [u8], above: &[u8]) {
    match above[3] {
        0 => {}
        255 => below.copy_from_slice(above),
        opacity => {
            let rest = u32::from(255 - opacity);
            for (below, above) in below.iter_mut().zip(above).take(3) {
                // x / 255, rounded, for every x up to 255 * 255.
                let kept = ((u32::from(*below) * rest + 128) * 257) >> 16;
                *below = (u32::from(*above) + kept).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_over_another_is_their_mix() {
        let mut below = [200, 100, 0, 255];
        over(&mut below, &[0, 0, 0, 0]);
        assert_eq!(below, [200, 100, 0, 255]);
        over(&mut below, &[128, 0, 0, 128]);
        assert_eq!(below, [228, 50, 0, 255]);
        over(&mut below, &[1, 2, 3, 255]);
        assert_eq!(below, [1, 2, 3, 255]);
    }

    #[test]
    fn division_by_255_is_rounded_exactly() {
        for x in 0..=255 * 255_u32 {
            assert_eq!(((x + 128) * 257) >> 16, (x * 2 + 255) / 510, "{x}");
        }
    }
}
