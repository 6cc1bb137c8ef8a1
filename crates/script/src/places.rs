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
    modules: &'a [Module],
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
        Places { code, calls, modules, asked: RefCell::default() }
    }

    /// The byte that a frame means.
    pub(crate) fn byte(&self, frame: Frame) -> Option<u32> {
        Some(self.code.file(FileId(frame.file))?.byte_at(frame.line, frame.column))
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
        let module = self.modules.get(frame.file as usize)?;
        let around = module.calls.iter().filter(|site| site.range.contains(&byte));
        around.min_by_key(|site| site.range.end - site.range.start)
    }

    /// The loop that an interrupted function was in, as far as its text tells. The engine
    /// names the function, but not the place in it.
    pub(crate) fn running_loop(&self, frame: Option<Frame>) -> Option<Span> {
        let file = frame.map_or(0, |frame| frame.file);
        let module = self.modules.get(file as usize)?;
        let byte = frame.and_then(|frame| self.byte(frame)).unwrap_or_default();
        let is_whole = frame.is_none_or(|frame| frame.line == 0);
        let around = module.functions.iter().filter(|range| range.contains(&byte));
        let function = around.min_by_key(|range| range.end - range.start);
        let function = function.filter(|_| !is_whole).cloned();
        let here = || module.loops.iter().filter(|one| one.function == function);
        let endless = here().find(|one| one.is_endless);
        let found = endless.or_else(|| here().rfind(|one| one.at.start <= byte));
        let at = &found.or_else(|| here().next())?.at;
        Some(Span { file: FileId(file), start: at.start, end: at.end })
    }

    /// The only call of one of these names in all files.
    pub(crate) fn only_call(&self, names: &[&str]) -> Option<Span> {
        let files = (0..).zip(self.modules);
        let mut sites = files.flat_map(|(file, module)| {
            let named =
                module.calls.iter().filter(|call| names.contains(&call.name.as_str()));
            named.map(move |call| (FileId(file), call))
        });
        let (file, call) = sites.next()?;
        let span = Span { file, start: call.name_at.start, end: call.range.end };
        sites.next().is_none().then_some(span)
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
