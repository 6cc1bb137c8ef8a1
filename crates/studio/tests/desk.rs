//! A script on the desk: what is said of it, and what is made of it.

// Tests of what is there.
#![allow(clippy::unwrap_used)]

use topomotion_script::{NoFiles, Options, Source, compile};
use topomotion_studio::{Desk, Form, Order, Problem};
use topomotion_viewer::Parts;

const PARTS: Parts<'static> = Parts { player: "// a player", engine: b"an engine" };

const FLOW: &str = "
    const topology = new TopologyBuilder();
    topology.createProcess({ id: 'shop' }).createProcess({ id: 'db', label: 'Lager 東' });
    topology.connect('shop', 'db', { protocol: 'http' });
    return new FlowBuilder(topology).scenario('order', 'An order').from('shop').to('db');
";

fn put(script: &str) -> (Desk, Vec<Problem>) {
    let mut desk = Desk::default();
    let source = Source::new("<stdin>", script);
    let compiled = compile(&source, &NoFiles, &Options::default());
    let problems = desk.put("<stdin>", "topology", compiled);
    (desk, problems)
}

fn order(form: Form) -> Order {
    Order { form, scenario: None, at: None }
}

#[test]
fn a_mistake_is_told_once_and_at_its_place() {
    let (desk, problems) = put("const t = new TopologyBuilder();
for (const n of [1, 2]) t.connect('a', 'b');");
    let [first, second] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!((first.line, first.column, first.severity), (2, 35, "error"));
    assert_eq!(first.message, "no process has the id `a`");
    assert_eq!((second.line, second.column), (2, 40));
    let told = desk.make(&order(Form::Svg), &PARTS).unwrap_err();
    assert_eq!(told[0].message, "there is no script that compiles");
}

#[test]
fn a_mended_script_takes_the_place_of_the_broken_one_and_the_other_way_round() {
    let (mut desk, problems) = put(FLOW);
    assert!(!problems.iter().any(Problem::is_error), "{problems:?}");
    assert!(desk.make(&order(Form::Svg), &PARTS).is_ok());
    let broken = compile(&Source::new("a.ts", "x();"), &NoFiles, &Options::default());
    assert!(desk.put("a.ts", "a", broken).iter().any(Problem::is_error));
    assert!(desk.make(&order(Form::Svg), &PARTS).is_err());
}

#[test]
fn every_form_is_made_and_what_no_font_has_is_told() {
    let (desk, _) = put(FLOW);
    let forms: [(Form, &[u8]); 5] = [
        (Form::Svg, b"<svg"),
        (Form::Png, b"\x89PNG"),
        (Form::Gif, b"GIF89a"),
        (Form::Bundle, b"{\"topomotion-bundle\""),
        (Form::Html, b"<!doctype html>"),
    ];
    for (form, head) in forms {
        let (bytes, told) = desk.make(&order(form), &PARTS).unwrap();
        assert!(bytes.starts_with(head), "{form:?}");
        let [font] = &told[..] else { panic!("{told:?}") };
        assert!(font.message.contains("東 (U+6771)"), "{}", font.message);
        assert_eq!(font.message.contains("whoever looks"), form == Form::Svg);
    }
    let (page, _) = desk.make(&order(Form::Html), &PARTS).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("// a player"));
}

#[test]
fn a_scenario_is_chosen_and_an_unknown_one_is_told() {
    let (desk, _) = put(FLOW);
    let of = |id: &str| Order { scenario: Some(id.into()), ..order(Form::Bundle) };
    assert!(desk.make(&of("order"), &PARTS).is_ok());
    let told = desk.make(&of("ordr"), &PARTS).unwrap_err();
    assert_eq!(told[0].message, "<stdin>: no scenario has the id `ordr`");
    assert_eq!(told[0].help, "did you mean `order`?");
}

#[test]
fn the_same_script_gives_the_same_bytes() {
    let script = "const t = new TopologyBuilder(); t.createProcess({ id: 'shop' });
        t.createProcess({ id: 'b', kafka: { role: 'broker' } });
        t.connect('shop', 'b', { protocol: 'kafka', label: 'produce orders' });";
    let make = || put(script).0.make(&order(Form::Svg), &PARTS).unwrap().0;
    assert_eq!(make(), make());
}
