//! Reading options: by name, with a word for every option that is unknown or of a wrong kind.

use topomotion_model::names::{Named, unknown_option, value_named};
use topomotion_model::{Diagnostic, Origin, Span};

use crate::data::{Data, Entry, Value};

/// The options of one thing.
pub(crate) struct Fields<'a, 'f> {
    entries: &'a [Entry],
    found: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Fields<'a, 'f> {
    /// Opens an object and reports the options that `owner` does not have.
    pub(crate) fn open(
        data: &'a Data,
        owner: &str,
        known: &[&str],
        found: &'f mut Vec<Diagnostic>,
    ) -> Fields<'a, 'f> {
        Fields::open_with(data, owner, known, |_| false, found)
    }

    /// The same, where more names are known than can be listed.
    pub(crate) fn open_with(
        data: &'a Data,
        owner: &str,
        known: &[&str],
        also: impl Fn(&str) -> bool,
        found: &'f mut Vec<Diagnostic>,
    ) -> Fields<'a, 'f> {
        let entries = match &data.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Absent => &[],
            _ => {
                let message = format!(
                    "the options of {owner} must be an object, but are {}",
                    data.kind()
                );
                found.push(
                    Diagnostic::error("wrong-type", message, data.span)
                        .at("not an object"),
                );
                &[]
            }
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) && !also(&entry.key) {
                found.push(unknown_option(owner, &entry.key, known, entry.key_span));
            }
        }
        Fields { entries, found }
    }

    /// The value of an option, unless it is absent.
    pub(crate) fn data(&self, name: &str) -> Option<&'a Data> {
        let entry = self.entries.iter().rfind(|entry| entry.key == name)?;
        Some(&entry.data).filter(|data| !data.is_absent())
    }

    /// Every option.
    pub(crate) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let data = self.data(name)?;
        text(name, data, self.found)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let data = self.data(name)?;
        match &data.value {
            Value::Bool(flag) => Some(*flag),
            _ => self.wrong(name, "`true` or `false`", data),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<f64> {
        let data = self.data(name)?;
        number(name, data, self.found)
    }

    pub(crate) fn whole(&mut self, name: &str) -> Option<i64> {
        let data = self.data(name)?;
        whole(name, data, self.found)
    }

    /// A whole number from 0; anything else is reported.
    pub(crate) fn count(&mut self, name: &str) -> Option<u32> {
        let number = self.whole(name)?;
        let data = self.data(name)?;
        match u32::try_from(number) {
            Ok(count) => Some(count),
            Err(_) => self.wrong(name, "a whole number from 0", data),
        }
    }

    pub(crate) fn value<T: Named>(&mut self, name: &str) -> Option<T> {
        let data = self.data(name)?;
        let word = self.text(name)?;
        match value_named(&word, data.span) {
            Ok(value) => Some(value),
            Err(error) => {
                self.found.push(*error);
                None
            }
        }
    }

    pub(crate) fn list(&mut self, name: &str) -> &'a [Data] {
        let Some(data) = self.data(name) else { return &[] };
        match &data.value {
            Value::List(items) => items,
            _ => {
                self.wrong::<()>(name, "a list", data);
                &[]
            }
        }
    }

    /// A list of texts; one text stands for a list of one.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let Some(data) = self.data(name) else { return Vec::new() };
        let items = match &data.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(data),
        };
        items.iter().filter_map(|item| text(name, item, self.found)).collect()
    }

    pub(crate) fn wrong<T>(
        &mut self,
        name: &str,
        expected: &str,
        data: &Data,
    ) -> Option<T> {
        self.found.push(wrong_type(name, expected, data));
        None
    }

    /// The findings, to be handed on.
    pub(crate) fn found(&mut self) -> &mut Vec<Diagnostic> {
        self.found
    }
}

/// Where each option is written.
pub(crate) fn origin(whole: Option<Span>, data: &Data) -> Origin {
    let mut parts = Vec::new();
    if let Value::Map(entries) = &data.value {
        for entry in entries {
            parts.extend(entry.data.span.map(|span| (entry.key.clone(), span)));
        }
    }
    Origin { whole, parts }
}

/// A text; a number is taken as it is written.
pub(crate) fn text(
    name: &str,
    data: &Data,
    found: &mut Vec<Diagnostic>,
) -> Option<String> {
    match &data.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_, Some(written)) => Some(written.clone()),
        Value::Number(number, None) => Some(number.to_string()),
        _ => {
            found.push(wrong_type(name, "text", data));
            None
        }
    }
}

pub(crate) fn number(
    name: &str,
    data: &Data,
    found: &mut Vec<Diagnostic>,
) -> Option<f64> {
    match &data.value {
        Value::Number(number, _) if number.is_finite() => Some(*number),
        _ => {
            found.push(wrong_type(name, "a number", data));
            None
        }
    }
}

pub(crate) fn whole(name: &str, data: &Data, found: &mut Vec<Diagnostic>) -> Option<i64> {
    let number = number(name, data, found)?;
    // Beyond this, neighbouring whole numbers are no longer told apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some(number as i64);
    }
    found.push(
        Diagnostic::error(
            "wrong-type",
            format!("`{name}` must be a whole number, but is {number}"),
            data.span,
        )
        .at("not a whole number"),
    );
    None
}

pub(crate) fn wrong_type(name: &str, expected: &str, data: &Data) -> Diagnostic {
    let message = format!("`{name}` must be {expected}, but is {}", data.kind());
    Diagnostic::error("wrong-type", message, data.span).at(format!("expected {expected}"))
}
