//! Calls of a flow builder.

use topomotion_model::builder::{FlowBuilder, ScenarioConfig};
use topomotion_model::names::value_named;
use topomotion_model::{Diagnostic, Origin};

use super::call::Call;
use super::{FlowDraft, Object, Replay};
use crate::data::{Data, Value};
use crate::{fields, options};

impl Replay<'_, '_> {
    pub(super) fn new_flow(&mut self, call: &Call) {
        let flow = FlowBuilder::new();
        let draft = FlowDraft { flow, made_at: call.span, calls: 0, returned: false };
        self.objects.insert(call.number, Object::Flow(Box::new(draft)));
    }

    pub(super) fn flow_call(&mut self, call: &Call) {
        let found = &mut self.found;
        let Some(Object::Flow(draft)) = self.objects.get_mut(&call.record.receiver)
        else {
            return;
        };
        draft.calls += 1;
        let flow = draft.flow.at(call.origin());
        match call.record.method.as_str() {
            "scenario" => {
                flow.scenario(scenario(call, found));
            }
            "from" => with_text(call, found, |id| {
                flow.from(id);
            }),
            "to" => with_text(call, found, |id| {
                flow.to(id);
            }),
            "showMessage" => with_text(call, found, |text| {
                flow.show_message(text);
            }),
            "showError" => with_text(call, found, |text| {
                flow.show_error(text);
            }),
            "flashError" => with_text(call, found, |id| {
                flow.flash_error(id);
            }),
            "parallel" => {
                let (hops, origin) = pairs(call.argument(0), call, found);
                flow.at(origin).parallel(hops);
            }
            "setState" => {
                let id = call.text(0, found);
                let Some(word) = call.text(1, found) else { return };
                match (id, value_named(&word, call.argument(1).span.or(call.span))) {
                    (Some(id), Ok(state)) => {
                        flow.set_state(id, state);
                    }
                    (None, Ok(_)) => {}
                    (_, Err(error)) => found.push(*error),
                }
            }
            "wait" | "delay" => {
                if let Some(ms) = call.whole(0, found) {
                    flow.wait(ms);
                }
            }
            // The prelude knows no other method.
            _ => {}
        }
    }
}

fn with_text(call: &Call, found: &mut Vec<Diagnostic>, take: impl FnOnce(String)) {
    if let Some(text) = call.text(0, found) {
        take(text);
    }
}

/// `(id, title, description, options)`; the options may take the place of what is left out.
pub(super) fn scenario(call: &Call, found: &mut Vec<Diagnostic>) -> ScenarioConfig {
    let mut texts = [None, None];
    let mut config = ScenarioConfig::default();
    for index in 1..4 {
        let argument = call.argument(index);
        match &argument.value {
            Value::Map(_) => config = options::scenario(argument, &[], found),
            _ if index < 3 => texts[index - 1] = call.text(index, found),
            Value::Absent => {}
            _ => config = options::scenario(argument, &[], found),
        }
    }
    let [title, description] = texts;
    let id = call.text(0, found).unwrap_or_default();
    let mut origin = call.origin();
    origin.parts.append(&mut config.origin.parts);
    ScenarioConfig { id, title, description, origin, ..config }
}

/// `[[a, b], [a, c]]`, with the place of each end.
fn pairs(
    hops: &Data,
    call: &Call,
    found: &mut Vec<Diagnostic>,
) -> (Vec<(String, String)>, Origin) {
    let mut origin = call.origin();
    let pairs = read_pairs(hops, &mut origin, found);
    (pairs, origin)
}

/// The pairs themselves; each end's place becomes the part `hops[i][j]`.
pub(crate) fn read_pairs(
    hops: &Data,
    origin: &mut Origin,
    found: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let report = |data: &Data, found: &mut Vec<Diagnostic>, origin: &Origin| {
        let expected = "a list of pairs, like [['a', 'b'], ['a', 'c']]";
        let error = fields::wrong_type("hops", expected, data);
        found.push(Diagnostic { span: error.span.or(origin.whole), ..error });
    };
    let Value::List(items) = &hops.value else {
        report(hops, found, origin);
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Value::List(ends) = &item.value else {
            report(item, found, origin);
            continue;
        };
        let [from, to] = ends.as_slice() else {
            report(item, found, origin);
            continue;
        };
        for (end, data) in [from, to].into_iter().enumerate() {
            let part = format!("hops[{index}][{end}]");
            origin.parts.extend(data.span.map(|span| (part, span)));
        }
        let (from, to) =
            (fields::text("hops", from, found), fields::text("hops", to, found));
        pairs.extend(from.zip(to));
    }
    pairs
}
