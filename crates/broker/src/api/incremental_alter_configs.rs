//! IncrementalAlterConfigs (44), versions 0–1. A broker forwards it; the active controller
//! decides.
//!
//! - Topics' settings only; another kind of resource is INVALID_REQUEST.
//! - A resource that comes twice is INVALID_REQUEST, an unknown setting INVALID_CONFIG.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use topomotion_wire::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use topomotion_wire::messages::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::describe_configs::TOPIC_RESOURCE;
use super::{shared, text};
use crate::controller::{ActiveController, AlterOp, ConfigAlteration, TopicError};
use crate::net::{Effects, Ticket};

/// Changes what can be changed, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &IncrementalAlterConfigsRequest,
    effects: &mut Effects,
) {
    let mut responses = Vec::new();
    for resource in &request.resources {
        let same = |other: &&AlterConfigsResource| {
            other.resource_type == resource.resource_type
                && other.resource_name == resource.resource_name
        };
        let outcome = if request.resources.iter().filter(same).count() > 1 {
            Err(refused("The resource is listed more than once."))
        } else if resource.resource_type == TOPIC_RESOURCE {
            alter(
                controller,
                resource,
                request.validate_only.then_some(Only::Validate),
                effects,
            )
        } else {
            Err(refused("Only topics have settings that can be changed here."))
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
    let response = IncrementalAlterConfigsResponse::default().with_responses(responses);
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// Nothing is to be written.
enum Only {
    Validate,
}

fn refused(message: &str) -> TopicError {
    TopicError { code: ErrorCode::InvalidRequest, message: message.to_owned() }
}

fn alter(
    controller: &mut ActiveController,
    resource: &AlterConfigsResource,
    only: Option<Only>,
    effects: &mut Effects,
) -> Result<(), TopicError> {
    let alteration = |config: &AlterableConfig| {
        let op = match config.config_operation {
            0 => AlterOp::Set,
            1 => AlterOp::Delete,
            2 => AlterOp::Append,
            3 => AlterOp::Subtract,
            _ => return Err(refused("There is no such operation.")),
        };
        let (name, value) = (shared(&config.name), config.value.as_ref().map(shared));
        Ok(ConfigAlteration { name, op, value })
    };
    let all = resource.configs.iter().map(alteration).collect::<Result<Vec<_>, _>>()?;
    let name = resource.resource_name.as_str();
    match only {
        Some(Only::Validate) => controller.check_alterations(name, &all).map(|_| ()),
        None => controller.alter_configs(name, &all, effects),
    }
}
