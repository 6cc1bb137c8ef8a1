//! FindCoordinator (10), versions 0–6, on brokers.
//!
//! - The leader of the partition that a group or a transactional id hashes to (GRP-1); from
//!   version 1 on also transactional ids, from 4 on several keys.
//! - COORDINATOR_NOT_AVAILABLE while that partition has no leader that is alive, or the topic
//!   does not exist yet: then it is created.
//! - Share groups (version 6) are not served: INVALID_REQUEST.

use topomotion_wire::messages::find_coordinator_response::Coordinator;
use topomotion_wire::messages::{
    BrokerId, FindCoordinatorRequest, FindCoordinatorResponse,
};
use topomotion_wire::{ErrorCode, NodeId, Rule, StrBytes};

use super::text;
use crate::broker::Broker;
use crate::coordinators::{InternalTopic, home};
use crate::metadata::BrokerRegistration;
use crate::net::Effects;
use crate::replica::Site;

/// The first version that asks for several.
const BATCHED: i16 = 4;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    version: i16,
    request: &FindCoordinatorRequest,
    effects: &mut Effects,
) -> FindCoordinatorResponse {
    let topic = match request.key_type {
        0 => Some(InternalTopic::Offsets),
        1 => Some(InternalTopic::Transactions),
        _ => None,
    };
    let mut find = |key: &StrBytes| match topic {
        Some(topic) => find(broker, site, topic, key, effects),
        None => Err(ErrorCode::InvalidRequest),
    };
    if version >= BATCHED {
        let of_key = |key: &StrBytes| {
            let coordinator = Coordinator::default().with_key(key.clone());
            match find(key) {
                Ok((id, found)) => coordinator
                    .with_node_id(BrokerId(id.0))
                    .with_host(text(&found.endpoint.host))
                    .with_port(i32::from(found.endpoint.port)),
                Err(error) => coordinator
                    .with_node_id(BrokerId(-1))
                    .with_port(-1)
                    .with_error_code(error.code()),
            }
        };
        let coordinators = request.coordinator_keys.iter().map(of_key).collect();
        return FindCoordinatorResponse::default().with_coordinators(coordinators);
    }
    let response = FindCoordinatorResponse::default();
    match find(&request.key) {
        Ok((id, found)) => response
            .with_node_id(BrokerId(id.0))
            .with_host(text(&found.endpoint.host))
            .with_port(i32::from(found.endpoint.port)),
        Err(error) => response
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(error.code()),
    }
}

fn find<'a>(
    broker: &mut Broker,
    site: Site<'a>,
    topic: InternalTopic,
    key: &str,
    effects: &mut Effects,
) -> Result<(NodeId, &'a BrokerRegistration), ErrorCode> {
    if site.image.topic(topic.name()).is_none() {
        broker.create_internal_topic(site, topic);
        return Err(ErrorCode::CoordinatorNotAvailable);
    }
    let id = home(site, topic, key);
    let leader = site.image.partition(&id).and_then(|state| state.leader);
    let leader = leader.ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let found = site.image.broker(leader).filter(|it| it.is_active());
    let found = found.ok_or(ErrorCode::CoordinatorNotAvailable)?;
    effects.mark_at(Rule::Grp1, &id);
    Ok((leader, found))
}
