//! What operators ask: which groups there are, and what they are like.

use std::sync::Arc;

use topomotion_wire::messages::describe_groups_response::{
    DescribedGroup, DescribedGroupMember,
};
use topomotion_wire::messages::list_groups_response::ListedGroup;
use topomotion_wire::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribeGroupsRequest,
    DescribeGroupsResponse, GroupId, ListGroupsRequest, ListGroupsResponse, ResponseKind,
    consumer_group_describe_response,
};
use topomotion_wire::{ErrorCode, StrBytes};

use super::answers::{kept, text};
use super::classic::ClassicGroup;
use super::commit::Groups;
use super::group::{Cx, Group, Kind};

/// A group's id as messages have it.
pub(super) fn group_id(group: &Arc<str>) -> GroupId {
    GroupId(text(group))
}

fn state_name(group: &Group) -> &'static str {
    match &group.kind {
        Kind::Classic(classic) => classic.state_name(),
        Kind::Consumer(consumer) => consumer.state_name(),
    }
}

/// ListGroups, with its filters by state and type; letters count the same in either case.
pub(super) fn list(groups: &Groups, request: &ListGroupsRequest) -> ResponseKind {
    let passes = |filter: &[StrBytes], name: &str| {
        filter.is_empty() || filter.iter().any(|it| it.eq_ignore_ascii_case(name))
    };
    let listed = groups.iter().filter_map(|(id, group)| {
        let state = state_name(group);
        let (kind, protocol_type) = match &group.kind {
            Kind::Classic(classic) => {
                ("classic", classic.protocol_type.as_deref().unwrap_or_default())
            }
            Kind::Consumer(_) => ("consumer", "consumer"),
        };
        let wanted =
            passes(&request.states_filter, state) && passes(&request.types_filter, kind);
        wanted.then(|| {
            ListedGroup::default()
                .with_group_id(group_id(id))
                .with_protocol_type(text(protocol_type))
                .with_group_state(text(state))
                .with_group_type(text(kind))
        })
    });
    let response = ListGroupsResponse::default().with_groups(listed.collect());
    ResponseKind::ListGroups(response)
}

/// DescribeGroups: classic groups.
pub(super) fn describe(
    groups: &Groups,
    version: i16,
    request: &DescribeGroupsRequest,
) -> ResponseKind {
    let described = request.groups.iter().map(|id| {
        let known = groups.get(&kept(id)).map(|group| &group.kind);
        match known {
            Some(Kind::Classic(classic)) => describe_classic(id, classic),
            Some(Kind::Consumer(_)) | None => nobody(id, version),
        }
    });
    let response = DescribeGroupsResponse::default().with_groups(described.collect());
    ResponseKind::DescribeGroups(response)
}

/// Older clients read a missing group from its state.
fn nobody(id: &GroupId, version: i16) -> DescribedGroup {
    let group = DescribedGroup::default()
        .with_group_id(id.clone())
        .with_group_state(text("Dead"));
    match version >= 6 {
        true => group
            .with_error_code(ErrorCode::GroupIdNotFound.code())
            .with_error_message(Some(text(&format!("Group {} not found.", id.as_str())))),
        false => group,
    }
}

fn describe_classic(id: &GroupId, classic: &ClassicGroup) -> DescribedGroup {
    let protocol = classic.protocol.as_deref();
    let members = classic.members.iter().map(|(member_id, member)| {
        let metadata = protocol.and_then(|it| member.metadata(it));
        DescribedGroupMember::default()
            .with_member_id(text(member_id))
            .with_group_instance_id(member.instance.as_deref().map(text))
            .with_client_id(text(&member.client))
            .with_client_host(text(&member.host))
            .with_member_metadata(metadata.cloned().unwrap_or_default())
            .with_member_assignment(member.assignment.clone())
    });
    DescribedGroup::default()
        .with_group_id(id.clone())
        .with_group_state(text(classic.state_name()))
        .with_protocol_type(text(classic.protocol_type.as_deref().unwrap_or_default()))
        .with_protocol_data(text(protocol.unwrap_or_default()))
        .with_members(members.collect())
}

/// ConsumerGroupDescribe: those of KIP-848.
pub(super) fn describe_consumers(
    groups: &Groups,
    cx: &Cx<'_>,
    request: &ConsumerGroupDescribeRequest,
) -> ResponseKind {
    let described = request.group_ids.iter().map(|id| {
        let name = kept(id);
        match groups.get(&name).map(|group| &group.kind) {
            Some(Kind::Consumer(consumer)) => {
                consumer.describe(&name, cx.config, cx.directory)
            }
            Some(Kind::Classic(_)) | None => {
                consumer_group_describe_response::DescribedGroup::default()
                    .with_group_id(id.clone())
                    .with_error_code(ErrorCode::GroupIdNotFound.code())
                    .with_error_message(Some(text("not a consumer group")))
            }
        }
    });
    let response =
        ConsumerGroupDescribeResponse::default().with_groups(described.collect());
    ResponseKind::ConsumerGroupDescribe(response)
}
