//! DescribeCluster (60), versions 0–2, on every node.
//!
//! - On a broker: the unfenced brokers; the controller named is one of them, as in Metadata.
//! - On a controller (endpoint type 2): the same list, and the active controller itself.
//! - Version 2 lists fenced brokers too, if asked.

use topomotion_wire::NodeId;
use topomotion_wire::messages::describe_cluster_response::DescribeClusterBroker;
use topomotion_wire::messages::{
    BrokerId, DescribeClusterRequest, DescribeClusterResponse,
};

use super::{CLUSTER_ID, text};
use crate::metadata::{BrokerRegistration, MetadataImage};

/// The endpoint type of controllers.
const CONTROLLERS: i8 = 2;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    image: &MetadataImage,
    controller: Option<NodeId>,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let is_listed = |broker: &BrokerRegistration| {
        broker.is_active() || request.include_fenced_brokers
    };
    let entry = |(id, it): (&NodeId, &BrokerRegistration)| {
        DescribeClusterBroker::default()
            .with_broker_id(BrokerId(id.0))
            .with_host(text(&it.endpoint.host))
            .with_port(i32::from(it.endpoint.port))
            .with_rack(it.rack.as_deref().map(text))
            .with_is_fenced(!it.is_active())
    };
    let brokers = image.brokers().iter().filter(|(_, it)| is_listed(it));
    let controller = match request.endpoint_type {
        CONTROLLERS => controller,
        _ => image.active_brokers().map(|(id, _)| id).next(),
    };
    DescribeClusterResponse::default()
        .with_endpoint_type(request.endpoint_type)
        .with_cluster_id(text(CLUSTER_ID))
        .with_controller_id(BrokerId(controller.map_or(-1, |node| node.0)))
        .with_brokers(brokers.map(entry).collect())
}
