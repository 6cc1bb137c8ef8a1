//! The design tokens: what `assets/tokens/tokens.json` says is what the code draws, one by one.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;

/// A number by its token's name.
type Tokens = BTreeMap<String, f64>;

fn read(path: &str) -> String {
    std::fs::read_to_string(support::root().join(path)).expect("the file is there")
}

/// Every `const NAME: f64 = 1.5;` of a Rust file; of a style, its size, width and lines.
fn in_code(crate_name: &str) -> Tokens {
    let text = read(&format!("crates/{crate_name}/src/tokens.rs"));
    let mut tokens = Tokens::new();
    for declaration in text.split(" const ").skip(1) {
        let (head, rest) = declaration.split_once('=').expect("a constant has a value");
        let (name, kind) = head.split_once(':').expect("a constant has a type");
        let name = name.trim().to_lowercase().replace('_', "-");
        let value = rest.split(';').next().unwrap_or_default().trim();
        if kind.trim() != "Style" {
            let number = value.parse().unwrap_or_else(|_| panic!("{name} is {value}"));
            tokens.insert(name, number);
            continue;
        }
        for field in ["size", "max_width", "max_lines"] {
            let after =
                value.split(&format!("{field}: ")).nth(1).expect("a style has all");
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            let end = after.find(|c| !digits(c)).unwrap_or(after.len());
            let key = format!("type-{name} {}", field.replace('_', "-"));
            tokens.insert(key, after[..end].parse().expect("a number"));
        }
    }
    tokens
}

fn in_file(crate_name: &str) -> Tokens {
    let all: Value =
        serde_json::from_str(&read("assets/tokens/tokens.json")).expect("it is JSON");
    let part = all[crate_name].as_object().expect("a part for each crate");
    let mut tokens = Tokens::new();
    for (name, value) in part {
        match value {
            Value::Object(style) => {
                let numbers = style.iter().filter(|(_, value)| value.is_number());
                tokens.extend(numbers.map(|(field, value)| {
                    (format!("{name} {field}"), value.as_f64().unwrap_or(f64::NAN))
                }));
            }
            value => {
                tokens.insert(name.clone(), value.as_f64().expect("a number"));
            }
        }
    }
    tokens
}

#[test]
fn every_token_is_the_constant_of_its_name_and_every_constant_a_token() {
    for crate_name in ["layout", "animate"] {
        let (code, file) = (in_code(crate_name), in_file(crate_name));
        assert!(code.len() > 20, "{crate_name}: only {} constants found", code.len());
        for (name, value) in &code {
            let told = file.get(name);
            assert!(
                told.is_some_and(|told| (told - value).abs() < 1e-9),
                "{crate_name} {name} is {value}, tokens.json says {told:?}"
            );
        }
        for name in file.keys() {
            assert!(code.contains_key(name), "{crate_name} has no constant {name}");
        }
    }
}
