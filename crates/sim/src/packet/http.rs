//! What an HTTP message says: method and path, status and what came of it.

use topomotion_wire::{HttpRequest, HttpResponse};

use super::{Part, Told};

/// Longest part of a body that a picture shows, in characters.
const SHOWN: usize = 96;

/// What is asked, where a short body says it.
pub(super) fn asked(request: &HttpRequest) -> Told {
    let body = &request.body;
    let text = match body.chars().count() {
        1..=SHOWN => format!("{} {body}", request.path),
        _ => request.path.clone(),
    };
    Told::one(Part::always(request.path.clone(), text))
}

/// What is answered: all of a short body, the words of a refusal.
pub(super) fn answered(response: &HttpResponse) -> Told {
    let words = words(&response.body).unwrap_or_else(|| response.body.clone());
    let mut told = Told::one(Part::always("", shortened(&words)));
    if !response.is_success() {
        told.error = Some(error(response.status));
    }
    told
}

/// What matters in an answer of many parts: the `message` of an error, the schema itself,
/// the first reason against one.
fn words(body: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    if value.get("error_code").is_some() {
        return text("message");
    }
    match value.get("is_compatible").map(|it| it == true) {
        Some(true) => return Some("compatible".to_owned()),
        Some(false) => {
            let reason = value.get("messages").and_then(|it| it.get(0)?.as_str());
            return Some(format!("not compatible: {}", reason.unwrap_or_default()));
        }
        None => {}
    }
    let schema = text("schema")?;
    match (value.get("version"), value.get("id")) {
        (Some(version), Some(id)) => {
            Some(format!("version {version}, id {id}: {schema}"))
        }
        _ => Some(schema),
    }
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(SHOWN) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
    }
}

/// A status that stands for a failure, in words that a condition can name.
pub(super) fn error(status: u16) -> String {
    format!("HTTP_{status}")
}

/// Whether this names a status that stands for a failure: `HTTP_409`.
pub(crate) fn is_failure(name: &str) -> bool {
    let status = name.strip_prefix("HTTP_").and_then(|it| it.parse().ok());
    status.is_some_and(|status: u16| (400..600).contains(&status))
}

/// A status as the name of what travels.
pub(super) fn status(status: u16) -> &'static str {
    match status {
        200 => "200",
        204 => "204",
        400 => "400",
        404 => "404",
        405 => "405",
        409 => "409",
        422 => "422",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        100..=199 => "1xx",
        201..=299 => "2xx",
        300..=399 => "3xx",
        401..=499 => "4xx",
        _ => "5xx",
    }
}

/// About the head of a request or a response, in bytes: first line and headers.
const HEAD: usize = 120;

/// How long a request is on the wire.
pub(super) fn request_size(request: &HttpRequest) -> u32 {
    size(request.method.name().len() + request.path.len() + request.body.len())
}

/// How long a response is on the wire.
pub(super) fn response_size(response: &HttpResponse) -> u32 {
    size(response.body.len())
}

fn size(length: usize) -> u32 {
    u32::try_from(HEAD + length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use topomotion_wire::{CorrelationId, HttpMethod};

    use super::*;

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        let correlation = CorrelationId(1);
        let body = r#"{"error_code":409,"message":"Schema is incompatible"}"#;
        let response = HttpResponse { correlation, status: 409, body: body.to_owned() };
        let told = answered(&response);
        assert_eq!(told.parts[0].text, "Schema is incompatible");
        assert_eq!(told.error.as_deref(), Some("HTTP_409"));
    }

    #[test]
    fn of_an_answer_about_a_schema_the_schema_is_told() {
        let told = |body: &str| words(body);
        let schema = r#"{"id":3,"schema":"\"int\"","version":2}"#;
        assert_eq!(told(schema).as_deref(), Some("version 2, id 3: \"int\""));
        let reasons = r#"{"is_compatible":false,"messages":["a: gone"]}"#;
        assert_eq!(told(reasons).as_deref(), Some("not compatible: a: gone"));
        assert_eq!(told("[1]"), None);
    }

    #[test]
    fn a_long_body_is_left_out_of_a_request_and_cut_in_an_answer() {
        let (correlation, method) = (CorrelationId(1), HttpMethod::Post);
        let body = "x".repeat(SHOWN + 12);
        let path = "/a".to_owned();
        let request = HttpRequest { correlation, method, path, body: body.clone() };
        assert_eq!(asked(&request).parts[0].text, "/a");
        let response = HttpResponse { correlation, status: 200, body };
        assert_eq!(answered(&response).parts[0].text.chars().count(), SHOWN + 1);
    }
}
