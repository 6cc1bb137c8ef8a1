//! From a running script's stack frames to the exact places in its text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use topomotion_model::{FileId, Span};

use crate::data::Data;
use crate::sandbox::Frame;
use crate::source_map::SourceMap;
use crate::typescript::{CallSite, Form, Module};

/// The call tables of all files, by name and place.
pub(crate) struct Places<'a> {
    /// The JavaScript that ran: byte for byte as long as the script.
    code: SourceMap,
    calls: Vec<BTreeMap<&'a str, Vec<&'a CallSite>>>,
    all: Vec<&'a [CallSite]>,
    /// A loop asks for the same place again and again.
    asked: RefCell<BTreeMap<(Frame, String), Option<&'a CallSite>>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(modules: &'a [Module]) -> Places<'a> {
        let mut code = SourceMap::default();
        let mut calls = Vec::new();
        for module in modules {
            code.add("", module.code.as_str());
            let mut by_name: BTreeMap<&str, Vec<&CallSite>> = BTreeMap::new();
            for call in &module.calls {
                by_name.entry(&call.name).or_default().push(call);
            }
            for sites in by_name.values_mut() {
                sites.sort_by_key(|site| site.range.start);
            }
            calls.push(by_name);
        }
        let all = modules.iter().map(|module| module.calls.as_slice()).collect();
        Places { code, calls, all, asked: RefCell::default() }
    }

    /// The byte that a frame means.
    pub(crate) fn byte(&self, frame: Frame) -> Option<u32> {
        Some(self.code.file(FileId(frame.file))?.byte(frame.line, frame.column))
    }

    /// The token that a frame means.
    pub(crate) fn token(&self, frame: Frame) -> Option<Span> {
        let file = FileId(frame.file);
        let start = self.byte(frame)?;
        let rest = &self.code.file(file)?.text[start as usize..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let end = match end {
            0 => rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8),
            end => end,
        };
        Some(Span { file, start, end: start + end as u32 })
    }

    /// The innermost call of this name around a frame. The engine names a place somewhere
    /// between the call's name and its closing parenthesis.
    pub(crate) fn call(&self, frame: Frame, name: &str) -> Option<&'a CallSite> {
        let key = (frame, name.to_owned());
        if let Some(known) = self.asked.borrow().get(&key) {
            return *known;
        }
        let found = self.byte(frame).and_then(|byte| {
            let sites = self.calls.get(frame.file as usize)?.get(name)?;
            let behind = sites.partition_point(|site| site.range.start <= byte);
            let around = sites[..behind].iter().rev();
            around.copied().find(|site| byte < site.range.end)
        });
        self.asked.borrow_mut().insert(key, found);
        found
    }

    /// The innermost call of any name around a frame.
    pub(crate) fn any_call(&self, frame: Frame) -> Option<&'a CallSite> {
        let byte = self.byte(frame)?;
        let sites = self.all.get(frame.file as usize)?;
        let around = sites.iter().filter(|site| site.range.contains(&byte));
        around.min_by_key(|site| site.range.end - site.range.start)
    }

    /// The span of a call, and its arguments with their places.
    pub(crate) fn locate(
        &self,
        frames: &[Frame],
        name: &str,
        arguments: &mut [Data],
    ) -> Option<Span> {
        let frame = *frames.first()?;
        let file = FileId(frame.file);
        let Some(site) = self.call(frame, name) else { return self.token(frame) };
        let places = site.arguments.iter().take_while(|place| place.form != Form::Spread);
        for (argument, place) in arguments.iter_mut().zip(places) {
            argument.place(file, place);
        }
        Some(Span { file, start: site.range.start, end: site.range.end })
    }
}
