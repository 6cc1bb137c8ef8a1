//! What stands on one page, as the operators that draw it.
//!
//! A page counts in px with y downwards, like the display list; one matrix at its beginning
//! turns that into points with y upwards.

use std::collections::{BTreeMap, BTreeSet};

use pdf_writer::types::{LineCapStyle, LineJoinStyle, TextRenderingMode};
use pdf_writer::{Content, Name, Str, TextStr};
use topomotion_scene::{
    Anchor, DisplayList, FontFace, Item, Paint, Point, Primitive, Rgb, Stroke,
};
use topomotion_text::{clusters, outline};

use crate::fonts::{Font, bundled, resource};
use crate::options::{Background, Options, Theme};
use crate::shapes;

/// Opacities of fill and line, in thousandths; each pair is a graphics state of the document.
pub(crate) type Opacities = BTreeMap<u16, usize>;

/// Every character that a face sets, where one glyph of it draws the whole sign.
pub(crate) fn characters(
    list: &DisplayList<'_>,
    into: &mut BTreeMap<FontFace, BTreeSet<char>>,
) {
    let primitives = list.items.iter().flat_map(|placed| &placed.item.primitives);
    for primitive in primitives {
        if let Primitive::Text { text, face, .. } = primitive {
            let signs = clusters(bundled(*face), 1.0, text);
            let glyphs = signs.iter().filter_map(|sign| sign.glyph);
            into.entry(*face).or_default().extend(glyphs);
        }
    }
}

/// Draws a list.
pub(crate) struct Page<'a> {
    pub content: Content,
    list: &'a DisplayList<'a>,
    options: &'a Options,
    fonts: &'a BTreeMap<FontFace, Font>,
    opacities: &'a mut Opacities,
}

impl<'a> Page<'a> {
    /// A page of `scale` pt to a px.
    pub fn draw(
        list: &'a DisplayList<'a>,
        scale: f64,
        options: &'a Options,
        fonts: &'a BTreeMap<FontFace, Font>,
        opacities: &'a mut Opacities,
    ) -> Vec<u8> {
        let mut page = Page { content: Content::new(), list, options, fonts, opacities };
        let (scale, height) = (scale as f32, (list.size.height * scale) as f32);
        page.content.transform([scale, 0.0, 0.0, -scale, 0.0, height]);
        page.content.set_line_cap(LineCapStyle::RoundCap);
        page.content.set_line_join(LineJoinStyle::RoundJoin);
        if options.background == Background::Opaque && !list.palette.swatches.is_empty() {
            page.fill_color(Paint { swatch: 0, opacity: 1.0 });
            let (width, height) = (list.size.width as f32, list.size.height as f32);
            page.content.rect(0.0, 0.0, width, height).fill_nonzero();
        }
        for placed in &list.items {
            page.item(placed.item, placed.offset);
        }
        page.content.finish().into_vec()
    }

    fn item(&mut self, item: &Item, offset: Point) {
        let is_moved = offset != Point::default();
        if is_moved {
            let (x, y) = (offset.x as f32, offset.y as f32);
            self.content.save_state().transform([1.0, 0.0, 0.0, 1.0, x, y]);
        }
        for primitive in &item.primitives {
            self.primitive(primitive);
        }
        if is_moved {
            self.content.restore_state();
        }
    }

    fn primitive(&mut self, primitive: &Primitive) {
        match primitive {
            Primitive::Rect { rect, radius, fill, stroke } => {
                let is_drawn = rect.width >= 0.0 && rect.height >= 0.0;
                self.shape(*fill, stroke.as_ref().filter(|_| is_drawn), |page| {
                    shapes::rounded(page, rect, *radius);
                });
            }
            Primitive::Circle { center, radius, fill, stroke } => {
                let is_drawn = *radius > 0.0;
                self.shape(
                    fill.filter(|_| is_drawn),
                    stroke.as_ref().filter(|_| is_drawn),
                    |page| shapes::circle(page, *center, *radius),
                );
            }
            Primitive::Path { commands, fill, stroke } => {
                self.shape(*fill, stroke.as_ref(), |page| shapes::path(page, commands));
            }
            Primitive::Text { at, anchor, text, face, size, width, paint } => {
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => *width,
                };
                self.text(text, Point::new(at.x - back, at.y), *face, *size, *paint);
            }
        }
    }

    /// Fills first, then draws the line, each at its own opacity.
    fn shape(
        &mut self,
        fill: Option<Paint>,
        stroke: Option<&Stroke>,
        draw: impl Fn(&mut Content),
    ) {
        if let Some(fill) = fill {
            self.fill_color(fill);
            draw(&mut self.content);
            self.content.fill_nonzero();
        }
        if let Some(stroke) = stroke.filter(|stroke| stroke.width > 0.0) {
            self.line(stroke);
            draw(&mut self.content);
            self.content.stroke();
        }
    }

    fn fill_color(&mut self, paint: Paint) {
        self.opacity(paint.opacity);
        let [r, g, b] = self.color(paint);
        self.content.set_fill_rgb(r, g, b);
    }

    fn line(&mut self, stroke: &Stroke) {
        self.opacity(stroke.paint.opacity);
        let [r, g, b] = self.color(stroke.paint);
        self.content.set_stroke_rgb(r, g, b).set_line_width(stroke.width as f32);
        let dash = stroke.dash.iter().map(|&length| length as f32);
        self.content.set_dash_pattern(dash, 0.0);
    }

    fn opacity(&mut self, opacity: f32) {
        let thousandths = (opacity.clamp(0.0, 1.0) * 1000.0).round() as u16;
        let next = self.opacities.len();
        let place = *self.opacities.entry(thousandths).or_insert(next);
        self.content.set_parameters(Name(format!("G{place}").as_bytes()));
    }

    fn color(&self, paint: Paint) -> [f32; 3] {
        let swatch = self.list.palette.swatches.get(usize::from(paint.swatch));
        let Rgb(r, g, b) = match (swatch, self.options.theme) {
            (None, _) => Rgb(0, 0, 0),
            (Some(swatch), Theme::Light) => swatch.light,
            (Some(swatch), Theme::Dark) => swatch.dark,
        };
        [r, g, b].map(|channel| f32::from(channel) / 255.0)
    }

    /// A line of text: glyphs where the fonts have them, outlines elsewhere.
    fn text(&mut self, text: &str, at: Point, face: FontFace, size: f64, paint: Paint) {
        let Some(font) = self.fonts.get(&face).filter(|_| size > 0.0) else { return };
        self.fill_color(paint);
        let signs = clusters(bundled(face), size, text);
        let mut rest = signs.as_slice();
        while let Some(first) = rest.first() {
            let is_set = first.glyph.is_some();
            let count =
                rest.iter().take_while(|sign| sign.glyph.is_some() == is_set).count();
            let (run, after) = rest.split_at(if is_set { count } else { 1 });
            rest = after;
            let start = Point::new(at.x + first.x, at.y);
            if !is_set {
                self.drawn(first.text, start, face, size);
                continue;
            }
            self.begin_line(start, face, size);
            let mut line = self.content.show_positioned();
            let mut items = line.items();
            // Where the pen stands, in thousandths of an em from the run's beginning.
            let mut pen = 0.0;
            for sign in run {
                let (glyph, advance) = font.glyph(sign.glyph.unwrap_or(' '));
                let place = ((sign.x - first.x) / size * 1000.0) as f32;
                if (place - pen).abs() > 0.05 {
                    items.adjust(pen - place);
                    pen = place;
                }
                items.show(Str(&glyph.to_be_bytes()));
                pen += advance;
            }
            drop(items);
            drop(line);
            self.content.end_text();
        }
    }

    fn begin_line(&mut self, at: Point, face: FontFace, size: f64) {
        let (x, y) = (at.x as f32, at.y as f32);
        self.content.begin_text().set_font(resource(face), size as f32);
        self.content.set_text_matrix([1.0, 0.0, 0.0, -1.0, x, y]);
    }

    /// A sign that is no glyph of the font, drawn; an unseen one stands for what it says.
    fn drawn(&mut self, sign: &str, at: Point, face: FontFace, size: f64) {
        let path = outline(bundled(face), size, sign);
        if path.is_empty() {
            return;
        }
        shapes::outlines(&mut self.content, &path, at);
        self.content.fill_nonzero();
        self.content
            .begin_marked_content_with_properties(Name(b"Span"))
            .properties()
            .actual_text(TextStr(sign));
        self.begin_line(at, face, size);
        self.content.set_text_rendering_mode(TextRenderingMode::Invisible);
        self.content.show(Str(&[0, 0]));
        self.content.set_text_rendering_mode(TextRenderingMode::Fill);
        self.content.end_text().end_marked_content();
    }
}
