//! `topomotion new`: a script to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::args::{New, Template};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Writes the template; never over anything.
pub fn run(arguments: &New, terminal: &Terminal) -> Result<(), Failure> {
    let (text, ending) = match arguments.template {
        Template::Kafka => (include_str!("../../templates/kafka.ts"), "ts"),
        Template::Flow => (include_str!("../../templates/flow.ts"), "ts"),
        Template::Yaml => (include_str!("../../templates/kafka.yaml"), "yaml"),
    };
    let path = named(&arguments.name, ending)?;
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::message(format!("{} is there already", path.display()))
                .help("choose another name; nothing is overwritten")
        }
        _ => Failure::unwritable(&path, &error),
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a script helps nobody.
        let _ = std::fs::remove_file(&path);
        Failure::unwritable(&path, &error)
    })?;
    let name = path.display();
    terminal
        .say(&format!("wrote {name}; next: topomotion render {name} -o {}", film(&path)));
    Ok(())
}

fn named(name: &str, ending: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(name);
    if path.file_name().is_none() || name.ends_with(['/', '\\']) || name == "-" {
        return Err(Failure::usage(format!("`{name}` is no name for a file")));
    }
    Ok(if path.extension().is_some() { path } else { path.with_extension(ending) })
}

fn film(script: &Path) -> String {
    let stem = script.file_stem().unwrap_or_default();
    format!("{}.svg", stem.to_string_lossy())
}
