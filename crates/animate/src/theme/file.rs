//! A theme of one's own: a JSON file that names what is different.
//!
//! ```json
//! {
//!   "extends": "dark",
//!   "page": "#0b0f14",
//!   "broker": "#7c3aed",
//!   "packet-produce": "#6ee7b7"
//! }
//! ```
//!
//! `extends` is `light`, `dark` or `auto` (both, as the reader prefers; there, `light` and
//! `dark` hold what differs between the two). Every other name is one of the theme's
//! colours, or a role, whose inside, border and text are worked out from one colour.

use std::collections::BTreeMap;

use topomotion_model::{Diagnostic, FileId, Span, nearest};
use topomotion_scene::Rgb;

use super::json::{self, Key, Kind, Place, Value};
use super::{ROLES, Theme, color};

/// Which of its two tables a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// As the reader prefers.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What a theme file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeFile {
    /// The colours; those that the file does not name are the bundled ones.
    pub theme: Theme,
    /// Which of its tables is meant.
    pub scheme: Scheme,
    /// Doubts: texts that are hard to read.
    pub warnings: Vec<Diagnostic>,
}

impl ThemeFile {
    /// Reads a theme file that messages call `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place and with what to do.
    pub fn read(text: &str, file: FileId) -> Result<ThemeFile, Vec<Diagnostic>> {
        let mut reader = Reader { file, errors: Vec::new(), places: BTreeMap::new() };
        let entries = reader.entries(text);
        let scheme = reader.scheme(&entries);
        let mut theme = Theme::default();
        // What holds in both tables comes first, so that its order in the file means nothing.
        // Roles are worked out on the page, and single colours refine them.
        let (sections, mut colors): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(key, _)| table_of(&key.name).is_some());
        colors.sort_by_key(|(key, _)| rank(&key.name));
        for (key, value) in colors.iter().filter(|(key, _)| key.name != "extends") {
            reader.color(key, value, &tables(scheme), &mut theme);
        }
        for (key, value) in sections {
            reader.section(key, value, scheme, &mut theme);
        }
        if !reader.errors.is_empty() {
            return Err(reader.errors);
        }
        let warnings = reader.doubts(&theme, scheme);
        Ok(ThemeFile { theme, scheme, warnings })
    }
}

fn table_of(name: &str) -> Option<Scheme> {
    match name {
        "light" => Some(Scheme::Light),
        "dark" => Some(Scheme::Dark),
        _ => None,
    }
}

/// In which order colours are set.
fn rank(name: &str) -> u8 {
    match name {
        "page" => 0,
        role if ROLES.contains(&role) => 1,
        _ => 2,
    }
}

/// The tables that a scheme shows.
fn tables(scheme: Scheme) -> Vec<Scheme> {
    match scheme {
        Scheme::Auto => vec![Scheme::Light, Scheme::Dark],
        one => vec![one],
    }
}

struct Reader {
    file: FileId,
    errors: Vec<Diagnostic>,
    /// Where each colour was set, for doubts about it.
    places: BTreeMap<String, Place>,
}

impl Reader {
    fn span(&self, place: &Place) -> Option<Span> {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Some(Span { file: self.file, start: byte(place.start), end: byte(place.end) })
    }

    fn error(&mut self, code: &'static str, message: String, at: &Place, help: &str) {
        let error = Diagnostic::error(code, message, self.span(at)).help(help);
        self.errors.push(error);
    }

    fn entries(&mut self, text: &str) -> Vec<(Key, Value)> {
        match json::read(text) {
            Ok(Value { kind: Kind::Object(entries), .. }) => entries,
            Ok(Value { place, .. }) => {
                let message = "a theme is an object of names and colours".to_owned();
                let help = "write { \"extends\": \"dark\", \"page\": \"#0b0f14\" }";
                self.error("theme-syntax", message, &place, help);
                Vec::new()
            }
            Err(broken) => {
                let message = broken.message.to_owned();
                self.error("theme-syntax", message, &broken.place, broken.help);
                Vec::new()
            }
        }
    }

    fn scheme(&mut self, entries: &[(Key, Value)]) -> Scheme {
        let Some((_, value)) = entries.iter().find(|(key, _)| key.name == "extends")
        else {
            return Scheme::Auto;
        };
        match &value.kind {
            Kind::Text(text) if text == "auto" => Scheme::Auto,
            Kind::Text(text) if text == "light" => Scheme::Light,
            Kind::Text(text) if text == "dark" => Scheme::Dark,
            _ => {
                let message = "only a bundled theme can be extended".to_owned();
                let help = "write \"light\", \"dark\" or \"auto\"";
                self.error("theme-extends", message, &value.place, help);
                Scheme::Auto
            }
        }
    }

    /// `"dark": { … }`: colours of one table only.
    fn section(&mut self, key: &Key, value: &Value, scheme: Scheme, theme: &mut Theme) {
        let Kind::Object(entries) = &value.kind else {
            let message = format!("`{}` holds the colours of one table", key.name);
            let help = "write an object: { \"page\": \"#0b0f14\" }";
            return self.error("theme-value", message, &value.place, help);
        };
        let own = table_of(&key.name).unwrap_or_default();
        if scheme != Scheme::Auto && scheme != own {
            let message =
                format!("a theme that extends the other one never shows `{}`", key.name);
            let help = "extend \"auto\", or leave this section out";
            return self.error("theme-section", message, &key.place, help);
        }
        let mut entries: Vec<&(Key, Value)> = entries.iter().collect();
        entries.sort_by_key(|(key, _)| rank(&key.name));
        for (key, value) in entries {
            self.color(key, value, &[own], theme);
        }
    }

    fn color(&mut self, key: &Key, value: &Value, shown: &[Scheme], theme: &mut Theme) {
        let is_role = ROLES.contains(&key.name.as_str());
        if !is_role && !theme.light.contains_key(&key.name) {
            return self.unknown(key, theme);
        }
        let rgb = match &value.kind {
            Kind::Text(text) => {
                let text = text.trim().to_ascii_lowercase();
                color::parse_hex(&text).or_else(|| color::by_name(&text))
            }
            Kind::Object(_) | Kind::Other => None,
        };
        let Some(rgb) = rgb else { return self.bad_color(value) };
        for table in shown {
            let colors = match table {
                Scheme::Dark => &mut theme.dark,
                Scheme::Light | Scheme::Auto => &mut theme.light,
            };
            set(colors, &key.name, rgb, is_role);
        }
        self.places.insert(key.name.clone(), value.place.clone());
    }

    fn unknown(&mut self, key: &Key, theme: &Theme) {
        let names = theme.light.keys().map(String::as_str);
        let known: Vec<&str> =
            names.chain(ROLES).chain(["extends", "light", "dark"]).collect();
        let message = format!("a theme has no `{}`", key.name);
        let mut error = Diagnostic::error("theme-name", message, self.span(&key.place));
        error = match nearest(&key.name, known) {
            Some(name) => error
                .help(format!("did you mean `{name}`?"))
                .fix(self.span(&key.place), format!("\"{name}\"")),
            None => error.help("assets/themes/README.md lists all names"),
        };
        self.errors.push(error);
    }

    fn bad_color(&mut self, value: &Value) {
        let Kind::Text(text) = &value.kind else {
            let message = "a colour is a text".to_owned();
            return self.error("theme-value", message, &value.place, "write \"#2b5387\"");
        };
        let message = format!("`{text}` is no colour");
        let mut error =
            Diagnostic::error("theme-color", message, self.span(&value.place));
        let digits = text.trim().trim_start_matches('#');
        let is_bare = color::parse_hex(&format!("#{digits}")).is_some();
        let name = nearest(text, color::NAMES.iter().map(|(name, _)| *name));
        error = match (is_bare, name) {
            (true, _) => error
                .help("a colour begins with #")
                .fix(self.span(&value.place), format!("\"#{digits}\"")),
            (false, Some(name)) => error.help(format!("did you mean `{name}`?")),
            (false, None) => error
                .help("write # and six hexadecimal digits (\"#2b5387\"), or a name such as teal"),
        };
        self.errors.push(error);
    }

    /// Texts that this file has made hard to read.
    fn doubts(&self, theme: &Theme, scheme: Scheme) -> Vec<Diagnostic> {
        let mut doubts = Vec::new();
        for faint in theme.faint() {
            let place = [&faint.mark, &faint.ground].into_iter().find_map(|name| {
                let role = name.rsplit_once('-').map_or("", |(role, _)| role);
                self.places.get(name).or_else(|| self.places.get(role))
            });
            let (Some(place), true) = (place, tables(scheme).contains(&faint.table))
            else {
                continue;
            };
            let message = format!(
                "`{}` on `{}` has a contrast of {:.1} : 1, which is hard to see",
                faint.mark, faint.ground, faint.contrast
            );
            let help = format!(
                "{} : 1 is the least; make one of them lighter or darker",
                faint.least
            );
            let warning =
                Diagnostic::warning("theme-contrast", message, self.span(place));
            doubts.push(warning.help(help));
        }
        doubts
    }
}

/// Sets a colour, or the three of a role.
fn set(colors: &mut BTreeMap<String, String>, name: &str, rgb: Rgb, is_role: bool) {
    if !is_role {
        colors.insert(name.to_owned(), color::hex(rgb));
        return;
    }
    let page = colors.get("page").and_then(|page| color::parse_hex(page));
    let trio = color::trio(rgb, page.unwrap_or(Rgb(255, 255, 255)));
    for (part, rgb) in ["fill", "line", "ink"].into_iter().zip(trio) {
        colors.insert(format!("{name}-{part}"), color::hex(rgb));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ThemeFile, Vec<Diagnostic>> {
        ThemeFile::read(text, FileId(0))
    }

    fn first_error(text: &str) -> (String, String, String) {
        let error = read(text).unwrap_err().swap_remove(0);
        let span = error.span.unwrap();
        let at = text[span.start as usize..span.end as usize].to_owned();
        (error.message, at, error.help.unwrap_or_default())
    }

    #[test]
    fn what_a_file_does_not_name_stays_as_it_is() {
        let file =
            read(r##"{"extends": "dark", "page": "#000", "line": "teal"}"##).unwrap();
        let bundled = Theme::default();
        assert_eq!(file.scheme, Scheme::Dark);
        assert_eq!(file.theme.dark["page"], "#000000");
        assert_eq!(file.theme.dark["line"], "#118a84");
        assert_eq!(file.theme.dark["ink"], bundled.dark["ink"]);
        assert_eq!(file.theme.light, bundled.light);
        assert_eq!(read("{}").unwrap().theme, bundled);
    }

    #[test]
    fn a_role_in_one_colour_can_be_read_in_both_tables() {
        let file = read(r##"{"broker": "#7c3aed", "service": "yellow"}"##).unwrap();
        assert_eq!(file.scheme, Scheme::Auto);
        assert!(file.warnings.is_empty(), "{:?}", file.warnings);
        assert_ne!(file.theme.light["broker-fill"], file.theme.dark["broker-fill"]);
    }

    #[test]
    fn sections_outweigh_what_holds_for_both() {
        let text = r##"{"dark": {"page": "#101010"}, "page": "#fafafa"}"##;
        let file = read(text).unwrap();
        assert_eq!(file.theme.light["page"], "#fafafa");
        assert_eq!(file.theme.dark["page"], "#101010");
        let (message, ..) = first_error(r#"{"extends": "dark", "light": {}}"#);
        assert!(message.contains("never shows `light`"), "{message}");
    }

    #[test]
    fn a_mistyped_name_is_told_with_the_nearest() {
        let (message, at, help) = first_error(r##"{"brokr-fill": "#fff"}"##);
        assert_eq!(
            (at.as_str(), help.as_str()),
            ("\"brokr-fill\"", "did you mean `broker-fill`?")
        );
        assert_eq!(message, "a theme has no `brokr-fill`");
        assert!(first_error(r##"{"zzzzzzzz": "#fff"}"##).2.contains("README"));
    }

    #[test]
    fn a_bad_colour_is_told_with_its_place() {
        let (message, at, help) = first_error(r##"{"page": "1b2431"}"##);
        assert_eq!(
            (message.as_str(), at.as_str()),
            ("`1b2431` is no colour", "\"1b2431\"")
        );
        assert_eq!(help, "a colour begins with #");
        assert!(first_error(r#"{"page": "tael"}"#).2.contains("teal"));
        assert!(first_error(r#"{"page": 7}"#).0.contains("is a text"));
        assert!(first_error(r#"{"extends": "solarized"}"#).2.contains("auto"));
        assert!(first_error("[]").0.contains("object"));
        assert!(first_error("{\"page\": \"#fff\",}").2.contains("comma"));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let mistakes = read(r#"{"pge": "x", "ink": "y", "dark": 3}"#).unwrap_err();
        assert_eq!(mistakes.len(), 3);
    }

    #[test]
    fn a_text_that_can_hardly_be_read_is_a_warning_at_its_place() {
        let text = r##"{"extends": "light", "ink": "#dddddd"}"##;
        let file = read(text).unwrap();
        let warning = &file.warnings[0];
        let span = warning.span.unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], "\"#dddddd\"");
        assert!(warning.message.contains("`ink` on `page`"), "{}", warning.message);
        assert!(
            read(r##"{"extends": "dark", "ink": "#dddddd"}"##)
                .unwrap()
                .warnings
                .is_empty()
        );
    }
}
