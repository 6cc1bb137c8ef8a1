//! Bad input gets a message that says what is wrong, where, and what to do; exit code 1;
//! and an output file that already exists stays as it was.

mod support;

use support::{folder, said, text, topomotion, topomotion_fed};

/// Renders `script` over an existing file and gives back what was said.
fn refused(name: &str, extension: &str, script: &[u8]) -> String {
    let folder = folder(name);
    let input = folder.join(format!("script.{extension}"));
    std::fs::write(&input, script).expect("the folder can be written");
    refused_file(name, &input)
}

fn refused_file(name: &str, input: &std::path::Path) -> String {
    let output = input.with_file_name("out.svg");
    std::fs::write(&output, "untouched").expect("the folder can be written");
    let run = topomotion(&["render", text(input), "-o", text(&output)]);
    let said = said(&run);
    assert_eq!(run.status.code(), Some(1), "{name}: {said}");
    let after = std::fs::read_to_string(&output).expect("it is still there");
    assert_eq!(after, "untouched", "{name}");
    assert!(!said.contains("panicked"), "{name}: {said}");
    said
}

/// The message names the place `script.…:line:column`, and contains all of `words`.
fn points_at(said: &str, place: &str, words: &[&str]) {
    assert!(said.contains(place), "expected {place} in:\n{said}");
    for word in words {
        assert!(said.contains(word), "expected `{word}` in:\n{said}");
    }
}

#[test]
fn an_empty_file_is_named_as_such() {
    let said = refused("empty", "ts", b"");
    points_at(&said, "script.ts", &["empty"]);
}

#[test]
fn a_binary_file_is_not_read_as_a_script() {
    let said = refused("binary", "ts", &[0x7f, b'E', b'L', b'F', 0, 0xff, 0xfe, 0]);
    points_at(&said, "script.ts", &["UTF-8"]);
}

#[test]
fn a_file_of_50_mb_is_refused_at_once() {
    let said = refused("large", "ts", &vec![b' '; 50 << 20]);
    points_at(&said, "script.ts", &["MB"]);
}

#[test]
fn a_syntax_error_has_its_place() {
    let said = refused("syntax", "ts", b"const a = 1;\nconst b = {;\n");
    points_at(&said, "script.ts:2:", &["const b = {;"]);
}

#[test]
fn an_error_deep_in_a_helper_has_the_helpers_place() {
    let script = b"const t = new TopologyBuilder();\nfunction helper(x: any): number {\n  \
        return x.missing.field;\n}\nfunction outer(): number { return helper({}); }\nouter();\n";
    points_at(&refused("helper", "ts", script), "script.ts:3:", &["x.missing.field"]);
}

#[test]
fn an_infinite_loop_stops() {
    let folder = folder("loop");
    let input = folder.join("script.ts");
    std::fs::write(&input, "const a = 1;\nwhile (true) {}\n").expect("writable");
    let run = topomotion(&["check", text(&input), "--script-timeout", "1s"]);
    assert_eq!(run.status.code(), Some(1));
    points_at(&said(&run), "script.ts:2:", &["1 s"]);
}

#[test]
fn a_loop_inside_the_script_engine_stops_too() {
    let folder = folder("native-loop");
    let input = folder.join("script.ts");
    std::fs::write(&input, "const q: any = [];\nq.length = 2 ** 32 - 1;\nq.sort();\n")
        .expect("writable");
    let run = topomotion(&["check", text(&input), "--script-timeout", "1s"]);
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    points_at(&said(&run), "script.ts", &[]);
}

#[test]
fn an_allocation_bomb_stops() {
    // On a busy machine the time limit could come first: it is made long here.
    let folder = folder("bomb");
    let input = folder.join("script.ts");
    for script in [
        "const a = [];\nfor (;;) a.push(new Array(1e6).fill(0));\n",
        "const a = 1;\nnew Array(1e9).fill(0);\n",
    ] {
        std::fs::write(&input, script).expect("writable");
        let limits = ["--script-timeout", "60s", "--script-memory", "64MB"];
        let run = topomotion(&[&["check", text(&input)][..], &limits].concat());
        assert_eq!(run.status.code(), Some(1), "{}", said(&run));
        points_at(&said(&run), "script.ts:2:", &["memory"]);
    }
}

#[test]
fn an_unknown_process_is_underlined_and_its_neighbour_named() {
    let script = b"const t = new TopologyBuilder();\n\
        t.createGroup('g').addProcess({ id: 'broker-1' }).addProcess({ id: 'web' });\n\
        t.connect('web', 'brokr-1', { label: 'x' });\nawait t.apply();\n";
    let said = refused("unknown", "ts", script);
    points_at(&said, "script.ts:3:18", &["brokr-1", "broker-1"]);
}

#[test]
fn a_duplicate_id_names_both_places() {
    let script = b"const t = new TopologyBuilder();\n\
        t.createProcess({ id: 'a' });\nt.createProcess({ id: 'a' });\nawait t.apply();\n";
    points_at(&refused("duplicate", "ts", script), "script.ts:3:", &["`a`"]);
}

#[test]
fn several_mistakes_are_told_in_one_run() {
    let script = b"const t = new TopologyBuilder();\nt.createProcess({ id: 'a' });\n\
        t.connect('a', 'b');\nt.connect('c', 'a');\nawait t.apply();\n";
    let said = refused("several", "ts", script);
    points_at(&said, "script.ts:3:", &["`b`"]);
    points_at(&said, "script.ts:4:", &["`c`"]);
}

#[test]
fn a_group_inside_itself_is_refused() {
    let yaml = b"groups:\n  - id: a\n    groups:\n      - id: a\n";
    points_at(&refused("self-group", "yaml", yaml), "script.yaml:4:", &["`a`"]);
}

fn cluster(rest: &str) -> Vec<u8> {
    let mut script = String::from(
        "const t = new TopologyBuilder();\n\
         const g = t.createGroup('brokers', { label: 'Kafka' });\n\
         for (const n of [1, 2, 3]) g.addProcess({ id: `broker-${n}`, role: 'broker' });\n\
         t.createProcess({ id: 'controller', role: 'controller' });\n\
         t.createProcess({ id: 'shop', role: 'producer' });\n\
         for (const n of [1, 2, 3]) t.connect(`broker-${n}`, 'controller');\n\
         t.connect('shop', 'broker-1', { protocol: 'kafka' });\n",
    );
    script.push_str(rest);
    script.push_str("await t.apply();\n");
    script.into_bytes()
}

#[test]
fn a_scenario_that_names_a_missing_broker_is_refused() {
    let script = cluster(
        "const k = t.kafka({ topics: [{ name: 'orders' }] });\n\
         k.scenario('s', 'S').crash('broker-9').expect('no-acknowledged-record-lost');\n",
    );
    points_at(&refused("missing-broker", "ts", &script), "script.ts:9:", &["broker-9"]);
}

#[test]
fn more_copies_than_brokers_are_refused() {
    let script =
        cluster("t.kafka({ topics: [{ name: 'orders', replicationFactor: 4 }] });\n");
    points_at(&refused("copies", "ts", &script), "script.ts:8:", &["4", "3"]);
}

#[test]
fn a_failed_expectation_fails_the_check_and_names_the_moment() {
    let folder = folder("expectation");
    let input = folder.join("script.ts");
    let script = cluster(
        "const k = t.kafka({ topics: [{ name: 'orders', replicationFactor: 3 }] });\n\
         k.scenario('s', 'S').produce('shop', 'orders', { key: 'a' })\n\
         .expect('leader(orders-0) == broker-3');\n",
    );
    std::fs::write(&input, script).expect("writable");
    let run = topomotion(&["check", text(&input)]);
    let told = said(&run) + &support::wrote(&run);
    assert_eq!(run.status.code(), Some(1), "{told}");
    points_at(
        &told,
        "script.ts:10:",
        &["leader(orders-0) == broker-3", "broker-1", " s"],
    );
}

#[test]
fn a_yaml_alias_bomb_is_defused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    points_at(&refused("aliases", "yaml", bomb.as_bytes()), "script.yaml", &[]);
}

#[test]
fn labels_of_any_kind_are_drawn() {
    let folder = folder("labels");
    let input = folder.join("script.ts");
    let script = "const t = new TopologyBuilder();\n\
        t.createProcess({ id: 'a', label: '<script>alert(1)</script> & \"quotes\"' });\n\
        t.createProcess({ id: 'b', label: 'x'.repeat(10000) });\n\
        t.createProcess({ id: 'c', label: '🚀 emoji 👩‍👩‍👧' });\n\
        t.createProcess({ id: 'd', label: 'שלום עולם مرحبا' });\n\
        t.createProcess({ id: 'e', label: '分散システム' });\n\
        t.createProcess({ id: 'f', label: 'null\\u0000 and bell\\u0007' });\n\
        for (const id of ['b', 'c', 'd', 'e', 'f']) \
          t.connect('a', id, { label: '</text><script>' });\n\
        await t.apply();\n";
    std::fs::write(&input, script).expect("writable");
    for name in ["out.svg", "out.png"] {
        let output = folder.join(name);
        let run = topomotion(&["render", text(&input), "-o", text(&output)]);
        assert!(run.status.success(), "{}", said(&run));
    }
    let svg = std::fs::read_to_string(folder.join("out.svg")).expect("written");
    assert!(!svg.contains("<script"));
    let options = resvg::usvg::Options::default();
    let parsed = resvg::usvg::Tree::from_str(&svg, &options);
    assert!(parsed.is_ok(), "an independent reader finds it well-formed");
}

#[test]
fn a_missing_output_folder_is_told() {
    let run = topomotion(&[
        "render",
        "examples/single-edge.ts",
        "-o",
        "no/such/folder/out.svg",
    ]);
    assert_eq!(run.status.code(), Some(1));
    points_at(&said(&run), "no/such/folder", &[]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let run = topomotion(&[
        "render",
        "examples/single-edge.ts",
        "-o",
        "/dev/full",
        "--format",
        "svg",
    ]);
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    points_at(&said(&run), "/dev/full", &[]);
}

#[test]
fn a_missing_script_is_told() {
    let run = topomotion(&["check", "no-such-script.ts"]);
    assert_eq!(run.status.code(), Some(1));
    points_at(&said(&run), "no-such-script.ts", &[]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    assert_eq!(topomotion(&["render"]).status.code(), Some(2));
    assert_eq!(topomotion(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn a_script_from_standard_input_has_a_name_too() {
    let run = topomotion_fed(&["check", "-"], b"const a = ;\n");
    assert_eq!(run.status.code(), Some(1));
    points_at(&said(&run), "<stdin>:1:", &[]);
}

#[test]
fn machines_get_json() {
    let folder = folder("json");
    let input = folder.join("script.ts");
    std::fs::write(
        &input,
        "const t = new TopologyBuilder();\nt.connect('a', 'b');\nawait t.apply();\n",
    )
    .expect("writable");
    let run = topomotion(&["check", text(&input), "--format", "json"]);
    assert_eq!(run.status.code(), Some(1));
    let told = support::wrote(&run);
    let json: serde_json::Value =
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error} in {told}"));
    let first = json.pointer("/diagnostics/0").expect("there is a diagnostic");
    assert_eq!(first["line"], 2);
    assert_eq!(first["severity"], "error");
    assert!(first["column"].is_u64() && first["message"].is_string());
}
