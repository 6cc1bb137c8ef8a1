//! What is handed to the compiler: a name, the bytes, and the language they are in.
//!
//! The bytes are checked here, once: size first, then UTF-8. Everything behind this file
//! sees text only.

use topomotion_model::{Diagnostic, FileId, Span};

use crate::mermaid::is_mermaid;

/// The largest script that is read, in bytes.
pub const LARGEST_SOURCE: usize = 10 * 1024 * 1024;

/// A script as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: its path, or `-` for standard input.
    pub name: String,
    /// Its bytes; they need not be text, the compiler says so if they are not.
    pub bytes: Vec<u8>,
    /// Which front end reads it.
    pub language: Language,
}

/// Which front end reads a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `.ts`, `.mts`
    TypeScript,
    /// `.js`, `.mjs`
    JavaScript,
    /// `.yaml`, `.yml`, and `.json`, which is YAML too
    Yaml,
    /// `.mmd`, `.mermaid`
    Mermaid,
}

impl Language {
    /// The language that a file name tells, if its extension is one that we know.
    pub fn of_name(name: &str) -> Option<Language> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "ts" | "mts" => Some(Language::TypeScript),
            "js" | "mjs" => Some(Language::JavaScript),
            "yaml" | "yml" | "json" => Some(Language::Yaml),
            "mmd" | "mermaid" => Some(Language::Mermaid),
            _ => None,
        }
    }

    /// The language that the text itself suggests; for standard input, which has no name.
    ///
    /// A Mermaid diagram names its kind first.
    /// YAML and JSON documents open with a key, a brace, a directive or a comment sign; a
    /// script opens with a keyword, an identifier that is used, or a slash comment. The
    /// first line that is neither blank nor a comment decides, TypeScript wins a tie.
    pub fn sniff(text: &str) -> Language {
        if is_mermaid(text) {
            return Language::Mermaid;
        }
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let telling = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        let Some(line) = telling else { return Language::TypeScript };
        if line.starts_with('{') || line.starts_with("---") || line.starts_with('%') {
            return Language::Yaml;
        }
        let key = line.split(':').next().unwrap_or_default().trim_matches(['"', '\'']);
        let is_word = |key: &str| {
            !key.is_empty()
                && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        match line.split_once(':') {
            Some((_, rest))
                if is_word(key) && (rest.is_empty() || rest.starts_with(' ')) =>
            {
                Language::Yaml
            }
            Some(_) | None => Language::TypeScript,
        }
    }
}

impl Source {
    /// A source whose language its name tells, or else its text.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Source {
        let (name, bytes) = (name.into(), bytes.into());
        let language = Language::of_name(&name).unwrap_or_else(|| {
            let head = &bytes[..bytes.len().min(64 * 1024)];
            Language::sniff(&String::from_utf8_lossy(head))
        });
        Source { name, bytes, language }
    }

    /// The source as text, without a byte order mark.
    pub(crate) fn text(&self, file: FileId) -> Result<String, Box<Diagnostic>> {
        if self.bytes.len() > LARGEST_SOURCE {
            let (size, limit) =
                (self.bytes.len() / 1024 / 1024, LARGEST_SOURCE / 1024 / 1024);
            return Err(Box::new(
                Diagnostic::error(
                    "source-too-large",
                    format!("{} is {size} MB; at most {limit} MB are read", self.name),
                    None,
                )
                .help("build large topologies with a loop in a short script"),
            ));
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
            Err(error) => {
                let byte = error.valid_up_to();
                let span = Span { file, start: 0, end: 0 };
                Err(Box::new(
                    Diagnostic::error(
                        "not-text",
                        format!("{} is not text: byte {byte} is not UTF-8", self.name),
                        Some(span),
                    )
                    .help("save the script as UTF-8; a picture or an archive cannot be compiled"),
                ))
            }
        }
    }
}
