//! What a sink connector writes to: an index of documents, asked over HTTP.
//!
//! `POST /orders/_bulk` takes one document per line, `{"id": …, "doc": …}`. A document with an
//! id takes the place of the one before (an upsert); one without is added as it is, as lines
//! are added to a file. A null document with an id removes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use topomotion_wire::{
    ActorDeed, AppDeed, ConnectionId, Fact, HttpMethod, HttpRequest, HttpResponse, Input,
    Instant, Machine, Message, Output,
};

#[derive(Debug, Clone, Default)]
struct Index {
    by_id: BTreeMap<String, Value>,
    /// Those without an id, in the order in which they came.
    added: Vec<Value>,
}

/// Keeps documents.
#[derive(Debug, Clone, Default)]
pub struct DocumentStore {
    indices: BTreeMap<Arc<str>, Index>,
    connections: BTreeSet<ConnectionId>,
    outputs: VecDeque<Output>,
}

impl DocumentStore {
    /// Documents of an index.
    pub fn documents(&self, index: &str) -> usize {
        self.indices.get(index).map_or(0, |it| it.by_id.len() + it.added.len())
    }

    fn asked(&mut self, connection: ConnectionId, request: HttpRequest) {
        let HttpRequest { correlation, method, path, body } = request;
        let index = path.strip_prefix('/').and_then(|path| path.strip_suffix("/_bulk"));
        let (status, body) = match (method, index) {
            (HttpMethod::Post, Some(index)) if !index.is_empty() => {
                match self.bulk(index, &body) {
                    Some(count) => {
                        (200, format!(r#"{{"errors":false,"items":{count}}}"#))
                    }
                    None => (400, error("a line is no document")),
                }
            }
            _ => (404, error("no such path")),
        };
        let message = Message::from(HttpResponse { correlation, status, body });
        self.outputs.push_back(Output::Send { connection, message });
    }

    /// All lines or none.
    fn bulk(&mut self, index: &str, body: &str) -> Option<usize> {
        let lines = body.lines().map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<Value> = lines.collect::<Option<_>>()?;
        let (mut new, mut replaced) = (0, 0);
        let name: Arc<str> = index.into();
        let own = self.indices.entry(name.clone()).or_default();
        for line in &lines {
            let doc = line.get("doc").cloned().unwrap_or_default();
            match line.get("id").and_then(Value::as_str) {
                Some(id) if doc.is_null() => {
                    replaced += usize::from(own.by_id.remove(id).is_some());
                }
                Some(id) => match own.by_id.insert(id.to_owned(), doc) {
                    Some(_) => replaced += 1,
                    None => new += 1,
                },
                None => {
                    new += 1;
                    own.added.push(doc);
                }
            }
        }
        let documents = own.by_id.len() + own.added.len();
        let deed =
            ActorDeed::App(AppDeed::Stored { index: name, new, replaced, documents });
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
        Some(lines.len())
    }
}

fn error(message: &str) -> String {
    serde_json::json!({ "error_code": 400, "message": message }).to_string()
}

impl Machine for DocumentStore {
    fn handle(&mut self, _: Instant, input: Input) {
        match input {
            Input::Accepted { connection } => {
                self.connections.insert(connection);
            }
            Input::Closed { connection } => {
                self.connections.remove(&connection);
            }
            Input::Received { connection, message: Message::HttpRequest(request) } => {
                self.asked(connection, *request);
            }
            Input::Received { connection, .. } => {
                self.connections.remove(&connection);
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Opened { .. } | Input::Flushed { .. } => {}
        }
    }

    fn tick(&mut self, _: Instant) {}

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_an_id_is_there_once_and_one_without_every_time() {
        let mut store = DocumentStore::default();
        let lines = "{\"id\":\"1\",\"doc\":{\"a\":1}}\n{\"doc\":{\"a\":1}}";
        for _ in 0..2 {
            assert_eq!(store.bulk("orders", lines), Some(2));
        }
        assert_eq!(store.documents("orders"), 3);
        assert_eq!(store.bulk("orders", "{\"id\":\"1\",\"doc\":null}"), Some(1));
        assert_eq!(store.documents("orders"), 2);
    }

    #[test]
    fn a_batch_with_nonsense_in_it_changes_nothing() {
        let mut store = DocumentStore::default();
        assert_eq!(store.bulk("orders", "{\"doc\":1}\nnonsense"), None);
        assert_eq!(store.documents("orders"), 0);
    }
}
