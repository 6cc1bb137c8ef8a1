//! Moving over: a Mermaid diagram as the YAML document that says the same.

use topomotion_model::{Diagnostic, FileId, Span};

use crate::source::{Language, Source};
use crate::{Compiled, NoFiles, Options, compile, yaml};

/// A diagram that was moved over.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The document, unless there was an error.
    pub yaml: Option<String>,
    /// The topology, and what was found.
    pub compiled: Compiled,
}

/// Writes a Mermaid diagram as a YAML document with the same picture.
///
/// ```
/// use topomotion_script::{Source, import};
///
/// let imported = import(&Source::new("shop.mmd", "flowchart LR\n  shop --> db[(Orders)]"));
/// let yaml = imported.yaml.expect("a diagram without mistakes");
/// assert!(yaml.contains("- id: db\n    label: Orders\n    shape: cylinder\n"), "{yaml}");
/// ```
pub fn import(source: &Source) -> Imported {
    if source.language != Language::Mermaid {
        let mut compiled = Compiled::default();
        compiled.sources.add(&source.name, "");
        let start = Some(Span { file: FileId(0), start: 0, end: 0 });
        let message = format!("{} is no Mermaid diagram", source.name);
        compiled.diagnostics.push(
            Diagnostic::error("not-mermaid", message, start)
                .help("diagrams are .mmd or .mermaid; a script needs no import"),
        );
        return Imported { yaml: None, compiled };
    }
    let compiled = compile(source, &NoFiles, &Options::default());
    let document = compiled.topology.as_ref().and_then(yaml::write);
    let head =
        format!("# Imported from {}\n", source.name.replace(char::is_control, " "));
    Imported { yaml: document.map(|text| head + &text), compiled }
}
