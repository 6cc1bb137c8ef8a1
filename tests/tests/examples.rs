//! Every example is a test: it checks without errors, and it renders, still and moving.

mod support;

use support::{examples, folder, said, text, topomotion, wrote};

/// Bytes that an animated SVG of an example may have.
const FILM_BYTES_AT_MOST: usize = 400 * 1024;

#[test]
fn every_example_passes_its_own_check() {
    for example in examples() {
        let output = topomotion(&["check", &example]);
        assert!(
            output.status.success(),
            "{example}:\n{}{}",
            said(&output),
            wrote(&output)
        );
    }
}

#[test]
fn every_example_renders_still_and_moving() {
    let folder = folder("examples");
    for example in examples() {
        for (name, options) in [("still.svg", &["--still"][..]), ("film.svg", &[])] {
            let file = folder.join(name);
            let mut arguments = vec!["render", &example, "-o", text(&file)];
            arguments.extend(options);
            let output = topomotion(&arguments);
            assert!(output.status.success(), "{example} {name}:\n{}", said(&output));
            let svg = std::fs::read_to_string(&file).expect("it was written");
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.len() <= FILM_BYTES_AT_MOST, "{example} {name}: {}", svg.len());
            assert!(!svg.contains("<script") && !svg.contains("foreignObject"));
            assert!(svg.contains("<title") && svg.contains("<desc"), "{example} {name}");
        }
    }
}

#[test]
fn a_film_has_packets_and_a_still_picture_has_none() {
    let folder = folder("packets");
    let file = folder.join("out.svg");
    let script = "examples/kafka-deep-dive.ts";
    let moves = |options: &[&str]| {
        let mut arguments = vec!["render", script, "-o", text(&file)];
        arguments.extend(options);
        assert!(topomotion(&arguments).status.success());
        std::fs::read_to_string(&file).expect("it was written").contains("offset-path")
    };
    assert!(moves(&[]) && !moves(&["--still"]));
}

#[test]
fn one_file_for_each_scenario_if_the_name_says_so() {
    let folder = folder("each");
    let pattern = folder.join("kafka-{scenario}.svg");
    let output =
        topomotion(&["render", "examples/kafka-deep-dive.ts", "-o", text(&pattern)]);
    assert!(output.status.success(), "{}", said(&output));
    let files = std::fs::read_dir(&folder).expect("it is there").count();
    assert!(files >= 2, "one file for each scenario, not {files}");
}

#[test]
fn png_and_gif_come_out_without_a_browser() {
    let folder = folder("pixels");
    let script = "examples/single-edge.ts";
    let png = folder.join("out.png");
    let output = topomotion(&["render", script, "-o", text(&png), "--at", "0.5s"]);
    assert!(output.status.success(), "{}", said(&output));
    let bytes = std::fs::read(&png).expect("it was written");
    assert!(bytes.starts_with(b"\x89PNG"));
    let gif = folder.join("out.gif");
    let output = topomotion(&["render", script, "-o", text(&gif)]);
    assert!(output.status.success(), "{}", said(&output));
    let mut decoder = gif::Decoder::new(std::fs::File::open(&gif).expect("written"))
        .expect("it is a GIF");
    let mut frames = 0;
    while decoder.read_next_frame().expect("its frames decode").is_some() {
        frames += 1;
    }
    assert!(frames >= 1);
}

#[test]
fn the_reference_script_runs_as_it_stands() {
    let script = "crates/script/tests/seed/kafka-deep-dive.ts";
    let output = topomotion(&["scenarios", script]);
    assert!(output.status.success(), "{}", said(&output));
    let listed = wrote(&output);
    for scenario in ["acks-all", "leader-election"] {
        assert!(listed.contains(scenario), "{listed}");
    }
    let output = topomotion(&["check", script]);
    assert!(output.status.success(), "{}{}", said(&output), wrote(&output));
}
