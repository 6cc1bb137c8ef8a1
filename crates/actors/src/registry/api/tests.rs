//! The REST interface, request by request.

use serde_json::{Value, json};
use topomotion_wire::{CorrelationId, HttpMethod, HttpRequest};

use super::*;

/// A registry without a topic: what it decides to write, it knows at once.
#[derive(Default)]
struct Rig {
    store: Store,
    /// Entries written.
    written: usize,
}

impl Rig {
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = HttpRequest {
            correlation: CorrelationId(0),
            method: HttpMethod::named(method).expect("a method"),
            path: path.to_owned(),
            body: if body.is_null() { String::new() } else { body.to_string() },
        };
        let decision = decide(&self.store, Compatibility::Backward, &request);
        let Reply { status, body } = decision.reply().clone();
        if let Decision::Write(entries, _) = decision {
            self.written += entries.len();
            entries.into_iter().for_each(|entry| self.store.apply(entry));
        }
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.ask("GET", path, &Value::Null)
    }

    fn register(&mut self, subject: &str, schema: &str) -> (u16, Value) {
        let path = format!("/subjects/{subject}/versions");
        self.ask("POST", &path, &json!({ "schema": schema }))
    }
}

/// The status and error code of a refusal.
fn code((status, body): (u16, Value)) -> (u16, u64) {
    (status, body["error_code"].as_u64().expect("an error"))
}

fn order(fields: &str) -> String {
    crate::schema::from_words(&format!("Order({fields})"))
}

#[test]
fn the_same_schema_gets_the_same_id_and_is_written_once() {
    let mut rig = Rig::default();
    let schema = order("id: string");
    assert_eq!(rig.register("orders-value", &schema), (200, json!({"id": 1})));
    assert_eq!(rig.register("orders-value", &schema), (200, json!({"id": 1})));
    assert_eq!(rig.written, 1);
    // Under another subject it is another version, of the same id.
    assert_eq!(rig.register("returns-value", &schema), (200, json!({"id": 1})));
    assert_eq!(rig.written, 2);
    let other = order("id: string, note: string = x");
    assert_eq!(rig.register("orders-value", &other), (200, json!({"id": 2})));
    assert_eq!(rig.get("/subjects").1, json!(["orders-value", "returns-value"]));
    assert_eq!(rig.get("/subjects/orders-value/versions").1, json!([1, 2]));
    let places = rig.get("/schemas/ids/1/versions").1;
    let both = json!([
        {"subject": "orders-value", "version": 1},
        {"subject": "returns-value", "version": 1}
    ]);
    assert_eq!(places, both);
}

#[test]
fn a_breaking_change_is_refused_with_its_reason_and_nothing_is_written() {
    let mut rig = Rig::default();
    rig.register("orders-value", &order("id: string"));
    let (status, body) = rig.register("orders-value", &order("id: string, note: string"));
    assert_eq!((status, &body["error_code"]), (409, &json!(409)));
    let message = body["message"].as_str().expect("words");
    assert!(message.contains("Order.note") && message.contains("BACKWARD"), "{message}");
    assert_eq!(rig.written, 1);
}

#[test]
fn a_subjects_own_level_counts_before_the_global_one() {
    let mut rig = Rig::default();
    assert_eq!(rig.get("/config").1, json!({"compatibilityLevel": "BACKWARD"}));
    assert_eq!(code(rig.get("/config/orders-value")), (404, 40408));
    let or_global = rig.get("/config/orders-value?defaultToGlobal=true");
    assert_eq!(or_global.1, json!({"compatibilityLevel": "BACKWARD"}));
    let none = json!({"compatibility": "none"});
    let set = rig.ask("PUT", "/config/orders-value", &none);
    assert_eq!(set, (200, json!({"compatibility": "NONE"})));
    rig.register("orders-value", &order("id: string"));
    assert_eq!(rig.register("orders-value", &order("x: int")).0, 200);
    let back = rig.ask("DELETE", "/config/orders-value", &Value::Null);
    assert_eq!(back.1, json!({"compatibilityLevel": "NONE"}));
    assert_eq!(rig.register("orders-value", &order("y: int")).0, 409);
    let wrong = json!({"compatibility": "SIDEWAYS"});
    assert_eq!(code(rig.ask("PUT", "/config", &wrong)), (422, 42203));
}

#[test]
fn compatibility_can_be_asked_for_without_registering() {
    let mut rig = Rig::default();
    rig.register("s", &order("id: string"));
    let body = json!({"schema": order("id: string, n: int")});
    let path = "/compatibility/subjects/s/versions/latest";
    assert_eq!(rig.ask("POST", path, &body), (200, json!({"is_compatible": false})));
    let told = rig.ask("POST", &format!("{path}?verbose=true"), &body).1;
    let reason =
        "Order.n: version 1 does not write it, and the new schema has no default for it";
    assert_eq!(told, json!({"is_compatible": false, "messages": [reason]}));
    let good = json!({"schema": order("id: string, n: int = 0")});
    assert_eq!(rig.ask("POST", path, &good).1, json!({"is_compatible": true}));
    let missing = "/compatibility/subjects/s/versions/9";
    assert_eq!(code(rig.ask("POST", missing, &good)), (404, 40402));
    assert_eq!(rig.written, 1);
}

#[test]
fn what_is_not_there_has_a_code_of_its_own() {
    let mut rig = Rig::default();
    rig.register("s", &order("id: string"));
    assert_eq!(code(rig.get("/subjects/t/versions")), (404, 40401));
    assert_eq!(code(rig.get("/subjects/s/versions/2")), (404, 40402));
    assert_eq!(code(rig.get("/subjects/s/versions/zero")), (422, 42202));
    assert_eq!(code(rig.get("/subjects/s/versions/0")), (422, 42202));
    assert_eq!(code(rig.get("/schemas/ids/7")), (404, 40403));
    assert_eq!(code(rig.get("/nowhere")), (404, 404));
    let other = json!({"schema": order("x: int")});
    assert_eq!(code(rig.ask("POST", "/subjects/s", &other)), (404, 40403));
    assert_eq!(code(rig.register("s", "{")), (422, 42201));
    let kind = json!({"schema": "\"int\"", "schemaType": "XML"});
    assert_eq!(code(rig.ask("POST", "/subjects/s/versions", &kind)), (422, 42201));
}

#[test]
fn a_schema_is_found_by_id_by_version_and_by_itself() {
    let mut rig = Rig::default();
    let schema = order("id: string");
    rig.register("s", &schema);
    assert_eq!(rig.get("/schemas/ids/1").1, json!({"schema": schema}));
    let version = json!({"subject": "s", "version": 1, "id": 1, "schema": schema});
    assert_eq!(rig.get("/subjects/s/versions/latest").1, version);
    let found = rig.ask("POST", "/subjects/s", &json!({"schema": schema}));
    assert_eq!(found, (200, version));
    let json_schema = json!({"schema": "{\"type\":\"string\"}", "schemaType": "JSON"});
    rig.ask("POST", "/subjects/t/versions", &json_schema);
    assert_eq!(rig.get("/schemas/ids/2").1["schemaType"], "JSON");
}

#[test]
fn deleting_is_soft_first_and_a_number_does_not_come_back() {
    let mut rig = Rig::default();
    rig.register("s", &order("id: string"));
    rig.register("s", &order("id: string, n: int = 0"));
    let delete = |rig: &mut Rig, path: &str| rig.ask("DELETE", path, &Value::Null);
    let early = delete(&mut rig, "/subjects/s/versions/1?permanent=true");
    assert_eq!(code(early), (404, 40407));
    assert_eq!(delete(&mut rig, "/subjects/s/versions/1"), (200, json!(1)));
    assert_eq!(code(delete(&mut rig, "/subjects/s/versions/1")), (404, 40406));
    assert_eq!(rig.get("/subjects/s/versions").1, json!([2]));
    assert_eq!(rig.get("/subjects/s/versions?deleted=true").1, json!([1, 2]));
    // Records that carry its id can still be read.
    assert_eq!(rig.get("/schemas/ids/1").0, 200);
    assert_eq!(code(delete(&mut rig, "/subjects/s?permanent=true")), (404, 40405));
    assert_eq!(delete(&mut rig, "/subjects/s"), (200, json!([2])));
    assert_eq!(code(delete(&mut rig, "/subjects/s")), (404, 40404));
    assert_eq!(code(rig.get("/subjects/s/versions")), (404, 40401));
    rig.register("s", &order("fresh: int"));
    assert_eq!(rig.get("/subjects/s/versions").1, json!([3]));
    delete(&mut rig, "/subjects/s");
    let gone = delete(&mut rig, "/subjects/s?permanent=true");
    assert_eq!(gone, (200, json!([1, 2, 3])));
    assert_eq!(code(rig.get("/schemas/ids/1")), (404, 40403));
}

#[test]
fn a_subject_may_have_any_sign_that_a_path_can_escape() {
    let mut rig = Rig::default();
    assert_eq!(rig.register("a%2Fb%20%C3%BC-value", &order("id: string")).0, 200);
    assert_eq!(rig.get("/subjects").1, json!(["a/b ü-value"]));
    assert_eq!(rig.get("/subjects/a%2fb%20%c3%bc-value/versions").1, json!([1]));
    for wrong in ["/subjects/%", "/subjects/%2", "/subjects/%+1", "/subjects/%ff"] {
        assert_eq!(code(rig.get(wrong)), (404, 404), "{wrong}");
    }
}
