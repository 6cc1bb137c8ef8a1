//! ApiVersions (18), versions 0–4, on every node.
//!
//! - Tells what this node serves, and nothing else.
//! - A version that is too new is answered in version 0 with UNSUPPORTED_VERSION and the list,
//!   so that a newer client can find its way down.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::ApiVersionsResponse;
use topomotion_wire::messages::api_versions_response::ApiVersion;

use super::{Served, served_by};
use crate::config::Roles;

/// Answers a request in a version that is served.
pub(crate) fn handle(roles: Roles) -> ApiVersionsResponse {
    let entry = |it: &Served| {
        let entry = ApiVersion::default().with_api_key(it.key as i16);
        entry.with_min_version(it.min).with_max_version(it.max)
    };
    let served = served_by(roles);
    ApiVersionsResponse::default().with_api_keys(served.iter().map(entry).collect())
}

/// Answers a request in a version that is not.
pub(crate) fn unsupported(roles: Roles) -> ApiVersionsResponse {
    handle(roles).with_error_code(ErrorCode::UnsupportedVersion.code())
}
