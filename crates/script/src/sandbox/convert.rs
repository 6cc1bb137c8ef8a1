//! From a running script's values to plain data.

use rquickjs::{Array, Ctx, Object, Result, Type, Value as Js};

use crate::data::{Data, Entry, Value};

/// The property that tells a builder's number; the prelude sets it.
const HANDLE: &str = "__topomotion";
/// Deeper values are of no use to any builder.
const DEEPEST: usize = 16;
/// Larger values are of no use to any builder.
const MOST_VALUES: usize = 100_000;

/// Copies a value out. Getters of the script may run, and throw.
pub(super) fn data<'js>(ctx: &Ctx<'js>, value: Js<'js>) -> Result<Data> {
    let mut left = MOST_VALUES;
    let value = convert(ctx, value, DEEPEST, &mut left)?;
    Ok(Data::unplaced(value))
}

fn convert<'js>(
    ctx: &Ctx<'js>,
    js: Js<'js>,
    depth: usize,
    left: &mut usize,
) -> Result<Value> {
    if depth == 0 {
        return Ok(Value::Other("nested too deep, or contains itself"));
    }
    if *left == 0 {
        return Ok(Value::Other("too large"));
    }
    *left -= 1;
    Ok(match js.type_of() {
        Type::Undefined | Type::Null | Type::Uninitialized => Value::Absent,
        Type::Bool => Value::Bool(js.as_bool().unwrap_or_default()),
        Type::Int | Type::Float => {
            Value::Number(js.as_number().unwrap_or_default(), None)
        }
        Type::String => match js.as_string().map(rquickjs::String::to_string) {
            Some(Ok(text)) => Value::Text(text),
            Some(Err(_)) | None => Value::Other("text with half a character in it"),
        },
        Type::Array => match js.into_array() {
            Some(array) => list(ctx, &array, depth, left)?,
            None => Value::Absent,
        },
        Type::Function | Type::Constructor => Value::Other("a function"),
        Type::Promise => Value::Other("a promise (is an `await` missing?)"),
        Type::Symbol => Value::Other("a symbol"),
        Type::BigInt => Value::Other("a bigint"),
        Type::Object | Type::Proxy | Type::Exception => match js.into_object() {
            Some(object) => map(ctx, &object, depth, left)?,
            None => Value::Absent,
        },
        Type::Module | Type::Unknown => Value::Other("something unknown"),
    })
}

fn list<'js>(
    ctx: &Ctx<'js>,
    array: &Array<'js>,
    depth: usize,
    left: &mut usize,
) -> Result<Value> {
    if array.len() > *left {
        return Ok(Value::Other("too large"));
    }
    let items = array
        .iter::<Js<'js>>()
        .map(|item| Ok(Data::unplaced(convert(ctx, item?, depth - 1, left)?)));
    Ok(Value::List(items.collect::<Result<_>>()?))
}

fn map<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    depth: usize,
    left: &mut usize,
) -> Result<Value> {
    if let Some(handle) = object.get::<_, Option<u32>>(HANDLE)? {
        return Ok(Value::Builder(handle));
    }
    let mut entries = Vec::new();
    for property in object.props::<String, Js<'js>>() {
        let (key, value) = property?;
        let data = Data::unplaced(convert(ctx, value, depth - 1, left)?);
        entries.push(Entry { key, key_span: None, data });
    }
    Ok(Value::Map(entries))
}
