//! Inputs that are no scripts, and scripts that would take too much.

mod common;

use std::time::Duration;

use common::{compile_text, render};
use topomotion_script::{
    Compiled, FileError, Files, LARGEST_SOURCE, MemoryFiles, Options, Source, compile,
};

fn told(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let source = Source::new(name, bytes);
    render(&compile(&source, &MemoryFiles::default(), &Options::default()))
}

#[test]
fn an_empty_file_says_how_to_begin() {
    for text in ["", "  \n\t\n"] {
        assert_eq!(
            told("a.ts", text),
            "error[empty-source] a.ts is empty\n  a.ts:1:1 \"\" \n  \
             help: begin with `const topology = new TopologyBuilder()`, or `topomotion new`\n"
        );
    }
}

#[test]
fn a_binary_file_is_not_text() {
    assert_eq!(
        told("picture.ts", b"\x89PNG\r\n".to_vec()),
        "error[not-text] picture.ts is not text: byte 0 is not UTF-8\n  picture.ts:1:1 \"\" \n  \
         help: save the script as UTF-8; a picture or an archive cannot be compiled\n"
    );
}

#[test]
fn a_file_of_fifty_megabytes_is_refused() {
    assert_eq!(
        told("big.ts", vec![b' '; 5 * LARGEST_SOURCE]),
        "error[source-too-large] big.ts is 50 MB; at most 10 MB are read\n  \
         help: build large topologies with a loop in a short script\n"
    );
}

#[test]
fn a_large_but_allowed_file_compiles() {
    let line = "topology.createProcess({ id: `a-${n++}`, label: 'A process' });\n";
    let script = format!(
        "const topology = new TopologyBuilder(); let n = 0;\n{}",
        line.repeat(2_000)
    );
    let compiled = compile_text("a.ts", &script);
    assert_eq!(compiled.topology.expect("a topology").processes.len(), 2_000);
}

#[test]
fn too_many_processes_and_calls_are_refused_where_it_happens() {
    let script = "const t = new TopologyBuilder();\nfor (let i = 0; i < 11000; i++) t.createProcess({ id: 'p' + i });";
    let text = told("a.ts", script);
    assert!(
        text.contains("error[too-many-processes] the topology has more than 10000"),
        "{text}"
    );
    assert!(text.contains("a.ts:2:"), "{text}");
    let script =
        "const t = new TopologyBuilder();\nfor (;;) t.createGroup('g').newRow();";
    // Unoptimised and on a busy machine, so many calls take longer than a script may.
    let options = Options { time_limit: Duration::from_secs(120), ..Options::default() };
    let source = Source::new("a.ts", script);
    let text = render(&compile(&source, &MemoryFiles::default(), &options));
    assert!(text.contains("the script makes more than 100000 builder calls"), "{text}");
}

#[test]
fn a_stuck_built_in_is_given_up_soon_after_its_time() {
    let options =
        Options { time_limit: Duration::from_millis(200), ..Options::default() };
    let text = "const q = [];\nq.length = 2 ** 32 - 1;\nq.sort();";
    let compiled: Compiled =
        compile(&Source::new("stuck.ts", text), &MemoryFiles::default(), &options);
    let told = render(&compiled);
    assert!(
        told.starts_with("error[script-stuck] stuck.ts hung in a built-in"),
        "{told}"
    );
    assert!(told.contains("stuck.ts:3:3 \"sort()\""), "{told}");
}

#[test]
fn the_memory_limit_holds_for_lists_texts_and_buffers() {
    let options = Options { memory_limit: 16 * 1024 * 1024, ..Options::default() };
    for script in [
        "const a = []; for (;;) a.push([1, 2, 3]);",
        "let s = 'x'; for (;;) s += s;",
        "const a = []; for (;;) a.push(new Uint8Array(1 << 20));",
        "new ArrayBuffer(1 << 30);",
        "'x'.repeat(1 << 29);",
    ] {
        let source = Source::new("a.ts", script);
        let compiled = compile(&source, &MemoryFiles::default(), &options);
        assert!(compiled.has_errors(), "{script}");
        let told = render(&compiled);
        // A text is refused by its length before it fills the memory.
        let why = ["memory", "too long", "invalid"];
        assert!(why.iter().any(|why| told.contains(why)), "{script}: {told}");
    }
}

#[test]
fn a_script_reaches_nothing_of_the_machine() {
    let names = [
        "fetch",
        "process",
        "require",
        "std",
        "os",
        "Atomics",
        "navigator",
        "scriptArgs",
    ];
    for name in names {
        let compiled = compile_text("a.ts", &format!("console.log(typeof {name});"));
        assert_eq!(compiled.console[0].text, "undefined", "{name}");
    }
}

struct Folder;

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match path {
            "lib/names.ts" => Ok(b"import { prefix } from '../prefix.js';\n\
                export interface Named { id: string }\n\
                export const name = (n: number): string => `${prefix}-${n}`;\n\
                export default function broken(): never { throw new Error('from below') }\n"
                .to_vec()),
            "prefix.ts" => Ok(b"import { Named } from './lib/names';\n\
                export const prefix: Named['id'] = 'p';\n"
                .to_vec()),
            "bad.ts" => Err(FileError::Unreadable("permission denied".to_owned())),
            "binary.ts" => Ok(vec![0xff]),
            _ => Err(FileError::NotFound),
        }
    }
}

fn with_folder(script: &str) -> Compiled {
    compile(&Source::new("docs/a.ts", script), &Folder, &Options::default())
}

#[test]
fn imports_and_a_return_at_the_top_work_together() {
    let compiled = with_folder(
        "import { name, Named } from './lib/names';\nimport * as all from './lib/names.js';\n\
         import { TopologyBuilder as T } from 'topomotion';\nconst a: Named = { id: name(1) };\n\
         const t = new T();\nt.createProcess(a).createProcess({ id: all.name(2) }).connect('p-1', 'p-2');\n\
         return new FlowBuilder().from('p-1').to('p-2').showError('x');",
    );
    assert_eq!(render(&compiled), "");
    assert_eq!(compiled.topology.expect("a topology").processes.len(), 2);
    assert_eq!(compiled.sources.files().len(), 3);
}

#[test]
fn an_error_in_a_sibling_points_into_the_sibling() {
    let told = render(&with_folder("import boom from './lib/names';\nboom();"));
    assert_eq!(
        told,
        "error[script-error] the script threw: from below\n  \
         docs/lib/names.ts:4:53 \"Error\" thrown here\n  \
         also docs/a.ts:2:1 \"boom\" called from here\n"
    );
}

#[test]
fn imports_that_fail_are_told_at_the_import() {
    let told = render(&with_folder(
        "import { nam } from './lib/names';\nimport './bad';\nimport './binary';\nimport './none';",
    ));
    assert_eq!(
        told,
        "error[import-unreadable] bad.ts cannot be read: permission denied\n  \
         docs/a.ts:2:8 \"'./bad'\" \n\
         error[not-text] docs/binary.ts is not text: byte 0 is not UTF-8\n  \
         docs/a.ts:3:8 \"'./binary'\" \n  \
         help: save the script as UTF-8; a picture or an archive cannot be compiled\n\
         error[import-not-found] there is no file `none` in the script's folder\n  \
         docs/a.ts:4:8 \"'./none'\" not found\n  \
         help: the path is relative to the file that imports, and names a .ts or .js file\n"
    );
    let told = render(&with_folder("import { nam } from './lib/names';"));
    assert_eq!(
        told,
        "error[not-exported] `./lib/names` does not export `nam`\n  \
         docs/a.ts:1:10 \"nam\" no such export\n  help: did you mean `name`?\n"
    );
}

#[test]
fn standard_input_is_told_by_its_text() {
    let yaml = "# a comment\nprocesses:\n  - id: a\n";
    let script =
        "// a comment\nconst t = new TopologyBuilder();\nt.createProcess({ id: 'a' });";
    for text in [yaml, script, "{ \"processes\": [{ \"id\": \"a\" }] }"] {
        let compiled = compile_text("-", text);
        assert!(compiled.topology.is_some(), "{text}: {}", render(&compiled));
    }
}
