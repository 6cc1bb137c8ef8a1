//! One primitive, drawn.

use std::rc::Rc;

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint as SkPaint, Path, PixmapMut, Shader,
    Stroke as SkStroke, StrokeDash, Transform,
};
use topomotion_scene::{
    Anchor, FontFace, Item, Paint, Palette, Point, Primitive, Stroke,
};

use crate::Theme;
use crate::paths::{self, Lines};

/// Draws items: knows the colours, remembers the lines of text.
#[derive(Debug)]
pub(crate) struct Brush<'a> {
    palette: &'a Palette,
    theme: Theme,
    lines: Lines,
}

/// A primitive as a shape, and where it goes.
pub(crate) struct Shape<'p> {
    /// In px; text begins at the origin.
    pub path: Rc<Path>,
    /// From the path's origin to the item's.
    pub shift: Point,
    pub fill: Option<Paint>,
    pub stroke: Option<&'p Stroke>,
}

impl<'a> Brush<'a> {
    pub fn new(palette: &'a Palette, theme: Theme) -> Brush<'a> {
        Brush { palette, theme, lines: Lines::default() }
    }

    /// Swatch 0; white if there is no colour at all.
    pub fn background(&self) -> Color {
        self.color(Paint { swatch: 0, opacity: 1.0 })
    }

    /// Draws an item, its px mapped to pixels by `view`.
    pub fn item(&mut self, pixels: &mut PixmapMut<'_>, item: &Item, view: Transform) {
        for primitive in &item.primitives {
            self.primitive(pixels, primitive, view);
        }
    }

    fn primitive(
        &mut self,
        to: &mut PixmapMut<'_>,
        primitive: &Primitive,
        view: Transform,
    ) {
        let Some(shape) = self.shape(primitive) else { return };
        let view = view.pre_translate(shape.shift.x as f32, shape.shift.y as f32);
        if let Some(fill) = shape.fill {
            to.fill_path(&shape.path, &self.ink(fill), FillRule::Winding, view, None);
        }
        if let Some(stroke) = shape.stroke.filter(|stroke| stroke.width > 0.0) {
            to.stroke_path(
                &shape.path,
                &self.ink(stroke.paint),
                &line(stroke),
                view,
                None,
            );
        }
    }

    /// The shape of a primitive, or `None` if it has no extent at all.
    pub fn shape<'p>(&mut self, primitive: &'p Primitive) -> Option<Shape<'p>> {
        let drawn =
            |path: Option<Path>, fill: &Option<Paint>, stroke: &'p Option<Stroke>| {
                Some(Shape {
                    path: Rc::new(path?),
                    shift: Point::default(),
                    fill: *fill,
                    stroke: stroke.as_ref(),
                })
            };
        match primitive {
            Primitive::Rect { rect, radius, fill, stroke } => {
                drawn(paths::rounded(rect, *radius), fill, stroke)
            }
            Primitive::Circle { center, radius, fill, stroke } => {
                drawn(paths::circle(*center, *radius), fill, stroke)
            }
            Primitive::Path { commands, fill, stroke } => {
                drawn(paths::path(commands), fill, stroke)
            }
            Primitive::Text { at, anchor, text, face, size, width, paint } => {
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => *width,
                };
                let path = self.line(*face, *size, text)?;
                let shift = Point::new(at.x - back, at.y);
                Some(Shape { path, shift, fill: Some(*paint), stroke: None })
            }
        }
    }

    fn line(&mut self, face: FontFace, size: f64, text: &str) -> Option<Rc<Path>> {
        self.lines.path(face, size, text)
    }

    fn ink(&self, paint: Paint) -> SkPaint<'static> {
        SkPaint {
            shader: Shader::SolidColor(self.color(paint)),
            anti_alias: true,
            ..SkPaint::default()
        }
    }

    fn color(&self, paint: Paint) -> Color {
        let swatch = self.palette.swatches.get(usize::from(paint.swatch));
        let Some(swatch) = swatch else { return Color::WHITE };
        let rgb = match self.theme {
            Theme::Light => swatch.light,
            Theme::Dark => swatch.dark,
        };
        let mut color = Color::from_rgba8(rgb.0, rgb.1, rgb.2, 255);
        color.apply_opacity(paint.opacity.clamp(0.0, 1.0));
        color
    }
}

/// A line with round joins and caps. An odd list of dashes counts twice, as in SVG.
fn line(stroke: &Stroke) -> SkStroke {
    let mut dash: Vec<f32> = stroke.dash.iter().map(|&length| length as f32).collect();
    if dash.len() % 2 == 1 {
        dash.extend_from_within(..);
    }
    SkStroke {
        width: stroke.width as f32,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        dash: if dash.is_empty() { None } else { StrokeDash::new(dash, 0.0) },
        ..SkStroke::default()
    }
}
