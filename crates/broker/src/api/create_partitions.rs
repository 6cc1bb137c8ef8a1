//! CreatePartitions (37), versions 0–3. A broker forwards it; the active controller decides.
//!
//! - The count is that of all partitions; not more than there are is INVALID_PARTITIONS.
//! - `validate_only` writes nothing.

use topomotion_wire::NodeId;
use topomotion_wire::messages::create_partitions_request::CreatePartitionsTopic;
use topomotion_wire::messages::create_partitions_response::CreatePartitionsTopicResult;
use topomotion_wire::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::text;
use crate::controller::{ActiveController, NewPartitions};
use crate::net::{Effects, Ticket};

/// Adds what can be added, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &CreatePartitionsRequest,
    effects: &mut Effects,
) {
    let mut results = Vec::new();
    for topic in &request.topics {
        let (name, wanted) = (topic.name.as_str(), wanted(topic));
        let outcome = if request.validate_only {
            controller.check_partitions(name, &wanted).map(|_| ())
        } else {
            controller.create_partitions(name, &wanted, effects)
        };
        let result = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        results.push(match outcome {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(error.code.code())
                .with_error_message(Some(text(&error.message))),
        });
    }
    let response = CreatePartitionsResponse::default().with_results(results);
    controller.reply_when_committed(ticket, response.into(), effects);
}

fn wanted(topic: &CreatePartitionsTopic) -> NewPartitions {
    let assignments = topic.assignments.as_ref().map(|all| {
        let nodes = all.iter().map(|it| it.broker_ids.iter().map(|id| NodeId(id.0)));
        nodes.map(Iterator::collect).collect()
    });
    NewPartitions { count: topic.count, assignments }
}
