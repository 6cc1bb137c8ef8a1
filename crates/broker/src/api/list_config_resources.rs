//! ListConfigResources (74), versions 0–1, on every broker: what has settings (KIP-1142).
//!
//! - Version 0 asks for the subscriptions to clients' metrics: there are none.
//! - From version 1 on kinds are asked for, none meaning all: topics and brokers have names
//!   here; groups and loggers, too, are kinds, and have no settings of their own. Any other
//!   kind is UNSUPPORTED_VERSION.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::list_config_resources_response::ConfigResource;
use topomotion_wire::messages::{
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};

use super::text;
use crate::metadata::MetadataImage;

/// The first version that names kinds.
const WITH_KINDS: i16 = 1;
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const KINDS: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    image: &MetadataImage,
    version: i16,
    request: &ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    if version < WITH_KINDS {
        return ListConfigResourcesResponse::default();
    }
    let kinds = &request.resource_types;
    if kinds.iter().any(|kind| !KINDS.contains(kind)) {
        return refused(ErrorCode::UnsupportedVersion);
    }
    let is_wanted = |kind: i8| kinds.is_empty() || kinds.contains(&kind);
    let resource = |kind: i8, name: &str| {
        ConfigResource::default().with_resource_type(kind).with_resource_name(text(name))
    };
    let mut all = Vec::new();
    if is_wanted(TOPIC) {
        all.extend(image.topics().keys().map(|name| resource(TOPIC, name)));
    }
    if is_wanted(BROKER) {
        let brokers = image.active_brokers();
        all.extend(brokers.map(|(id, _)| resource(BROKER, &id.to_string())));
    }
    ListConfigResourcesResponse::default().with_config_resources(all)
}

/// The answer to somebody who may not ask.
pub(crate) fn refused(error: ErrorCode) -> ListConfigResourcesResponse {
    ListConfigResourcesResponse::default().with_error_code(error.code())
}
