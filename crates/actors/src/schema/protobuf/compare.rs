//! What may change between two versions of a Protobuf file.
//!
//! Numbers are what counts on the wire: a field may be renamed, come and go; its type may
//! change to one with the same encoding.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto};

use super::super::{READER, Reason, WRITER};
use super::Protobuf;

/// Why `update` does not read what `original` describes.
pub(crate) fn compare(original: &Protobuf, update: &Protobuf) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (was, is) = (original.file.package(), update.file.package());
    if was != is {
        let text = format!("the package is `{was}` in {WRITER}, `{is}` in {READER}");
        reasons.push(Reason::new("", text));
    }
    let after = update.messages();
    for (path, old) in original.messages() {
        match after.iter().find(|(known, _)| *known == path) {
            Some((_, new)) => {
                messages(&path, old, new, &mut reasons);
            }
            None => {
                let text = format!("{WRITER} has this message, {READER} does not");
                reasons.push(Reason::new(path, text));
            }
        }
    }
    reasons
}

/// What decides how a field looks on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Encoding {
    /// Numbers of variable length, and truth values.
    Varint,
    /// Signed numbers of variable length.
    Zigzag,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Text,
    Named(String),
}

fn encoding(field: &FieldDescriptorProto) -> Encoding {
    if let Some(name) = &field.type_name {
        return Encoding::Named(name.rsplit('.').next().unwrap_or(name).to_owned());
    }
    match field.r#type() {
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 | Type::Bool => {
            Encoding::Varint
        }
        Type::Sint32 | Type::Sint64 => Encoding::Zigzag,
        Type::Fixed32 | Type::Sfixed32 => Encoding::Fixed32,
        Type::Fixed64 | Type::Sfixed64 => Encoding::Fixed64,
        Type::Float => Encoding::Float,
        Type::Double => Encoding::Double,
        Type::String | Type::Bytes => Encoding::Text,
        Type::Enum | Type::Message | Type::Group => Encoding::Named(String::new()),
    }
}

/// A field's type as a file writes it.
fn word(field: &FieldDescriptorProto) -> String {
    match &field.type_name {
        Some(name) => name.trim_start_matches('.').to_owned(),
        None => {
            let name = field.r#type().as_str_name().trim_start_matches("TYPE_");
            name.to_ascii_lowercase()
        }
    }
}

/// The `oneof` that a field stands in; an `optional` of proto3 is none.
fn choice<'a>(
    message: &'a DescriptorProto,
    field: &FieldDescriptorProto,
) -> Option<&'a str> {
    if field.proto3_optional() {
        return None;
    }
    let index = usize::try_from(field.oneof_index?).ok()?;
    Some(message.oneof_decl.get(index)?.name())
}

fn messages(
    path: &str,
    old: &DescriptorProto,
    new: &DescriptorProto,
    reasons: &mut Vec<Reason>,
) {
    let mut differ = |name: &str, text: String| {
        reasons.push(Reason::new(format!("{path}.{name}"), text));
    };
    let is_required = |field: &FieldDescriptorProto| field.label() == Label::Required;
    for was in &old.field {
        let number = was.number();
        match new.field.iter().find(|field| field.number() == number) {
            Some(is) => fields(was, is, &mut differ),
            None if is_required(was) => {
                let text = format!("{WRITER} requires it, {READER} does not have it");
                differ(was.name(), text);
            }
            None if choice(old, was).is_some() => {
                let text = format!("{WRITER} has it among a oneof, {READER} does not");
                differ(was.name(), text);
            }
            None => {}
        }
    }
    for is in new.field.iter().filter(|field| is_required(field)) {
        if !old.field.iter().any(|was| was.number() == is.number() && is_required(was)) {
            differ(is.name(), format!("{READER} requires it, {WRITER} does not"));
        }
    }
    moved(old, new, &mut differ);
}

fn fields(
    was: &FieldDescriptorProto,
    is: &FieldDescriptorProto,
    differ: &mut impl FnMut(&str, String),
) {
    let (before, after) = (encoding(was), encoding(is));
    let number = was.number();
    if before != after {
        let (before, after) = (word(was), word(is));
        let text =
            format!("number {number} is {before} in {WRITER}, {after} in {READER}");
        return differ(is.name(), text);
    }
    let repeats = |field: &FieldDescriptorProto| field.label() == Label::Repeated;
    let is_packed = !matches!(before, Encoding::Text | Encoding::Named(_));
    if is_packed && repeats(was) != repeats(is) {
        let (one, many) = if repeats(is) { (WRITER, READER) } else { (READER, WRITER) };
        let text = format!("number {number} is one value in {one}, repeated in {many}");
        differ(is.name(), text);
    }
}

/// Fields that stood alone may not share a oneof, nor join one that was there.
fn moved(
    old: &DescriptorProto,
    new: &DescriptorProto,
    differ: &mut impl FnMut(&str, String),
) {
    for oneof in &new.oneof_decl {
        let members = new.field.iter();
        let members = members.filter(|it| choice(new, it) == Some(oneof.name()));
        let alone = |field: &&FieldDescriptorProto| {
            let before = old.field.iter().find(|was| was.number() == field.number());
            before.is_some_and(|was| choice(old, was).is_none())
        };
        let moved: Vec<&FieldDescriptorProto> = members.filter(alone).collect();
        let stood = old.oneof_decl.iter().any(|was| was.name() == oneof.name());
        if moved.len() > 1 || stood && !moved.is_empty() {
            for field in moved {
                let text = format!(
                    "it stands alone in {WRITER}, and excludes others in {READER}"
                );
                differ(field.name(), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Schema, SchemaType};

    fn file(fields: &str) -> String {
        format!("syntax = \"proto3\"; package shop; message Order {{ {fields} }}")
    }

    fn reasons(reader: &str, writer: &str) -> Vec<String> {
        let parse = |text| Schema::parse(SchemaType::Protobuf, text).expect("good");
        let found = parse(reader).cannot_read(&parse(writer));
        found.iter().map(|reason| reason.tell("new", "old")).collect()
    }

    #[test]
    fn fields_come_go_and_are_renamed() {
        let one = file("string id = 1;");
        let two = file("string key = 1; int32 amount = 2;");
        assert!(reasons(&two, &one).is_empty());
        assert!(reasons(&one, &two).is_empty());
    }

    #[test]
    fn a_number_keeps_its_encoding() {
        let old = file("int32 amount = 2;");
        assert!(reasons(&file("uint64 amount = 2;"), &old).is_empty());
        let told = ["Order.amount: number 2 is int32 in old, string in new"];
        assert_eq!(reasons(&file("string amount = 2;"), &old), told);
        let told = ["Order.amount: number 2 is int32 in old, sint32 in new"];
        assert_eq!(reasons(&file("sint32 amount = 2;"), &old), told);
        let told = ["Order.amount: number 2 is one value in old, repeated in new"];
        assert_eq!(reasons(&file("repeated int32 amount = 2;"), &old), told);
    }

    #[test]
    fn a_required_field_stays() {
        let old = "syntax = \"proto2\"; message A { required string id = 1; }";
        let new = "syntax = \"proto2\"; message A { optional string n = 2; }";
        let told = ["A.id: old requires it, new does not have it"];
        assert_eq!(reasons(new, old), told);
        assert_eq!(reasons(old, new), ["A.id: new requires it, old does not"]);
    }

    #[test]
    fn fields_that_stood_alone_do_not_share_a_oneof() {
        let old = file("string a = 1; string b = 2;");
        let one = file("oneof it { string a = 1; } string b = 2;");
        let both = file("oneof it { string a = 1; string b = 2; }");
        assert!(reasons(&one, &old).is_empty());
        assert_eq!(reasons(&both, &old).len(), 2);
        let told = ["Order.b: it stands alone in old, and excludes others in new"];
        assert_eq!(reasons(&both, &one), told);
        let told = ["Order.b: old has it among a oneof, new does not"];
        assert_eq!(reasons(&file("string a = 1;"), &both), told);
    }

    #[test]
    fn messages_stay_and_so_does_the_package() {
        let old = file("message Line { int32 n = 1; } Line line = 1;");
        let new = "syntax = \"proto3\"; package mall; message Order { }";
        let told = reasons(new, &old);
        assert_eq!(told[0], "the package is `shop` in old, `mall` in new");
        assert_eq!(told[1], "Order.Line: old has this message, new does not");
    }

    #[test]
    fn a_file_without_a_message_or_sense_is_refused() {
        for text in ["syntax = \"proto3\";", "message {", "hello"] {
            assert!(Schema::parse(SchemaType::Protobuf, text).is_err(), "{text}");
        }
    }
}
