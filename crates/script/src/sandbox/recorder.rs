//! What the prelude's builders and console call: takes the notes of a run.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Array, Coerced, Ctx, Exception, Function, Result, Value as Js};

use crate::sandbox::failure::frames;
use crate::sandbox::{Printed, Record, convert};

/// More calls than any diagram needs.
const MOST_RECORDS: usize = 100_000;
/// What is printed beyond this is left out, and that is said.
const MOST_PRINTED: usize = 1_000;

/// The notes of a run.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub records: Vec<Record>,
    pub printed: Vec<Printed>,
}

/// The function that the builders call.
pub(super) fn record<'js>(
    ctx: &Ctx<'js>,
    notes: &Rc<RefCell<Notes>>,
) -> Result<Function<'js>> {
    let notes = Rc::clone(notes);
    Function::new(
        ctx.clone(),
        move |ctx: Ctx<'js>,
              class: String,
              method: String,
              receiver: u32,
              arguments: Array<'js>,
              stack: Js<'js>|
              -> Result<u32> {
            if notes.borrow().records.len() >= MOST_RECORDS {
                let message =
                    format!("the script makes more than {MOST_RECORDS} builder calls");
                return Err(Exception::throw_range(&ctx, &message));
            }
            let arguments = arguments.iter::<Js<'js>>();
            let arguments = arguments.map(|argument| convert::data(&ctx, argument?));
            let arguments = arguments.collect::<Result<_>>()?;
            let frames = frames(&text(&stack));
            let mut notes = notes.borrow_mut();
            notes.records.push(Record { class, method, receiver, arguments, frames });
            Ok(notes.records.len() as u32)
        },
    )
}

/// The function that the console calls.
pub(super) fn print<'js>(
    ctx: &Ctx<'js>,
    notes: &Rc<RefCell<Notes>>,
) -> Result<Function<'js>> {
    let notes = Rc::clone(notes);
    Function::new(
        ctx.clone(),
        move |level: i32, text_: Coerced<String>, stack: Js<'js>| {
            let mut notes = notes.borrow_mut();
            let count = notes.printed.len();
            if count < MOST_PRINTED {
                let frames = frames(&text(&stack));
                notes.printed.push(Printed { level, text: text_.0, frames });
            } else if count == MOST_PRINTED {
                let text = format!(
                    "more than {MOST_PRINTED} lines were printed; the rest is left out"
                );
                notes.printed.push(Printed { level: 1, text, frames: Vec::new() });
            }
        },
    )
}

fn text(value: &Js<'_>) -> String {
    value.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default()
}
