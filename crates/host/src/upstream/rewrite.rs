//! Where responses tell clients to go.
//!
//! Every address of a broker that an answer carries is replaced, or the client would walk past
//! whoever listens. That is Metadata, FindCoordinator and DescribeCluster, and since KIP-951 the
//! leaders that the refusals of Produce and Fetch (and of their relatives for share groups) name.
//! DescribeQuorum's voters stay as they are: no client dials them.

use topomotion_broker::frames::newest_overheard;
use topomotion_wire::StrBytes;
use topomotion_wire::messages::{BrokerId, ResponseKind};

/// Where somebody listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Replaces every address in an answer by what `local` has for it, given the broker's id.
/// Says whether there were any. What is no address (an empty host, port −1) stays.
pub(super) fn redirect(
    answer: &mut ResponseKind,
    mut local: impl FnMut(i32, Address) -> Option<Address>,
) -> bool {
    let mut is_changed = false;
    let mut replace = |id: BrokerId, host: &mut StrBytes, port: &mut i32| {
        let Ok(number @ 1..) = u16::try_from(*port) else { return };
        if host.is_empty() {
            return;
        }
        let there = Address { host: host.to_string(), port: number };
        if let Some(here) = local(id.0, there) {
            *host = StrBytes::from_string(here.host);
            *port = i32::from(here.port);
            is_changed = true;
        }
    };
    match answer {
        ResponseKind::Metadata(it) => {
            let brokers = it.brokers.iter_mut();
            brokers.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        ResponseKind::FindCoordinator(it) => {
            replace(it.node_id, &mut it.host, &mut it.port);
            let each = it.coordinators.iter_mut();
            each.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        ResponseKind::DescribeCluster(it) => {
            let brokers = it.brokers.iter_mut();
            brokers.for_each(|it| replace(it.broker_id, &mut it.host, &mut it.port));
        }
        ResponseKind::Produce(it) => {
            let leaders = it.node_endpoints.iter_mut();
            leaders.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        ResponseKind::Fetch(it) => {
            let leaders = it.node_endpoints.iter_mut();
            leaders.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        ResponseKind::ShareFetch(it) => {
            let leaders = it.node_endpoints.iter_mut();
            leaders.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        ResponseKind::ShareAcknowledge(it) => {
            let leaders = it.node_endpoints.iter_mut();
            leaders.for_each(|it| replace(it.node_id, &mut it.host, &mut it.port));
        }
        _ => {}
    }
    is_changed
}

/// Takes out of an ApiVersions answer what cannot be overheard, so that nobody asks for it:
/// whole APIs, and versions newer than those known here. Says whether there was any.
pub(super) fn temper(answer: &mut ResponseKind) -> bool {
    let ResponseKind::ApiVersions(list) = answer else { return false };
    let mut is_changed = false;
    list.api_keys.retain_mut(|api| {
        let newest = newest_overheard(api.api_key).filter(|&it| it >= api.min_version);
        let Some(newest) = newest else {
            is_changed = true;
            return false;
        };
        if api.max_version > newest {
            api.max_version = newest;
            is_changed = true;
        }
        true
    });
    is_changed
}

#[cfg(test)]
mod tests {
    use topomotion_wire::messages::api_versions_response::ApiVersion;
    use topomotion_wire::messages::find_coordinator_response::Coordinator;
    use topomotion_wire::messages::metadata_response::MetadataResponseBroker;
    use topomotion_wire::messages::produce_response::NodeEndpoint;
    use topomotion_wire::messages::{
        ApiVersionsResponse, FindCoordinatorResponse, MetadataResponse, ProduceResponse,
    };

    use super::*;

    fn far(port: i32) -> (StrBytes, i32) {
        (StrBytes::from_static_str("kafka.example"), port)
    }

    fn local(id: i32, there: Address) -> Option<Address> {
        assert_eq!(there.host, "kafka.example");
        let port = 9_000 + u16::try_from(id).unwrap();
        Some(Address { host: "127.0.0.1".into(), port })
    }

    #[test]
    fn brokers_are_where_we_listen() {
        let (host, port) = far(9_092);
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(3));
        let broker = broker.with_host(host).with_port(port);
        let mut answer = MetadataResponse::default().with_brokers(vec![broker]).into();
        assert!(redirect(&mut answer, local));
        let ResponseKind::Metadata(it) = answer else { panic!("what it was") };
        assert_eq!((&*it.brokers[0].host, it.brokers[0].port), ("127.0.0.1", 9_003));
    }

    #[test]
    fn leaders_that_a_refusal_names_are_where_we_listen() {
        let (host, port) = far(9_092);
        let leader = NodeEndpoint::default().with_node_id(BrokerId(2));
        let leader = leader.with_host(host).with_port(port);
        let answer = ProduceResponse::default().with_node_endpoints(vec![leader]);
        let mut answer = answer.into();
        assert!(redirect(&mut answer, local));
        let ResponseKind::Produce(it) = answer else { panic!("what it was") };
        assert_eq!(it.node_endpoints[0].port, 9_002);
    }

    #[test]
    fn a_coordinator_that_is_not_there_has_no_address_to_replace() {
        let (host, port) = far(9_094);
        let known = Coordinator::default().with_node_id(BrokerId(1));
        let known = known.with_host(host).with_port(port);
        let none = Coordinator::default().with_node_id(BrokerId(-1)).with_port(-1);
        let answer =
            FindCoordinatorResponse::default().with_coordinators(vec![none, known]);
        let mut answer = answer.into();
        assert!(redirect(&mut answer, local));
        let ResponseKind::FindCoordinator(it) = answer else { panic!("what it was") };
        let ports: Vec<i32> = it.coordinators.iter().map(|it| it.port).collect();
        assert_eq!(ports, [-1, 9_001]);
        assert_eq!(it.port, 0);
    }

    #[test]
    fn nobody_is_offered_what_cannot_be_overheard() {
        let api =
            |key, max| ApiVersion::default().with_api_key(key).with_max_version(max);
        let list = vec![api(3, 99), api(18, 3), api(9_999, 0)];
        let mut answer = ApiVersionsResponse::default().with_api_keys(list).into();
        assert!(temper(&mut answer));
        let ResponseKind::ApiVersions(it) = answer else { panic!("what it was") };
        let told: Vec<_> =
            it.api_keys.iter().map(|it| (it.api_key, it.max_version)).collect();
        assert_eq!(told, [(3, newest_overheard(3).unwrap()), (18, 3)]);
    }
}
