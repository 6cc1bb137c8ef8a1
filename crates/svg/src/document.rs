//! The file as a whole.

use topomotion_scene::{Animation, FontFace, Millis, Paint, Palette, Rgb, Swatch};

use crate::film::{self, Film};
use crate::fonts;
use crate::options::{Background, Options, Size, ThemeChoice};
use crate::pen::{Pen, hex};
use crate::text::{DIGEST, digest, escape, shown, slug};

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
        body.push_str(&format!("<defs aria-hidden=\"true\">{}</defs>", film.defs));
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
    let across = animation.size.width + 2.0 * padding;
    let down = animation.size.height + 2.0 * padding;
    let factor = match options.size {
        Size::Natural => 1.0,
        Size::Scale(factor) => factor,
        Size::Width(width) => width / across.max(f64::MIN_POSITIVE),
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown_width}\" \
         height=\"{shown_height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"graphics-document document\" \
         aria-labelledby=\"n-{DIGEST}\" aria-describedby=\"d-{DIGEST}\">\
         <title id=\"n-{DIGEST}\">",
        width = shown(across),
        height = shown(down),
        shown_width = shown(across * factor),
        shown_height = shown(down * factor),
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
        out.push_str(&repaint(&animation.palette, pen));
    }
    out.push_str("</style>");
    out
}

/// The colours as custom properties that a page may set, and in the dark.
///
/// Readers that know no custom properties know no `@supports` either and keep to the
/// attributes.
fn repaint(palette: &Palette, pen: &Pen<'_>) -> String {
    let rules = |is_told: fn(&Swatch) -> bool, color: fn(&Swatch) -> Rgb| {
        let used = [("f", "fill", &pen.fills), ("s", "stroke", &pen.strokes)];
        let mut out = String::new();
        for (letter, property, swatches) in used {
            for place in swatches {
                let swatch = palette.swatches.get(usize::from(*place));
                let Some(swatch) = swatch.filter(|swatch| is_told(swatch)) else {
                    continue;
                };
                let (name, color) = (slug(&swatch.name), hex(color(swatch)));
                out.push_str(&format!(
                    ".{letter}{place}-{DIGEST}{{{property}:var(--tm-{name},{color})}}"
                ));
            }
        }
        out
    };
    let light = rules(|_| true, |swatch| swatch.light);
    let dark = rules(|swatch| swatch.light != swatch.dark, |swatch| swatch.dark);
    format!(
        "@supports(fill:var(--t)){{{light}@media(prefers-color-scheme:dark){{{dark}}}}}"
    )
}
