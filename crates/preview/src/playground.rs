//! A page on which a script is written and drawn: the caller compiles, we carry.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What a page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The script.
    pub script: Vec<u8>,
    /// What is to be made of it.
    pub form: Form,
    /// Of this scenario alone.
    pub scenario: Option<String>,
    /// Of this moment of the film, ms.
    pub at: Option<u32>,
}

/// What can be made of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What a player loads.
    Bundle,
    /// A moving picture.
    Svg,
    /// A moving picture of dots.
    Gif,
    /// A still of dots.
    Png,
    /// A page with a player.
    Html,
}

impl Form {
    /// Its name, as the command line and the page have it.
    pub fn name(self) -> &'static str {
        match self {
            Form::Bundle => "bundle",
            Form::Svg => "svg",
            Form::Gif => "gif",
            Form::Png => "png",
            Form::Html => "html",
        }
    }

    fn named(name: &str) -> Option<Form> {
        let all = [Form::Bundle, Form::Svg, Form::Gif, Form::Png, Form::Html];
        all.into_iter().find(|form| form.name() == name)
    }

    /// What its bytes are. A page that was made is saved, never shown as one of ours.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Form::Bundle => "application/json",
            Form::Svg => "image/svg+xml",
            Form::Gif => "image/gif",
            Form::Png => "image/png",
            Form::Html => "application/octet-stream",
        }
    }
}

/// What was made, and what is to be said of it: warnings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// What the author should read.
    pub told: String,
}

/// Makes a file of a script, or says why not.
pub type Compile = dyn Fn(&Order) -> Result<Made, String> + Send + Sync;

/// What the page needs beside its own files.
pub struct Playground {
    compile: Box<Compile>,
    /// Scripts compile one after the other: each may take a whole processor.
    turn: Mutex<()>,
    pub(crate) types: String,
    pub(crate) examples: String,
}

impl fmt::Debug for Playground {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Playground").finish_non_exhaustive()
    }
}

impl Playground {
    /// A page whose scripts are compiled so; `types` are declarations for its completion,
    /// `examples` are names, titles and scripts to begin with.
    pub fn new(
        compile: Box<Compile>,
        types: String,
        examples: &[[&str; 3]],
    ) -> Playground {
        let examples = examples.iter().map(|[name, title, script]| {
            serde_json::json!({ "name": name, "title": title, "script": script })
        });
        let examples = serde_json::Value::Array(examples.collect()).to_string();
        Playground { compile, turn: Mutex::new(()), types, examples }
    }

    pub(crate) fn make(&self, order: &Order) -> Result<Made, String> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let made = (self.compile)(order);
        drop(turn);
        made
    }
}

/// What was asked for: `form=png&at=1500` and the script. `None` if that is nothing of ours.
pub(crate) fn order(query: &str, script: Vec<u8>) -> Option<Order> {
    let mut order = Order { script, form: Form::Bundle, scenario: None, at: None };
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value = plain(value)?;
        match name {
            "form" => order.form = Form::named(&value)?,
            "scenario" => order.scenario = Some(value),
            "at" => order.at = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(order)
}

/// Text of an address, as it was before `%20` and `+`.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(left.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_from_its_address() {
        let order = order("form=png&at=1500&scenario=a+b%C3%A4", b"x".to_vec()).unwrap();
        assert_eq!((order.form, order.at), (Form::Png, Some(1500)));
        assert_eq!(order.scenario.as_deref(), Some("a bä"));
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for query in ["form=exe", "at=-1", "at=x", "out=/etc", "form", "scenario=%f"] {
            assert_eq!(order(query, Vec::new()), None, "{query}");
        }
    }
}
