//! DescribeCluster (60), versions 0–2, on every node.
//!
//! - On a broker: the unfenced brokers; the controller named is one of them, as in Metadata.
//! - On a controller (endpoint type 2): the same list, and the active controller itself.
//! - A node is asked as what it is: a broker that is asked as a controller answers
//!   MISMATCHED_ENDPOINT_TYPE, and INVALID_REQUEST in version 0, which cannot say whom it
//!   means. Who is both is asked as either.
//! - Version 2 lists fenced brokers too, if asked.

use topomotion_wire::messages::describe_cluster_response::DescribeClusterBroker;
use topomotion_wire::messages::{
    BrokerId, DescribeClusterRequest, DescribeClusterResponse,
};
use topomotion_wire::{ErrorCode, NodeId};

use super::{CLUSTER_ID, text};
use crate::config::Roles;
use crate::metadata::{BrokerRegistration, MetadataImage};

/// The endpoint types of brokers and of controllers.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    roles: Roles,
    version: i16,
    image: &MetadataImage,
    controller: Option<NodeId>,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    if let Some((error, message)) = mistaken(roles, request.endpoint_type) {
        let error = if version == 0 { ErrorCode::InvalidRequest } else { error };
        return DescribeClusterResponse::default()
            .with_error_code(error.code())
            .with_error_message(Some(text(message)));
    }
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

/// Why a node of these roles cannot be asked so.
fn mistaken(roles: Roles, endpoint_type: i8) -> Option<(ErrorCode, &'static str)> {
    let mismatched = ErrorCode::MismatchedEndpointType;
    match endpoint_type {
        BROKERS if roles.is_broker() => None,
        CONTROLLERS if roles.is_controller() => None,
        BROKERS => Some((mismatched, "This is a controller, and a broker was asked.")),
        CONTROLLERS => {
            Some((mismatched, "This is a broker, and a controller was asked."))
        }
        _ => Some((ErrorCode::UnsupportedEndpointType, "There are no such endpoints.")),
    }
}
