//! What an application tells a kubelet over HTTP: `GET /health`, whether it lives, and
//! `GET /ready`, whether its consumer has a place in its group.
//!
//! They are two questions: who waits for a rebalance is alive, and to kill it would begin
//! another one.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;
use topomotion_client::Consumer;
use topomotion_wire::{ConnectionId, HttpResponse, Input, Message, Output};

/// Answers probes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    connections: BTreeSet<ConnectionId>,
}

impl Health {
    /// Takes what was meant for it; gives the rest back.
    pub fn serve(
        &mut self,
        input: Input,
        consumer: &Consumer,
        outputs: &mut VecDeque<Output>,
    ) -> Option<Input> {
        match input {
            Input::Accepted { connection } => {
                self.connections.insert(connection);
                None
            }
            Input::Closed { connection } if self.connections.remove(&connection) => None,
            Input::Received { connection, message }
                if self.connections.contains(&connection) =>
            {
                let Message::HttpRequest(request) = message else {
                    self.connections.remove(&connection);
                    outputs.push_back(Output::Close { connection });
                    return None;
                };
                let (status, body) = answer(&request.path, consumer);
                let correlation = request.correlation;
                let response = HttpResponse { correlation, status, body };
                outputs.push_back(Output::Send { connection, message: response.into() });
                None
            }
            other => Some(other),
        }
    }
}

fn answer(path: &str, consumer: &Consumer) -> (u16, String) {
    let refuse = |status: u16, words: String| {
        (status, json!({ "error_code": status, "message": words }).to_string())
    };
    match path {
        "/health" => (200, json!({ "status": "UP" }).to_string()),
        "/ready" if !consumer.is_member() => {
            refuse(503, "it waits for its place in the group".to_owned())
        }
        "/ready" => {
            let owned = consumer.owned().len();
            (200, json!({ "status": "READY", "partitions": owned }).to_string())
        }
        path => refuse(404, format!("nothing is at {path}")),
    }
}

#[cfg(test)]
mod tests {
    use topomotion_client::{CommonConfig, ConsumerConfig, GroupConfig};
    use topomotion_wire::Instant;

    use super::*;

    #[test]
    fn who_waits_for_its_group_lives_and_is_not_ready() {
        let common = CommonConfig::new("flink-1", Vec::new());
        let mut consumer = Consumer::new(ConsumerConfig {
            group: Some(GroupConfig::new("flink")),
            ..ConsumerConfig::new(common)
        });
        consumer.subscribe(Instant::ZERO, ["orders"]);
        let status = |path| answer(path, &consumer).0;
        assert_eq!([status("/health"), status("/ready"), status("/")], [200, 503, 404]);
    }
}
