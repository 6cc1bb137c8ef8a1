//! What is published for editors, held against the tables that the compiler reads by.

use topomotion_model::names::{ICONS, Named};
use topomotion_model::{Direction, FileId, ProcessRole, ProcessState, Shape, ShardRole};

use crate::data::{Data, Value};
use crate::loading::TOOLKIT_TYPES;
use crate::{options, yaml};

const TYPES: &str = include_str!("../types/topomotion.d.ts");
const SCHEMA: &str = include_str!("../schema/topomotion.schema.json");

/// The body of an interface of the declarations.
fn interface(name: &str) -> &'static str {
    let start = TYPES.find(&format!("interface {name} ")).expect("the interface");
    let rest = &TYPES[start..];
    &rest[..rest.find("\n  }").expect("its end")]
}

/// The value at a path of the schema.
fn at<'a>(data: &'a Data, path: &str) -> &'a Data {
    path.split('/').filter(|key| !key.is_empty()).fold(data, |data, key| {
        let Value::Map(entries) = &data.value else {
            panic!("{path}: no mapping at {key}")
        };
        let found = entries.iter().find(|entry| entry.key == key);
        &found.unwrap_or_else(|| panic!("{path}: no {key}")).data
    })
}

fn keys(data: &Data) -> Vec<&str> {
    let Value::Map(entries) = &data.value else { panic!("a mapping") };
    let mut keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn words(data: &Data) -> Vec<&str> {
    let Value::List(items) = &data.value else { panic!("a list") };
    items
        .iter()
        .filter_map(|item| match &item.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn schema() -> Data {
    yaml::parse(SCHEMA, FileId(0)).expect("the schema is JSON, which is YAML")
}

#[test]
fn every_option_is_declared_for_editors() {
    for (name, known) in [
        ("GroupConfig", options::GROUP),
        ("ProcessConfig", options::PROCESS),
        ("Capacity", options::CAPACITY),
        ("ProcessKafka", options::PROCESS_KAFKA),
        ("EdgeOptions", options::EDGE),
        ("ClusterConfig", options::CLUSTER),
        ("TopicConfig", options::TOPIC),
        ("ScenarioOptions", options::SCENARIO),
        ("ProduceOptions", options::PRODUCE),
        ("WaitOptions", options::WAIT_UNTIL),
        ("StepOptions", options::STEP),
    ] {
        let body = interface(name);
        let bases = ["Position", "StepOptions"].iter();
        let bases = bases.filter(|base| body.contains(&format!("extends {base}")));
        let whole: String = bases.map(|base| interface(base)).chain([body]).collect();
        for option in known {
            let is_there = [format!(" {option}?:"), format!(" {option}:")];
            assert!(is_there.iter().any(|text| whole.contains(text)), "{name}.{option}");
        }
    }
}

#[test]
fn every_word_is_declared_for_editors() {
    let states = ProcessState::NAMES.iter().map(|(name, _)| *name);
    let shapes = Shape::NAMES.iter().map(|(name, _)| *name);
    let shards = ShardRole::NAMES.iter().map(|(name, _)| *name);
    let roles = ProcessRole::NAMES.iter().map(|(name, _)| *name);
    let directions = Direction::NAMES.iter().map(|(name, _)| *name);
    let all = states.chain(shapes).chain(shards).chain(roles).chain(directions);
    for word in all.chain(ICONS.iter().copied()) {
        assert!(TYPES.contains(&format!("'{word}'")), "{word}");
    }
}

#[test]
fn every_type_that_may_be_imported_is_declared() {
    for name in TOOLKIT_TYPES {
        let forms = [format!("type {name} "), format!("interface {name} ")];
        assert!(forms.iter().any(|form| TYPES.contains(form.as_str())), "{name}");
    }
}

#[test]
fn the_schema_has_exactly_the_options_of_the_compiler() {
    let schema = schema();
    for (path, known) in [
        ("properties", yaml::DOCUMENT.to_vec()),
        ("$defs/group/properties", [options::GROUP, yaml::GROUP_MEMBERS].concat()),
        ("$defs/process/properties", options::PROCESS.to_vec()),
        ("$defs/process/properties/capacity/properties", options::CAPACITY.to_vec()),
        ("$defs/process/properties/kafka/properties", options::PROCESS_KAFKA.to_vec()),
        ("$defs/connection/properties", [options::EDGE, yaml::CONNECTION].concat()),
        ("$defs/cluster/properties", options::CLUSTER.to_vec()),
        ("$defs/topic/properties", options::TOPIC.to_vec()),
        ("$defs/scenario/properties", [options::SCENARIO, yaml::SCENARIO].concat()),
    ] {
        let mut known = known;
        known.sort_unstable();
        assert_eq!(keys(at(&schema, path)), known, "{path}");
    }
}

#[test]
fn the_schema_has_every_step_and_every_word() {
    let schema = schema();
    for (path, verbs) in [
        ("$defs/flowStep/oneOf", yaml::FLOW_STEPS),
        ("$defs/runStep/oneOf", yaml::RUN_STEPS),
    ] {
        let Value::List(steps) = &at(&schema, path).value else { panic!("a list") };
        let required = steps.iter().filter(|step| keys(step).contains(&"required"));
        let mut named: Vec<&str> =
            required.flat_map(|step| words(at(step, "required"))).collect();
        let mut verbs = verbs.to_vec();
        named.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(named, verbs, "{path}");
    }
    let process =
        |name: &str| at(&schema, &format!("$defs/process/properties/{name}/enum"));
    assert_eq!(words(process("icon")), ICONS);
    let roles: Vec<&str> = ProcessRole::NAMES.iter().map(|(name, _)| *name).collect();
    assert_eq!(words(process("role")), roles);
    let shapes: Vec<&str> = Shape::NAMES.iter().map(|(name, _)| *name).collect();
    assert_eq!(words(process("shape")), shapes);
    let states: Vec<&str> = ProcessState::NAMES.iter().map(|(name, _)| *name).collect();
    assert_eq!(words(at(&schema, "$defs/state/enum")), states);
}
