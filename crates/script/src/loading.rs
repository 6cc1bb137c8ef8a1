//! From a script to a program: its siblings found, read and checked against its imports.

use std::collections::BTreeMap;

use topomotion_model::{Diagnostic, FileId, Span, nearest};

use crate::api;
use crate::files::{FileError, Files};
use crate::sandbox::{Program, TOOLKIT, Target};
use crate::source::{Language, Source};
use crate::source_map::SourceMap;
use crate::typescript::{
    Dialect, Exports, Import, ImportForm, ImportedName, Module, Part, on_deep_stack, read,
};

/// More files than any script needs.
const MOST_FILES: usize = 200;

/// A script and its siblings, ready to run.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The script first; the place is the file's number.
    pub modules: Vec<Module>,
    /// Where each module stands, relative to the script's folder.
    paths: Vec<String>,
    targets: BTreeMap<(u32, String), Target>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// The program, as the sandbox takes it.
    pub(crate) fn program(&self) -> Program {
        Program {
            files: self.modules.iter().map(|module| module.code.clone()).collect(),
            imports: self
                .modules
                .first()
                .map(|script| self.prelude(script))
                .unwrap_or_default(),
            targets: self.targets.clone(),
        }
    }

    /// The script's imports as `const`s, because a function's body cannot import.
    fn prelude(&self, script: &Module) -> String {
        let mut prelude = String::new();
        for import in
            script.imports.iter().filter(|one| one.form == ImportForm::Statement)
        {
            let from = &import.from;
            let Some(target) = self.targets.get(&(0, from.clone())) else { continue };
            let module = format!("await import({from:?})");
            let wanted = import.names.iter().filter(|name| !self.is_type(*target, name));
            let mut names = Vec::new();
            for ImportedName { imported, local, .. } in wanted {
                match imported.as_str() {
                    "*" => prelude.push_str(&format!("const {local} = {module}; ")),
                    imported => names.push(format!("{imported:?}: {local}")),
                }
            }
            let nothing_wanted = names.is_empty() && !import.names.is_empty();
            if names.is_empty() && !nothing_wanted {
                prelude.push_str(&format!("{module}; "));
            } else if !names.is_empty() {
                prelude
                    .push_str(&format!("const {{ {} }} = {module}; ", names.join(", ")));
            }
        }
        prelude
    }

    /// Whether an imported name is only a type, which does not exist when the script runs.
    fn is_type(&self, target: Target, name: &ImportedName) -> bool {
        match target {
            Target::Toolkit => TOOLKIT_TYPES.contains(&name.imported.as_str()),
            Target::File(file) => {
                let exports = &self.modules[file as usize].exports;
                exports.types.contains(&name.imported)
                    && !exports.values.contains(&name.imported)
            }
        }
    }
}

/// The types that `topomotion` declares beside its classes.
pub(crate) const TOOLKIT_TYPES: &[&str] = &[
    "Acks",
    "Builder",
    "ClusterConfig",
    "Condition",
    "EdgeOptions",
    "GroupBuilder",
    "GroupConfig",
    "Icon",
    "KafkaBuilder",
    "Layer",
    "Position",
    "ProcessConfig",
    "ProcessKafka",
    "ProcessState",
    "ProduceOptions",
    "Role",
    "ScenarioOptions",
    "Shape",
    "ShardRole",
    "StepOptions",
    "TopicConfig",
    "WaitOptions",
    "Direction",
    "Capacity",
    "Settings",
];

/// Reads the script and everything that it imports. The script is already in `sources`.
pub(crate) fn load(
    source: &Source,
    files: &dyn Files,
    sources: &mut SourceMap,
) -> Loaded {
    let mut loaded = Loaded { paths: vec![own_path(&source.name)], ..Loaded::default() };
    let dialect = match source.language {
        Language::JavaScript => Dialect::JavaScript,
        Language::TypeScript | Language::Yaml | Language::Mermaid => Dialect::TypeScript,
    };
    let mut next = Some((dialect, Part::Script));
    while let Some((dialect, part)) = next {
        let file = FileId(loaded.modules.len() as u32);
        let text = sources.file(file).map_or("", |file| file.text.as_str());
        let module = on_deep_stack(|levels| read(text, file, dialect, part, levels));
        let Some(module) = module else {
            loaded.diagnostics.push(no_room());
            return loaded;
        };
        loaded.diagnostics.extend(module.diagnostics.iter().cloned());
        let imports = module.imports.clone();
        loaded.modules.push(module);
        for import in &imports {
            find(import, file, files, source, &mut loaded, sources);
        }
        // Files that were found wait in `paths` until their turn comes.
        next = loaded.paths.get(loaded.modules.len()).map(|path| {
            let dialect = match Language::of_name(path) {
                Some(Language::JavaScript) => Dialect::JavaScript,
                Some(Language::TypeScript | Language::Yaml | Language::Mermaid)
                | None => Dialect::TypeScript,
            };
            (dialect, Part::Sibling)
        });
    }
    if loaded.diagnostics.is_empty() {
        check_names(&mut loaded);
    }
    loaded
}

fn no_room() -> Diagnostic {
    Diagnostic::error("no-memory", "there is no memory to read the script with", None)
        .help("close other programs, or raise the limit on address space")
}

/// The script's own path, as seen from its own folder.
fn own_path(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
}

/// What a file in the script's folder is called in messages.
fn display_name(script: &str, path: &str) -> String {
    match script.rfind(['/', '\\']) {
        Some(slash) => format!("{}{path}", &script[..=slash]),
        None => path.to_owned(),
    }
}

fn find(
    import: &Import,
    importer: FileId,
    files: &dyn Files,
    source: &Source,
    loaded: &mut Loaded,
    sources: &mut SourceMap,
) {
    let key = (importer.0, import.from.clone());
    if loaded.targets.contains_key(&key) {
        return;
    }
    let span =
        Span { file: importer, start: import.from_at.start, end: import.from_at.end };
    if import.from == TOOLKIT {
        loaded.targets.insert(key, Target::Toolkit);
        return;
    }
    let base = &loaded.paths[importer.0 as usize];
    let path = match resolve(base, &import.from) {
        Ok(path) => path,
        Err(why) => {
            let message = format!("`{}` cannot be imported", import.from);
            loaded.diagnostics.push(
                Diagnostic::error("import-refused", message, Some(span)).at(why).help(
                    "a script imports 'topomotion' and files in its own folder: './name.ts'",
                ),
            );
            return;
        }
    };
    let candidates = candidates(&path);
    let known = |path: &String| loaded.paths.iter().position(|known| known == path);
    if let Some(file) = candidates.iter().find_map(known) {
        loaded.targets.insert(key, Target::File(file as u32));
        return;
    }
    if loaded.paths.len() >= MOST_FILES {
        let message = format!("the script imports more than {MOST_FILES} files");
        loaded.diagnostics.push(Diagnostic::error("too-many-files", message, Some(span)));
        return;
    }
    match open(&candidates, files, source, loaded.paths.len()) {
        Ok((path, text)) => {
            sources.add(display_name(&source.name, &path), text);
            loaded.targets.insert(key, Target::File(loaded.paths.len() as u32));
            loaded.paths.push(path);
        }
        Err(error) => {
            let span = error.span.or(Some(span));
            loaded.diagnostics.push(Diagnostic { span, ..*error });
        }
    }
}

/// The path of an imported file, relative to the script's folder.
fn resolve(base: &str, from: &str) -> Result<String, &'static str> {
    if !from.starts_with("./") && !from.starts_with("../") {
        return Err("packages, addresses and absolute paths are out of reach");
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in from.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("it lies outside the script's folder")?;
            }
            part if part.contains(['\\', ':', '\0']) => return Err("not a plain path"),
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => Err("it is a folder"),
        false => Ok(parts.join("/")),
    }
}

/// What may be meant: `./a`, `./a.ts`; and `./a.js` may be written for `./a.ts`.
fn candidates(path: &str) -> Vec<String> {
    let mut candidates = vec![path.to_owned()];
    match path.strip_suffix(".js").or_else(|| path.strip_suffix(".mjs")) {
        Some(stem) => candidates.push(format!("{stem}.ts")),
        None if !path.ends_with(".ts") => {
            candidates.extend([format!("{path}.ts"), format!("{path}.js")]);
        }
        None => {}
    }
    candidates
}

fn open(
    candidates: &[String],
    files: &dyn Files,
    source: &Source,
    file: usize,
) -> Result<(String, String), Box<Diagnostic>> {
    for path in candidates {
        let is_script = matches!(
            Language::of_name(path),
            Some(Language::TypeScript | Language::JavaScript)
        );
        if !is_script {
            continue;
        }
        match files.read(path) {
            Ok(bytes) => {
                let name = display_name(&source.name, path);
                let sibling = Source { name, bytes, language: Language::TypeScript };
                return match sibling.text(FileId(file as u32)) {
                    Ok(text) => Ok((path.clone(), text)),
                    Err(error) => Err(Box::new(Diagnostic { span: None, ..*error })),
                };
            }
            Err(FileError::NotFound) => {}
            Err(FileError::Unreadable(why)) => {
                let message = format!("{path} cannot be read: {why}");
                return Err(Box::new(Diagnostic::error(
                    "import-unreadable",
                    message,
                    None,
                )));
            }
        }
    }
    let path = candidates.first().map_or("", String::as_str);
    let message = format!("there is no file `{path}` in the script's folder");
    let help =
        "the path is relative to the file that imports, and names a .ts or .js file";
    let error = Diagnostic::error("import-not-found", message, None).at("not found");
    Err(Box::new(error.help(help)))
}

/// Every imported name must be exported.
fn check_names(loaded: &mut Loaded) {
    let toolkit = Exports {
        values: api::public_names().map(str::to_owned).collect(),
        types: TOOLKIT_TYPES.iter().map(|name| (*name).to_owned()).collect(),
        has_star: false,
    };
    let mut found = Vec::new();
    for (file, module) in loaded.modules.iter().enumerate() {
        for import in &module.imports {
            let key = (file as u32, import.from.clone());
            let exports = match loaded.targets.get(&key) {
                Some(Target::Toolkit) => &toolkit,
                Some(Target::File(target)) => &loaded.modules[*target as usize].exports,
                None => continue,
            };
            let file = FileId(file as u32);
            let unknown = import.names.iter().filter(|name| !exports.has(&name.imported));
            found.extend(
                unknown.map(|name| not_exported(name, &import.from, file, exports)),
            );
        }
    }
    loaded.diagnostics.extend(found);
    blank_types(loaded);
}

impl Exports {
    fn has(&self, name: &str) -> bool {
        name == "*"
            || self.has_star
            || self.values.iter().chain(&self.types).any(|one| one == name)
    }
}

fn not_exported(
    name: &ImportedName,
    from: &str,
    file: FileId,
    exports: &Exports,
) -> Diagnostic {
    let span = Span { file, start: name.at.start, end: name.at.end };
    let message = format!("`{from}` does not export `{}`", name.imported);
    let error =
        Diagnostic::error("not-exported", message, Some(span)).at("no such export");
    let names: Vec<&str> = exports.values.iter().map(String::as_str).collect();
    match nearest(&name.imported, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.help("it exports nothing"),
        None => error.help(format!("it exports {}", names.join(", "))),
    }
}

/// A sibling that imports a type without saying `type` must not look for it when it runs.
fn blank_types(loaded: &mut Loaded) {
    let mut blanks = Vec::new();
    for (file, module) in loaded.modules.iter().enumerate().skip(1) {
        for import in &module.imports {
            let Some(target) = loaded.targets.get(&(file as u32, import.from.clone()))
            else {
                continue;
            };
            let types = import.names.iter().filter(|name| loaded.is_type(*target, name));
            blanks.extend(types.map(|name| (file, name.at.clone())));
        }
    }
    for (file, at) in blanks {
        loaded.modules[file].blank_import(&at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_scripts_folder() {
        assert_eq!(resolve("a.ts", "./b").unwrap(), "b");
        assert_eq!(resolve("lib/a.ts", "../b.ts").unwrap(), "b.ts");
        assert_eq!(resolve("a.ts", "./x/./y/../z.ts").unwrap(), "x/z.ts");
        for (base, from) in [
            ("a.ts", "../b.ts"),
            ("a.ts", "./x/../../b.ts"),
            ("a.ts", "fs"),
            ("a.ts", "/etc/passwd"),
            ("a.ts", "https://example.org/a.ts"),
            ("a.ts", "./"),
            ("a.ts", "./c:\\b"),
        ] {
            assert!(resolve(base, from).is_err(), "{from}");
        }
    }

    #[test]
    fn a_js_path_may_mean_a_ts_file() {
        assert_eq!(candidates("a.js"), ["a.js", "a.ts"]);
        assert_eq!(candidates("a"), ["a", "a.ts", "a.js"]);
        assert_eq!(candidates("a.ts"), ["a.ts"]);
    }
}
