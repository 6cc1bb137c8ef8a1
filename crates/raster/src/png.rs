//! Stills as PNG.

use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use tiny_skia::{Pixmap, Transform};
use topomotion_scene::{Animation, DisplayList, Millis};

use crate::draw::Brush;
use crate::extent::Extent;
use crate::{Background, Error, PngOptions};

/// The picture of a film at one moment, nothing snapped to whole pixels.
pub fn png(film: &Animation, at: Millis, options: &PngOptions) -> Result<Vec<u8>, Error> {
    let pixels = draw(&film.sample(at), options)?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    // Flat areas repeat themselves as they are; differences would only blur that.
    encoder.set_filter(Filter::NoFilter);
    let data = match options.background {
        Background::Opaque => {
            encoder.set_color(ColorType::Rgb);
            pixels.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
        }
        Background::Transparent => {
            encoder.set_color(ColorType::Rgba);
            pixels.take_demultiplied()
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(out)
}

fn draw(list: &DisplayList<'_>, options: &PngOptions) -> Result<Pixmap, Error> {
    let extent = Extent::new(list.size, options.fit)?;
    let mut pixels = Pixmap::new(extent.width, extent.height).ok_or(Error::Empty)?;
    let mut brush = Brush::new(list.palette, options.theme);
    if options.background == Background::Opaque {
        pixels.fill(brush.background());
    }
    let scale = extent.scale as f32;
    for placed in &list.items {
        let (x, y) = (placed.offset.x as f32, placed.offset.y as f32);
        let view = Transform::from_scale(scale, scale).pre_translate(x, y);
        brush.item(&mut pixels.as_mut(), placed.item, view);
    }
    Ok(pixels)
}
