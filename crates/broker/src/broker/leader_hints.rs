//! Whom to ask instead: what a refusal tells of a partition's leader (KIP-951).
//!
//! Whoever asked the wrong broker, or in an epoch that is over, is told the leader, its epoch
//! and its address, and need not ask for metadata first. That is so from Produce 10 and Fetch 16
//! on, and for these errors alone. A leader that is fenced has no address.
//!
//! Who fetches by name (12 to 15) is told the leader without its address. The field is there,
//! though Kafka leaves it empty in those: the clients of a simulation fetch so, whose traces
//! are read by people.

use topomotion_wire::messages::{
    BrokerId, FetchResponse, ProduceResponse, fetch_response, produce_response,
};
use topomotion_wire::{ErrorCode, NodeId, TopicId, TopicPartition};

use super::Plan;
use crate::api::{shared, text};
use crate::metadata::BrokerRegistration;
use crate::replica::Site;

/// The first versions that have room for it.
const PRODUCE: i16 = 10;
const FETCH: i16 = 12;
/// The first version of Fetch that has room for the address.
const FETCH_WITH_ADDRESS: i16 = 16;

/// The leader of a partition and its epoch, −1 where they are not known.
fn leader(site: Site<'_>, id: &TopicPartition) -> (BrokerId, i32) {
    let known = site.image.partition(id);
    let leader = known.and_then(|state| state.leader).map_or(-1, |leader| leader.0);
    (BrokerId(leader), known.map_or(-1, |state| state.leader_epoch.0))
}

/// Where a broker listens, if it can be asked.
fn address<'a>(site: Site<'a>, id: BrokerId) -> Option<&'a BrokerRegistration> {
    site.image.broker(NodeId(id.0)).filter(|broker| broker.is_active())
}

/// Completes an answer to a producer.
pub(crate) fn in_produce(site: Site<'_>, version: i16, response: &mut ProduceResponse) {
    if version < PRODUCE {
        return;
    }
    let mut leaders = Vec::new();
    for topic in &mut response.responses {
        let name = match topic.name.as_str() {
            "" => site.image.topic_name(TopicId(topic.topic_id)).cloned(),
            _ => Some(shared(&topic.name)),
        };
        let Some(name) = name else { continue };
        for answer in &mut topic.partition_responses {
            if answer.error_code != ErrorCode::NotLeaderOrFollower.code() {
                continue;
            }
            let partition = TopicPartition::new(name.clone(), answer.index);
            let (id, epoch) = leader(site, &partition);
            let current = &mut answer.current_leader;
            (current.leader_id, current.leader_epoch) = (id, epoch);
            leaders.push(id);
        }
    }
    let endpoint = |(id, broker): (BrokerId, &BrokerRegistration)| {
        produce_response::NodeEndpoint::default()
            .with_node_id(id)
            .with_host(text(&broker.endpoint.host))
            .with_port(i32::from(broker.endpoint.port))
            .with_rack(broker.rack.as_deref().map(text))
    };
    response.node_endpoints = addresses(site, leaders).map(endpoint).collect();
}

/// Completes an answer to a fetcher, whose partitions stand as they were planned.
pub(crate) fn in_fetch(site: Site<'_>, plan: &Plan, response: &mut FetchResponse) {
    if plan.version < FETCH {
        return;
    }
    let mut leaders = Vec::new();
    let planned = plan.topics.iter().flat_map(|topic| &topic.partitions);
    let told = response.responses.iter_mut().flat_map(|topic| &mut topic.partitions);
    for (planned, data) in planned.zip(told) {
        let Ok(partition) = &planned.partition else { continue };
        let is_elsewhere = data.error_code == ErrorCode::NotLeaderOrFollower.code();
        if is_elsewhere || data.error_code == ErrorCode::FencedLeaderEpoch.code() {
            let (id, epoch) = leader(site, partition);
            let current = &mut data.current_leader;
            (current.leader_id, current.leader_epoch) = (id, epoch);
            leaders.push(id);
        }
    }
    if plan.version < FETCH_WITH_ADDRESS {
        return;
    }
    let endpoint = |(id, broker): (BrokerId, &BrokerRegistration)| {
        fetch_response::NodeEndpoint::default()
            .with_node_id(id)
            .with_host(text(&broker.endpoint.host))
            .with_port(i32::from(broker.endpoint.port))
            .with_rack(broker.rack.as_deref().map(text))
    };
    response.node_endpoints = addresses(site, leaders).map(endpoint).collect();
}

/// Each of the leaders that can be asked, once.
fn addresses<'a>(
    site: Site<'a>,
    mut leaders: Vec<BrokerId>,
) -> impl Iterator<Item = (BrokerId, &'a BrokerRegistration)> {
    leaders.sort_unstable_by_key(|id| id.0);
    leaders.dedup();
    leaders.into_iter().filter_map(move |id| Some((id, address(site, id)?)))
}
