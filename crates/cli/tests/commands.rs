//! The command line as its users meet it: what is written, what is said, and the exit code.
#![allow(clippy::unwrap_used)] // helpers of tests are tests
#![allow(clippy::disallowed_methods)] // files are this suite's business

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of one test's own, in which the command runs.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// A folder with a started script in it, called `script.ts`.
    fn with_flow(name: &str) -> Folder {
        let folder = Folder::new(name);
        folder.fine("new script.ts --template flow");
        folder
    }

    fn run(&self, line: &str) -> Output {
        self.fed(line, b"")
    }

    fn fed(&self, line: &str, input: &[u8]) -> Output {
        use std::io::Write as _;
        let mut child = Command::new(env!("CARGO_BIN_EXE_topomotion"))
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Runs, expects exit code 0, and gives standard output.
    fn fine(&self, line: &str) -> Vec<u8> {
        let output = self.run(line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        output.stdout
    }

    /// Runs, expects this exit code, and gives standard error.
    fn refused(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(output.stdout.is_empty(), "{line} wrote something all the same");
        said
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn every_template_checks_without_a_word_and_renders() {
    for template in ["kafka", "flow", "yaml"] {
        let folder = Folder::new(&format!("template-{template}"));
        folder.fine(&format!("new begun --template {template}"));
        let name = folder.names()[0].clone();
        let output = folder.run(&format!("check {name} --deny-warnings"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{template}: {said}");
        folder.fine(&format!("render {name} -o out.svg"));
        assert!(folder.read("out.svg").starts_with(b"<svg"));
    }
}

#[test]
fn a_new_script_overwrites_nothing() {
    let folder = Folder::with_flow("new-twice");
    let before = folder.read("script.ts");
    let said = folder.refused("new script.ts", 1);
    assert!(said.contains("there already"), "{said}");
    assert_eq!(folder.read("script.ts"), before);
    folder.refused("new missing/script", 1);
    folder.refused("new -", 2);
}

#[test]
fn one_picture_of_several_scenarios_asks_which() {
    let folder = Folder::with_flow("which");
    let said = folder.refused("render script.ts -o out.png", 2);
    for words in ["miss, down", "--scenario", "--at", "--still", "{scenario}"] {
        assert!(said.contains(words), "`{words}` in:\n{said}");
    }
    folder.fine("render script.ts -o one.png --scenario miss");
    folder.fine("render script.ts -o moment.png --at 0.5s");
    folder.fine("render script.ts -o still.png --still");
    let said = folder.refused("render script.ts -o late.png --at 1000s", 2);
    assert!(said.contains("the film ends at"), "{said}");
    assert_eq!(folder.names(), ["moment.png", "one.png", "script.ts", "still.png"]);
}

#[test]
fn a_sequence_diagram_is_another_view_of_the_same_scenarios() {
    let folder = Folder::with_flow("sequence");
    folder.fine("render script.ts -o film.svg --view sequence");
    folder.fine("render script.ts -o whole.svg --view sequence --still");
    folder.fine("render script.ts -o one.svg --view sequence --still --scenario miss");
    folder.fine("render script.ts -o whole.png --view sequence");
    folder.fine("render script.ts -o moment.png --view sequence --at 0.5s");
    let svg = |name: &str| String::from_utf8(folder.read(name)).unwrap();
    let (film, whole, one) = (svg("film.svg"), svg("whole.svg"), svg("one.svg"));
    assert!(film.contains("tm-playhead") && film.contains("tm-message"));
    assert!(whole.contains("tm-message") && !whole.contains("tm-playhead"));
    let names = |svg: &str| svg.matches("tm-message").count();
    assert!(names(&whole) > names(&one) && names(&one) > 0);
    assert!(folder.read("whole.png").len() > folder.read("moment.png").len() / 2);
}

#[test]
fn a_file_for_each_scenario() {
    let folder = Folder::with_flow("each");
    folder.fine("render script.ts -o film-{scenario}.svg");
    folder.fine("render script.ts -o moment-{scenario}.png");
    let names = folder.names();
    let expected = [
        "film-down.svg",
        "film-miss.svg",
        "moment-down.png",
        "moment-miss.png",
        "script.ts",
    ];
    assert_eq!(names, expected);
    assert_ne!(folder.read("film-down.svg"), folder.read("film-miss.svg"));
}

#[test]
fn standard_input_and_output_take_the_place_of_files() {
    let folder = Folder::with_flow("pipes");
    let script = folder.read("script.ts");
    let output = folder.fed("render - -o - --format svg", &script);
    assert!(output.status.success() && output.stderr.is_empty());
    folder.fine("render script.ts -o out.svg --format svg");
    // Only the name, which stands for a missing title, may differ; so the sizes are near.
    assert!(output.stdout.starts_with(b"<svg"));
    assert!(output.stdout.len().abs_diff(folder.read("out.svg").len()) < 100);
    let said = folder.refused("render script.ts -o -", 2);
    assert!(said.contains("--format"), "{said}");
    assert!(folder.fine("render script.ts -o - --format gif").starts_with(b"GIF89a"));
    assert!(
        folder.fine("render script.ts -o - --format png --still").starts_with(b"\x89PNG")
    );
}

#[test]
fn an_unknown_scenario_or_layer_is_told_with_the_nearest() {
    let folder = Folder::with_flow("unknown");
    let said = folder.refused("render script.ts -o out.svg --scenario mis", 1);
    assert!(said.contains("`mis`") && said.contains("did you mean `miss`?"), "{said}");
    let said = folder.refused("render script.ts -o out.svg --scenario acks-all", 1);
    assert!(said.contains("does not fit"), "{said}");
    let said = folder.refused("render script.ts -o out.svg --layer v2", 1);
    assert!(said.contains("v2"), "{said}");
    assert_eq!(folder.names(), ["script.ts"]);
}

#[test]
fn a_scenario_like_no_other_is_told_with_where_to_read_of_all() {
    let folder = Folder::with_flow("unlike");
    let said = folder.refused("render script.ts -o out.svg --scenario zzzzzzzz", 1);
    assert!(said.contains("there are: ") && !said.contains("built-in"), "{said}");
    folder.fine("new kafka.ts --template kafka");
    let said = folder.refused("render kafka.ts -o out.svg --scenario zzzzzzzz", 1);
    assert!(said.contains("`topomotion scenarios kafka.ts` lists them"), "{said}");
    let longest = said.lines().map(str::len).max().unwrap_or(0);
    assert!(longest < 200, "not the names of all of them: {said}");
}

#[test]
fn the_script_is_never_replaced_by_its_picture() {
    let folder = Folder::with_flow("itself");
    let before = folder.read("script.ts");
    folder.refused("render script.ts -o ./script.ts --format svg", 2);
    assert_eq!(folder.read("script.ts"), before);
}

#[test]
fn what_was_there_stays_when_anything_fails() {
    let folder = Folder::with_flow("untouched");
    fs::write(folder.0.join("out.gif"), "old").unwrap();
    folder.refused("render script.ts -o out.gif --scale 1000", 1);
    folder.refused("render script.ts -o out.gif --fps 60", 2);
    folder.refused("render script.ts -o out.gif --scenario none", 1);
    assert_eq!(folder.read("out.gif"), b"old");
    let mut permissions = fs::metadata(folder.0.join("out.gif")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.0.join("out.gif"), permissions).unwrap();
    let said = folder.refused("render script.ts -o out.gif", 1);
    assert!(said.contains("out.gif") && said.contains("permission"), "{said}");
    assert_eq!(folder.read("out.gif"), b"old");
    assert_eq!(folder.names(), ["out.gif", "script.ts"]);
}

#[test]
fn a_layout_is_written_as_data() {
    let folder = Folder::with_flow("layout");
    folder.fine("render script.ts -o out.layout.json");
    let layout: serde_json::Value =
        serde_json::from_slice(&folder.read("out.layout.json")).unwrap();
    assert_eq!(layout["nodes"].as_array().unwrap().len(), 4);
    assert!(layout["edges"][0]["points"][0][0].is_number());
    let graph =
        br#"{"nodes": [{"id": "a", "w": 80, "h": 40}, {"id": "b", "w": 80, "h": 40}],
        "edges": [{"id": "e", "src": "a", "dst": "b"}]}"#;
    let output = folder.fed("layout -", graph);
    let layout: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(layout["edges"][0]["src"], "a");
    let output = folder.fed("layout -", b"{\"nodes\": 1}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let folder = Folder::new("warnings");
    let script = "const t = new TopologyBuilder();\n\
        t.createProcess({ id: 'a', colour: 'red' });\nt.createProcess({ id: 'b' });\n\
        t.connect('a', 'b');\nt.createProcess({ id: 'lonely' });\nawait t.apply();\n";
    fs::write(folder.0.join("script.ts"), script).unwrap();
    let output = folder.run("check script.ts");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("warning[").count(), 2, "each is told once:\n{said}");
    folder.fine("render script.ts -o out.svg");
    let output = folder.run("check script.ts --deny-warnings");
    assert_eq!(output.status.code(), Some(1));
    folder.refused("render script.ts -o denied.svg --deny-warnings", 1);
    assert_eq!(folder.names(), ["out.svg", "script.ts"]);
}

#[test]
fn what_a_script_prints_goes_beside_the_result() {
    let folder = Folder::new("console");
    let script = "const t = new TopologyBuilder();\nt.createProcess({ id: 'a' });\n\
        console.log('made', 1);\nawait t.apply();\n";
    fs::write(folder.0.join("script.ts"), script).unwrap();
    let output = folder.run("render script.ts -o - --format svg");
    assert!(output.stdout.starts_with(b"<svg"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("script.ts:3: made 1"), "{said}");
}

#[test]
fn several_scripts_are_checked_even_after_one_has_failed() {
    let folder = Folder::with_flow("several");
    fs::write(folder.0.join("bad.ts"), "const a = ;\n").unwrap();
    let output = folder.run("check bad.ts no-such.ts script.ts");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("script.ts: ✓ miss"), "{told}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("bad.ts:1:") && said.contains("no-such.ts"), "{said}");
}

#[test]
fn a_run_is_repeated_from_its_file() {
    let folder = Folder::new("replay");
    folder.fine("new script.ts");
    let told = folder.fine("sim script.ts --run-file run.json");
    let again = folder.fine("sim --replay run.json");
    let digest = |told: &[u8]| {
        let text = String::from_utf8(told.to_vec()).unwrap();
        text.lines().find(|line| line.contains("digest")).map(str::to_owned)
    };
    assert!(digest(&told).is_some());
    assert_eq!(digest(&told), digest(&again));
    fs::write(folder.0.join("broken.json"), "{}").unwrap();
    assert!(folder.refused("sim --replay broken.json", 1).contains("no run file"));
    folder.refused("sim script.ts --replay run.json", 2);
}

#[test]
fn a_mermaid_diagram_is_drawn_checked_and_imported() {
    let folder = Folder::new("mermaid");
    let diagram =
        "---\ntitle: Hello\n---\nsequenceDiagram\nshop->>db: read\ndb--xshop: gone\n";
    fs::write(folder.0.join("hello.mmd"), diagram).unwrap();
    folder.fine("check hello.mmd");
    let listed = String::from_utf8(folder.fine("scenarios hello.mmd")).unwrap();
    assert!(listed.contains("Hello (scripted)"), "{listed}");
    folder.fine("render hello.mmd -o drawn.svg");
    folder.fine("import hello.mmd -o hello.yaml");
    folder.fine("render hello.yaml -o again.svg");
    assert_eq!(folder.read("drawn.svg"), folder.read("again.svg"));
    let fed = folder.fed("render - -o - --format svg", diagram.as_bytes());
    assert!(fed.status.success() && fed.stdout.starts_with(b"<svg"));
    let fed = folder.fed("import -", diagram.as_bytes());
    assert!(fed.stdout.starts_with(b"# Imported from <stdin>\ntitle: Hello\n"));
}

#[test]
fn what_a_diagram_loses_is_told_and_other_kinds_are_refused() {
    let folder = Folder::new("mermaid-lost");
    fs::write(folder.0.join("a.mmd"), "graph LR\nA --> B\nclick A call f()\n").unwrap();
    let output = folder.run("import a.mmd -o a.yaml");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("a.mmd:3:1: warning[not-imported]"), "{said}");
    assert!(said.contains("3 | click A call f()"), "{said}");
    folder.refused("import a.mmd --deny-warnings", 1);
    let said = folder.refused("import a.yaml", 1);
    assert!(said.contains("a.yaml is no Mermaid diagram"), "{said}");
    fs::write(folder.0.join("er.mmd"), "erDiagram\n").unwrap();
    let said = folder.refused("render er.mmd -o er.svg", 1);
    assert!(said.contains("a Mermaid `erDiagram` cannot be imported"), "{said}");
}

#[test]
fn completions_know_the_subcommands() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let script =
            String::from_utf8(folder.fine(&format!("completions {shell}"))).unwrap();
        assert!(script.contains("render") && script.contains("scenarios"), "{shell}");
    }
}

#[test]
fn colors_appear_only_when_asked_for() {
    let folder = Folder::new("colors");
    fs::write(folder.0.join("bad.ts"), "const a = ;\n").unwrap();
    let said = |line: &str| String::from_utf8(folder.run(line).stderr).unwrap();
    assert!(!said("check bad.ts").contains('\x1b'));
    assert!(said("check bad.ts --color always").contains('\x1b'));
}
