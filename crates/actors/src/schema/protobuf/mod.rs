//! Protobuf: parsed by `protox-parse`; what may change between two files is decided here.

mod compare;
mod payload;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

pub(crate) use compare::compare;

/// A parsed file.
#[derive(Debug, Clone, PartialEq)]
pub struct Protobuf {
    file: FileDescriptorProto,
}

impl Protobuf {
    pub(crate) fn parse(text: &str) -> Result<Protobuf, String> {
        let file = protox_parse::parse("schema.proto", text)
            .map_err(|error| error.to_string())?;
        match file.message_type.is_empty() {
            true => Err("the file has no message".to_owned()),
            false => Ok(Protobuf { file }),
        }
    }

    /// Every message with its path (`Order.Line`), outer ones first.
    fn messages(&self) -> Vec<(String, &DescriptorProto)> {
        let mut found = Vec::new();
        let mut open: Vec<(String, &DescriptorProto)> =
            self.file.message_type.iter().map(|it| (it.name().to_owned(), it)).collect();
        open.reverse();
        while let Some((path, message)) = open.pop() {
            for inner in message.nested_type.iter().rev() {
                open.push((format!("{path}.{}", inner.name()), inner));
            }
            found.push((path, message));
        }
        found
    }

    /// The message that a field names, from anywhere in the file.
    fn message(&self, name: &str) -> Option<&DescriptorProto> {
        let all = self.messages();
        let found = all.into_iter().find(|(path, _)| is_called(path, name));
        found.map(|(_, message)| message)
    }

    fn enumeration(&self, name: &str) -> Option<&EnumDescriptorProto> {
        let outer = self.file.enum_type.iter();
        let own = |it: &&EnumDescriptorProto| is_called(it.name(), name);
        let inner = self.messages().into_iter().flat_map(|(_, it)| &it.enum_type);
        outer.chain(inner).find(own)
    }
}

/// Names may be given with package and outer messages, or without.
fn is_called(path: &str, name: &str) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    last(path) == last(name)
}
