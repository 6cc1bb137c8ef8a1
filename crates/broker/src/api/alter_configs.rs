//! AlterConfigs (33), versions 0–2: the older way, which older clients still go. A broker forwards
//! it; the active controller decides.
//!
//! - What is given is set, and what is not goes back to its default: all or none.
//! - Topics' settings only; another kind of resource is INVALID_REQUEST.

use std::sync::Arc;

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::alter_configs_request::AlterConfigsResource;
use topomotion_wire::messages::alter_configs_response::AlterConfigsResourceResponse;
use topomotion_wire::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::describe_configs::TOPIC_RESOURCE;
use super::{shared, text};
use crate::controller::{ActiveController, AlterOp, ConfigAlteration, TopicError};
use crate::net::{Effects, Ticket};

/// Changes what can be changed, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &AlterConfigsRequest,
    effects: &mut Effects,
) {
    let mut responses = Vec::new();
    for resource in &request.resources {
        let same = |other: &&AlterConfigsResource| {
            other.resource_type == resource.resource_type
                && other.resource_name == resource.resource_name
        };
        let name = resource.resource_name.as_str();
        let outcome = if request.resources.iter().filter(same).count() > 1 {
            Err(refused("The resource is listed more than once."))
        } else if resource.resource_type != TOPIC_RESOURCE {
            Err(refused("Only topics have settings that can be changed here."))
        } else {
            let all = alterations(controller.configs_of(name), resource);
            if request.validate_only {
                controller.check_alterations(name, &all).map(|_| ())
            } else {
                controller.alter_configs(name, &all, effects)
            }
        };
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        responses.push(match outcome {
            Ok(()) => response,
            Err(error) => response
                .with_error_code(error.code.code())
                .with_error_message(Some(text(&error.message))),
        });
    }
    let response = AlterConfigsResponse::default().with_responses(responses);
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// What has to change for the settings to be those that are given, and no others.
fn alterations(
    present: Vec<Arc<str>>,
    resource: &AlterConfigsResource,
) -> Vec<ConfigAlteration> {
    let given = resource.configs.iter().map(|config| ConfigAlteration {
        name: shared(&config.name),
        op: AlterOp::Set,
        value: config.value.as_ref().map(shared),
    });
    let is_given = |name: &Arc<str>| {
        resource.configs.iter().any(|config| config.name.as_str() == &**name)
    };
    let left_out = present.into_iter().filter(|name| !is_given(name));
    let dropped =
        left_out.map(|name| ConfigAlteration { name, op: AlterOp::Delete, value: None });
    given.chain(dropped).collect()
}

fn refused(message: &str) -> TopicError {
    TopicError { code: ErrorCode::InvalidRequest, message: message.to_owned() }
}
