//! One recorded call, and what can be asked of its arguments.

use topomotion_model::{Condition, ConditionError, Diagnostic, Origin, Span};

use crate::api::{self, MadeBy, Method};
use crate::data::{Data, Value};
use crate::fields;
use crate::sandbox::Record;
use crate::source_map::SourceMap;

/// A recorded call at its place.
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) record: Record,
    pub(super) span: Option<Span>,
}

const ABSENT: Data = Data { span: None, value: Value::Absent };

impl Call {
    /// What messages call it.
    fn name(&self) -> String {
        match self.record.method.as_str() {
            "new" => format!("new {}", self.record.class),
            method => method.to_owned(),
        }
    }

    fn method(&self) -> Option<&'static Method> {
        api::find(&self.record.class, &self.record.method)
    }

    /// Too few arguments are errors, too many are warnings.
    pub(super) fn check_count(&self, found: &mut Vec<Diagnostic>) {
        let (names, required): (&[&str], _) = match self.method() {
            Some(method) => (method.arguments, method.required),
            None => match api::class(&self.record.class).map(|class| class.made_by) {
                Some(MadeBy::New(1)) => (&["argument"], 0),
                Some(MadeBy::New(_) | MadeBy::Method) | None => (&[], 0),
            },
        };
        let given = self.record.arguments.len();
        let missing = (given..required).next();
        if let Some(missing) = missing {
            let message = format!("`{}` needs its {}", self.name(), names[missing]);
            found.push(
                Diagnostic::error("missing-argument", message, self.span)
                    .at(format!("{given} given"))
                    .help(format!(
                        "write `{}({})`",
                        self.name(),
                        names[..required].join(", ")
                    )),
            );
        }
        if let Some(extra) = self.record.arguments.get(names.len()) {
            let message = format!(
                "`{}` takes {} arguments; the rest is ignored",
                self.name(),
                names.len()
            );
            let span = extra.span.or(self.span);
            found
                .push(Diagnostic::warning("extra-argument", message, span).at("ignored"));
        }
    }

    /// The argument, or an absent value.
    pub(super) fn argument(&self, index: usize) -> &Data {
        self.record.arguments.get(index).unwrap_or(&ABSENT)
    }

    /// What the argument is called.
    fn argument_name(&self, index: usize) -> &'static str {
        self.method()
            .and_then(|method| method.arguments.get(index))
            .copied()
            .unwrap_or("argument")
    }

    /// A text; anything else is reported, unless the argument is missing.
    pub(super) fn text(
        &self,
        index: usize,
        found: &mut Vec<Diagnostic>,
    ) -> Option<String> {
        let argument = self.record.arguments.get(index)?;
        if argument.is_absent() {
            let is_required = self.method().is_some_and(|method| index < method.required);
            if is_required {
                let (name, method) = (self.argument_name(index), self.name());
                let message = format!("the {name} of `{method}` is undefined");
                found.push(
                    Diagnostic::error("wrong-type", message, argument.span.or(self.span))
                        .at("expected text"),
                );
            }
            return None;
        }
        let mut reports = Vec::new();
        let text = fields::text(self.argument_name(index), argument, &mut reports);
        found.extend(reports.into_iter().map(|one| self.placed(one)));
        text
    }

    /// A whole number; anything else is reported, unless the argument is missing.
    pub(super) fn whole(&self, index: usize, found: &mut Vec<Diagnostic>) -> Option<i64> {
        let argument = self.record.arguments.get(index)?;
        let mut reports = Vec::new();
        let number = fields::whole(self.argument_name(index), argument, &mut reports);
        found.extend(reports.into_iter().map(|one| self.placed(one)));
        number
    }

    /// A list of texts; one text stands for a list of one.
    pub(super) fn texts(&self, index: usize, found: &mut Vec<Diagnostic>) -> Vec<String> {
        let argument = self.argument(index);
        let items = match &argument.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(argument),
        };
        let name = self.argument_name(index);
        items.iter().filter_map(|item| fields::text(name, item, found)).collect()
    }

    /// A condition; what is wrong with it is underlined inside the text.
    pub(super) fn condition(
        &self,
        index: usize,
        sources: &SourceMap,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Condition> {
        let text = self.text(index, found)?;
        let span = self.argument(index).span.or(self.span);
        match Condition::parse(&text) {
            Ok(condition) => Some(condition),
            Err(error) => {
                found.push(bad_condition(&text, &error, span, sources));
                None
            }
        }
    }

    /// The place of the whole call, and of each argument by its name.
    pub(super) fn origin(&self) -> Origin {
        let mut parts = Vec::new();
        let names = self.method().map_or(&[][..], |method| method.arguments);
        for (name, argument) in names.iter().zip(&self.record.arguments) {
            parts.extend(argument.span.map(|span| ((*name).to_owned(), span)));
            if let Value::List(items) = &argument.value {
                for (index, item) in items.iter().enumerate() {
                    parts
                        .extend(item.span.map(|span| (format!("{name}[{index}]"), span)));
                }
            }
            if let Value::Map(_) = &argument.value {
                parts.extend(fields::origin(None, argument).parts);
            }
        }
        Origin { whole: self.span, parts }
    }

    /// A report whose place is unknown is about this call.
    pub(super) fn placed(&self, report: Diagnostic) -> Diagnostic {
        Diagnostic { span: report.span.or(self.span), ..report }
    }
}

/// The error for a text that is no condition.
pub(crate) fn bad_condition(
    text: &str,
    error: &ConditionError,
    span: Option<Span>,
    sources: &SourceMap,
) -> Diagnostic {
    let inside = span.map(|span| {
        let written = sources.text(span);
        let skipped = written.find(text).filter(|_| !text.is_empty());
        match skipped {
            Some(skipped) => {
                let start = span.start + (skipped + error.at) as u32;
                let rest = &text[error.at..];
                let word =
                    rest.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
                let len = word.unwrap_or(rest.len()).max(1) as u32;
                Span { start, end: (start + len).min(span.end), ..span }
            }
            None => span,
        }
    });
    Diagnostic::error(
        "bad-condition",
        format!("`{text}` is not a condition: {}", error.message),
        inside,
    )
    .at(error.message.clone())
    .help(error.help.clone())
}
