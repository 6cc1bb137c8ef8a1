//! `--theme`: a bundled theme, or a file of one's own.

use std::fmt;

use topomotion_animate::{Scheme, Theme, ThemeFile};
use topomotion_model::nearest;
use topomotion_script::SourceMap;

use crate::args::Format;
use crate::failure::Failure;
use crate::input;
use crate::report::Report;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A bundled theme.
    Bundled(Scheme),
    /// A file.
    File(String),
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wish::Bundled(Scheme::Auto) => f.write_str("auto"),
            Wish::Bundled(Scheme::Light) => f.write_str("light"),
            Wish::Bundled(Scheme::Dark) => f.write_str("dark"),
            Wish::File(path) => f.write_str(path),
        }
    }
}

/// `light`, `dark`, `auto`, or the path of a file.
pub fn wish(text: &str) -> Result<Wish, String> {
    let bundled =
        [("light", Scheme::Light), ("dark", Scheme::Dark), ("auto", Scheme::Auto)];
    if let Some((_, scheme)) = bundled.iter().find(|(name, _)| *name == text) {
        return Ok(Wish::Bundled(*scheme));
    }
    if text.to_ascii_lowercase().ends_with(".json") {
        return Ok(Wish::File(text.to_owned()));
    }
    let known = bundled.iter().map(|(name, _)| *name);
    Err(match nearest(text, known) {
        Some(name) => format!("no theme is called `{text}`: did you mean `{name}`?"),
        None => format!(
            "no theme is called `{text}`: write light, dark, auto, or the path of a .json file"
        ),
    })
}

/// The colours, and which of them are shown. A wish for a picture that follows its reader is
/// answered where the form cannot.
pub fn load(
    wish: Option<&Wish>,
    format: Format,
    report: &Report<'_>,
) -> Result<(Theme, Scheme), Failure> {
    let (theme, scheme) = match wish {
        None => (Theme::default(), Scheme::Auto),
        Some(Wish::Bundled(scheme)) => (Theme::default(), *scheme),
        Some(Wish::File(path)) => file(path, report)?,
    };
    let pixels = matches!(format, Format::Gif | Format::Png | Format::Pdf);
    if wish.is_some() && scheme == Scheme::Auto && pixels {
        report.terminal().say(
            "note: this form cannot follow its reader's colour scheme: `auto` is light here \
             (choose with --theme light or --theme dark)",
        );
    }
    Ok((theme, scheme))
}

fn file(path: &str, report: &Report<'_>) -> Result<(Theme, Scheme), Failure> {
    let text = input::read_text(path)?;
    let mut sources = SourceMap::default();
    let id = sources.add(path, text.clone());
    match ThemeFile::read(&text, id) {
        Ok(read) => {
            report.tell(path, &sources, &read.warnings);
            Ok((read.theme, read.scheme))
        }
        Err(mistakes) => {
            report.tell(path, &sources, &mistakes);
            Err(Failure::Told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_a_name_or_a_file() {
        assert_eq!(wish("dark"), Ok(Wish::Bundled(Scheme::Dark)));
        assert_eq!(wish("my/Theme.JSON"), Ok(Wish::File("my/Theme.JSON".into())));
        assert!(wish("drak").unwrap_err().contains("did you mean `dark`"));
        assert!(wish("solarized").unwrap_err().contains(".json"));
        for name in ["light", "dark", "auto", "a.json"] {
            assert_eq!(wish(name).unwrap().to_string(), name);
        }
    }
}
