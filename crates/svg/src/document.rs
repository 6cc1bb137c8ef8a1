//! The file as a whole.

use topomotion_scene::{Animation, FontFace, Millis, Paint};

use crate::film::{self, Film};
use crate::fonts;
use crate::options::{Background, Options, ThemeChoice};
use crate::pen::{Pen, hex};
use crate::text::{DIGEST, digest, escape, shown};

/// How much of the animation is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// All of it.
    Film,
    /// One moment.
    Frame(Millis),
}

/// Writes the file.
pub(crate) fn write(animation: &Animation, options: &Options, scope: Scope) -> String {
    let mut pen = Pen::new(&animation.palette, options);
    let ground = ground(animation, options, &mut pen);
    let (backdrop, film) = match scope {
        Scope::Film => {
            let items = animation.backdrop.iter();
            let backdrop: String = items.map(|item| pen.item(item, "")).collect();
            (backdrop, film::write(animation, options, &mut pen))
        }
        Scope::Frame(at) => (frame(animation, at, &mut pen), Film::nothing()),
    };
    let style = style(animation, options, &pen, &film.rules);
    let mut body = style;
    if !film.defs.is_empty() {
        body.push_str(&format!("<defs>{}</defs>", film.defs));
    }
    let family = fonts::family(options, FontFace::Regular);
    let padding = clean(options.padding);
    let moved = if padding > 0.0 {
        format!(" transform=\"translate({0} {0})\"", shown(padding))
    } else {
        String::new()
    };
    body.push_str(&ground);
    body.push_str(&format!(
        "<g{moved} fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\" \
         font-family=\"{family}\" text-rendering=\"geometricPrecision\" class=\"t-{DIGEST}\">"
    ));
    body.push_str(&backdrop);
    if !film.body.is_empty() {
        body.push_str(&format!("<g id=\"still\">{}</g>", film.body));
    }
    body.push_str("</g></svg>\n");
    let mut out = head(animation, options);
    out.push_str(&body);
    let name = digest(&out);
    out.replace(DIGEST, &name)
}

impl Film {
    fn nothing() -> Film {
        Film { defs: String::new(), body: String::new(), rules: String::new() }
    }
}

fn clean(padding: f64) -> f64 {
    if padding.is_finite() { padding.max(0.0) } else { 0.0 }
}

fn head(animation: &Animation, options: &Options) -> String {
    let padding = clean(options.padding);
    let width = shown(animation.size.width + 2.0 * padding);
    let height = shown(animation.size.height + 2.0 * padding);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"n-{DIGEST} d-{DIGEST}\"><title id=\"n-{DIGEST}\">"
    );
    escape(&mut out, &animation.title);
    out.push_str(&format!("</title><desc id=\"d-{DIGEST}\">"));
    escape(&mut out, &animation.description);
    for line in &animation.transcript {
        out.push('\n');
        escape(&mut out, &line.clock);
        out.push_str("  ");
        escape(&mut out, &line.text);
    }
    out.push_str("</desc>");
    out
}

fn ground(animation: &Animation, options: &Options, pen: &mut Pen<'_>) -> String {
    if options.background == Background::Transparent
        || animation.palette.swatches.is_empty()
    {
        return String::new();
    }
    let paint = Paint { swatch: 0, opacity: 1.0 };
    let class = if options.theme == ThemeChoice::Auto {
        pen.fills.insert(0);
        format!(" class=\"f0-{DIGEST}\"")
    } else {
        String::new()
    };
    format!("<rect width=\"100%\" height=\"100%\" fill=\"{}\"{class}/>", pen.color(paint))
}

fn frame(animation: &Animation, at: Millis, pen: &mut Pen<'_>) -> String {
    let list = animation.sample(at);
    let items = list.items.iter().map(|placed| {
        let (x, y) = (shown(placed.offset.x), shown(placed.offset.y));
        let moved = if (x.as_str(), y.as_str()) == ("0", "0") {
            String::new()
        } else {
            format!(" transform=\"translate({x} {y})\"")
        };
        pen.item(placed.item, &moved)
    });
    items.collect()
}

fn style(animation: &Animation, options: &Options, pen: &Pen<'_>, rules: &str) -> String {
    let mut out = "<style>".to_owned();
    out.push_str(&fonts::rules(options));
    out.push_str(&format!(".t-{DIGEST}{{font-feature-settings:\"calt\" 0,\"liga\" 0}}"));
    out.push_str(rules);
    if options.theme == ThemeChoice::Auto {
        let dark = |swatch: &u16| {
            let swatch = animation.palette.swatches.get(usize::from(*swatch))?;
            (swatch.light != swatch.dark).then(|| hex(swatch.dark))
        };
        out.push_str("@media(prefers-color-scheme:dark){");
        for swatch in &pen.fills {
            if let Some(color) = dark(swatch) {
                out.push_str(&format!(".f{swatch}-{DIGEST}{{fill:{color}}}"));
            }
        }
        for swatch in &pen.strokes {
            if let Some(color) = dark(swatch) {
                out.push_str(&format!(".s{swatch}-{DIGEST}{{stroke:{color}}}"));
            }
        }
        out.push('}');
    }
    out.push_str("</style>");
    out
}
