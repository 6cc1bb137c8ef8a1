//! DeleteTopics (20), versions 1–6. A broker forwards it; the active controller decides.
//!
//! - Up to version 5 topics are named, from 6 on by name or by id.
//! - Neither or both of name and id is INVALID_REQUEST; each topic has its own outcome.

use topomotion_wire::messages::delete_topics_request::DeleteTopicState;
use topomotion_wire::messages::delete_topics_response::DeletableTopicResult;
use topomotion_wire::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use topomotion_wire::{ErrorCode, TopicId};

use crate::controller::ActiveController;
use crate::net::{Effects, Ticket};

/// Deletes what can be deleted, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &DeleteTopicsRequest,
    effects: &mut Effects,
) {
    let named = request
        .topic_names
        .iter()
        .map(|name| DeleteTopicState::default().with_name(Some(name.clone())));
    let wanted: Vec<DeleteTopicState> =
        named.chain(request.topics.iter().cloned()).collect();
    let mut results = Vec::new();
    for topic in wanted {
        let result = DeletableTopicResult::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id);
        let outcome =
            resolve(controller, &topic).and_then(|id| controller.delete_topic(id));
        let code = outcome.err().map_or(0, |error| error.code());
        results.push(result.with_error_code(code));
    }
    let response = DeleteTopicsResponse::default().with_responses(results);
    controller.reply_when_committed(ticket, response.into(), effects);
}

fn resolve(
    controller: &ActiveController,
    topic: &DeleteTopicState,
) -> Result<TopicId, ErrorCode> {
    match &topic.name {
        Some(_) if !topic.topic_id.is_nil() => Err(ErrorCode::InvalidRequest),
        Some(name) => {
            let known = controller.image().topic(name.as_str()).map(|topic| topic.id);
            known.ok_or(ErrorCode::UnknownTopicOrPartition)
        }
        None if topic.topic_id.is_nil() => Err(ErrorCode::InvalidRequest),
        None => Ok(TopicId(topic.topic_id)),
    }
}
