//! The file as a whole.

use std::collections::BTreeMap;

use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, TextStr};
use topomotion_scene::{Animation, DisplayList, Millis};

use crate::Error;
use crate::fonts::{Font, resource};
use crate::options::{Options, Size};
use crate::page::{Opacities, Page, characters};

/// Points to a px.
const POINTS: f64 = 0.75;
/// The most that a page may measure on a side, pt (ISO 32000-1, annex C).
const SIDE_MAX: f64 = 14_400.0;

/// Hands out the numbers of objects.
#[derive(Debug)]
pub(crate) struct Ids(i32);

impl Ids {
    /// A number that is not taken.
    pub fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// The film at these moments, a page for each.
pub fn pdf(
    film: &Animation,
    moments: &[Millis],
    options: &Options,
) -> Result<Vec<u8>, Error> {
    let scale = scale(film, options)?;
    let lists: Vec<DisplayList<'_>> = moments.iter().map(|&at| film.sample(at)).collect();
    if lists.is_empty() {
        return Err(Error::Empty);
    }
    let mut used = BTreeMap::new();
    for list in &lists {
        characters(list, &mut used);
    }
    let faces = used.into_iter();
    let fonts: BTreeMap<_, _> =
        faces.map(|(face, characters)| (face, Font::new(face, &characters))).collect();
    let mut opacities = Opacities::new();
    let contents = lists
        .iter()
        .map(|list| Page::draw(list, scale, options, &fonts, &mut opacities))
        .collect();
    let size = [film.size.width * scale, film.size.height * scale];
    Ok(Document { film, size, contents, fonts, opacities }.write())
}

/// Points to a px, once the page is known to be possible.
fn scale(film: &Animation, options: &Options) -> Result<f64, Error> {
    let (width, height) = (film.size.width, film.size.height);
    if !(width > 0.0 && height > 0.0) {
        return Err(Error::Empty);
    }
    let factor = match options.size {
        Size::Natural => 1.0,
        Size::Scale(factor) => factor,
        Size::Width(wanted) => wanted / width,
    };
    if !(factor.is_finite() && factor > 0.0) {
        return Err(Error::Empty);
    }
    let scale = factor * POINTS;
    if width.max(height) * scale > SIDE_MAX {
        let (width, height) = (width * factor, height * factor);
        return Err(Error::TooLarge { width, height, side_max: SIDE_MAX / POINTS });
    }
    Ok(scale)
}

struct Document<'a> {
    film: &'a Animation,
    /// In pt.
    size: [f64; 2],
    contents: Vec<Vec<u8>>,
    fonts: BTreeMap<topomotion_scene::FontFace, Font>,
    opacities: Opacities,
}

impl Document<'_> {
    fn write(&self) -> Vec<u8> {
        let mut ids = Ids(0);
        let [catalog, tree, info] = [ids.next(), ids.next(), ids.next()];
        let mut pdf = Pdf::new();
        let mut root = pdf.catalog(catalog);
        root.pages(tree).lang(TextStr("en"));
        root.viewer_preferences().display_doc_title(true);
        root.finish();
        let mut about = pdf.document_info(info);
        about.title(TextStr(&self.film.title)).producer(TextStr("topomotion"));
        if !self.film.description.is_empty() {
            about.subject(TextStr(&self.film.description));
        }
        about.finish();
        let fonts: Vec<(Name<'_>, Ref)> = self
            .fonts
            .values()
            .map(|font| (resource(font.face()), font.write(&mut pdf, &mut ids)))
            .collect();
        let states: Vec<(u16, usize, Ref)> = self
            .opacities
            .iter()
            .map(|(&opacity, &place)| (opacity, place, ids.next()))
            .collect();
        for &(opacity, _, id) in &states {
            let opacity = f32::from(opacity) / 1000.0;
            pdf.ext_graphics(id).non_stroking_alpha(opacity).stroking_alpha(opacity);
        }
        let pages: Vec<(Ref, Ref)> =
            self.contents.iter().map(|_| (ids.next(), ids.next())).collect();
        let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|(page, _)| *page)).count(count);
        for (&(id, content), operators) in pages.iter().zip(&self.contents) {
            let mut page = pdf.page(id);
            let [width, height] = self.size.map(|side| side as f32);
            page.parent(tree).contents(content);
            page.media_box(Rect::new(0.0, 0.0, width, height));
            // Opacities blend as on a screen.
            page.group().transparency().color_space().device_rgb();
            let mut resources = page.resources();
            let mut named = resources.fonts();
            for (name, font) in &fonts {
                named.pair(*name, font);
            }
            named.finish();
            let mut named = resources.ext_g_states();
            for (_, place, state) in &states {
                named.pair(Name(format!("G{place}").as_bytes()), state);
            }
            named.finish();
            resources.finish();
            page.finish();
            pdf.stream(content, &packed(operators)).filter(Filter::FlateDecode);
        }
        pdf.finish()
    }
}

/// The bytes, compressed.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, 9)
}
