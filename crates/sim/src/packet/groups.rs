//! What members of groups say to their coordinator, and what they are told.

use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    DescribeGroupsResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
    RequestKind, ResponseKind, SyncGroupRequest, SyncGroupResponse,
};
use topomotion_wire::{Bytes, StrBytes};

use super::{Dictionary, Part, Told, Weight, error_name};

/// What such a request says; none if it is another.
pub(super) fn asked(body: &RequestKind, names: &Dictionary) -> Option<Told> {
    Some(match body {
        RequestKind::JoinGroup(body) => join(body),
        RequestKind::SyncGroup(body) => sync(body),
        RequestKind::Heartbeat(body) => {
            let text = format!("{} gen {}", &*body.group_id.0, body.generation_id);
            Told::one(Part { subject: String::new(), text, weight: Weight::Never })
        }
        RequestKind::LeaveGroup(body) => leave(body),
        RequestKind::ConsumerGroupHeartbeat(body) => beat(body, names),
        RequestKind::OffsetCommit(body) => commit(body, names),
        RequestKind::OffsetFetch(body) => fetch(body, names),
        RequestKind::DescribeGroups(body) => always(&body.groups),
        RequestKind::DeleteGroups(body) => always(&body.groups_names),
        RequestKind::OffsetDelete(body) => {
            let places = body.topics.iter().flat_map(|topic| {
                let partitions = topic.partitions.iter();
                partitions.map(|it| place(&topic.name.0, it.partition_index))
            });
            let places: Vec<String> = places.collect();
            let text = format!("{} {}", &*body.group_id.0, places.join(", "));
            Told::one(Part::always("", text))
        }
        _ => return None,
    })
}

/// What the answer to such a request says; none if it is another.
pub(super) fn answered(body: &ResponseKind, names: &Dictionary) -> Option<Told> {
    Some(match body {
        ResponseKind::JoinGroup(body) => joined(body),
        ResponseKind::SyncGroup(body) => synced(body),
        ResponseKind::Heartbeat(body) => {
            let mut told = Told::default();
            told.error(body.error_code);
            let weight = match told.error {
                Some(_) => Weight::Always,
                None => Weight::Never,
            };
            told.push(Part { subject: String::new(), text: String::new(), weight });
            told
        }
        ResponseKind::LeaveGroup(body) => {
            let mut told = Told::one(Part::always("", ""));
            told.error(body.error_code);
            body.members.iter().for_each(|member| told.error(member.error_code));
            told
        }
        ResponseKind::ConsumerGroupHeartbeat(body) => beaten(body, names),
        ResponseKind::OffsetCommit(body) => committed(body, names),
        ResponseKind::OffsetFetch(body) => fetched(body, names),
        ResponseKind::DescribeGroups(body) => described(body),
        ResponseKind::ListGroups(body) => {
            let groups = body.groups.iter();
            let groups: Vec<&str> = groups.map(|group| &*group.group_id.0).collect();
            let mut told = Told::one(Part::always("", groups.join(", ")));
            told.error(body.error_code);
            told
        }
        ResponseKind::DeleteGroups(body) => {
            let mut told = Told::default();
            for group in &body.results {
                told.error(group.error_code);
                told.push(Part::always("", group.group_id.0.to_string()));
            }
            told
        }
        ResponseKind::OffsetDelete(body) => {
            let mut told = Told::one(Part::always("", ""));
            told.error(body.error_code);
            let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
            partitions.for_each(|it| told.error(it.error_code));
            told
        }
        _ => return None,
    })
}

pub(super) fn place(topic: &str, partition: i32) -> String {
    format!("{topic}-{partition}")
}

/// `2 members`
fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Whether it worked, and what else there is to say: news if either differs.
pub(super) fn verdict(code: i16, text: String) -> Told {
    let mut told = Told::default();
    told.error(code);
    let said = format!("{text} {}", told.error.as_deref().unwrap_or_default());
    told.push(Part { subject: String::new(), text, weight: Weight::IfChanged(said) });
    told
}

fn always<'a>(
    groups: impl IntoIterator<Item = &'a kafka_protocol::messages::GroupId>,
) -> Told {
    let parts = groups.into_iter().map(|group| Part::always("", group.0.to_string()));
    Told { parts: parts.collect(), ..Told::default() }
}

fn join(body: &JoinGroupRequest) -> Told {
    let mut text = body.group_id.0.to_string();
    if body.member_id.is_empty() {
        text.push_str(", a new member");
    }
    if let Some(instance) = &body.group_instance_id {
        text.push_str(&format!(", instance {instance}"));
    }
    Told::one(Part::always("", text))
}

fn joined(body: &JoinGroupResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let leads = !body.leader.is_empty() && body.leader == body.member_id;
    let text = match (&told.error, leads) {
        (Some(_), _) => String::new(),
        (None, false) => format!("gen {}", body.generation_id),
        (None, true) => {
            let members = count(body.members.len(), "member");
            format!("gen {}, leads {members}", body.generation_id)
        }
    };
    told.push(Part::always("", text));
    told
}

fn sync(body: &SyncGroupRequest) -> Told {
    let generation = body.generation_id;
    let text = match body.assignments.len() {
        0 => format!("gen {generation}"),
        members => format!("gen {generation}, assigns {}", count(members, "member")),
    };
    Told::one(Part::always("", text))
}

fn synced(body: &SyncGroupResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let text = match &told.error {
        Some(_) => String::new(),
        None => match assignment(&body.assignment).as_deref() {
            None | Some([]) => "no partition".to_owned(),
            Some(partitions) => partitions.join(", "),
        },
    };
    told.push(Part::always("", text));
    told
}

/// The partitions in a member's assignment: version, topics with their partitions, and what
/// else the assignor says.
fn assignment(bytes: &Bytes) -> Option<Vec<String>> {
    let mut reader = Reader { rest: bytes };
    reader.take(2)?;
    let mut found = Vec::new();
    for _ in 0..reader.int()?.max(0) {
        let topic = reader.text()?;
        for _ in 0..reader.int()?.max(0) {
            found.push(place(&topic, reader.int()?));
        }
    }
    Some(found)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = i16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let bytes = self.take(usize::try_from(length).ok()?)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

fn leave(body: &LeaveGroupRequest) -> Told {
    let reasons = body.members.iter().filter_map(|member| member.reason.as_ref());
    let reasons: Vec<&StrBytes> = reasons.filter(|reason| !reason.is_empty()).collect();
    let group = &*body.group_id.0;
    let text = match reasons.first() {
        Some(reason) => format!("{group}: {reason}"),
        None => group.to_owned(),
    };
    Told::one(Part::always("", text))
}

fn beat(body: &ConsumerGroupHeartbeatRequest, names: &Dictionary) -> Told {
    let group = &*body.group_id.0;
    let mut text = match body.member_epoch {
        0 => format!("{group} joins"),
        -1 => format!("{group} leaves"),
        -2 => format!("{group} leaves for a while"),
        epoch => format!("{group} epoch {epoch}"),
    };
    // Between the beginning and the end, one that says nothing of partitions is routine.
    let is_routine = body.member_epoch > 0 && body.topic_partitions.is_none();
    if let Some(owned) = &body.topic_partitions {
        let places = owned.iter().flat_map(|topic| {
            let name = names.topic(&Default::default(), topic.topic_id);
            topic.partitions.iter().map(move |it| place(&name, *it))
        });
        let places: Vec<String> = places.collect();
        text.push_str(&format!(", owns {{{}}}", places.join(", ")));
    }
    let part = Part::if_changed("", text);
    let weight = if is_routine { Weight::Never } else { part.weight };
    Told::one(Part { weight, ..part })
}

fn beaten(body: &ConsumerGroupHeartbeatResponse, names: &Dictionary) -> Told {
    if error_name(body.error_code).is_some() {
        return verdict(body.error_code, String::new());
    }
    let mut text = format!("epoch {}", body.member_epoch);
    if let Some(assigned) = &body.assignment {
        let places = assigned.topic_partitions.iter().flat_map(|topic| {
            let name = names.topic(&Default::default(), topic.topic_id);
            topic.partitions.iter().map(move |it| place(&name, *it))
        });
        let places: Vec<String> = places.collect();
        text.push_str(&format!(", assigned {{{}}}", places.join(", ")));
    }
    verdict(0, text)
}

fn commit(body: &OffsetCommitRequest, names: &Dictionary) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        let name = names.topic(&topic.name, topic.topic_id);
        for it in &topic.partitions {
            let subject = place(&name, it.partition_index);
            let generation = body.generation_id_or_member_epoch;
            let text = format!("{subject} {}", it.committed_offset);
            let said = format!("{text} {generation}");
            told.push(Part { subject, text, weight: Weight::IfChanged(said) });
        }
    }
    told
}

fn committed(body: &OffsetCommitResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        let name = names.topic(&topic.name, topic.topic_id);
        for it in &topic.partitions {
            told.error(it.error_code);
            let subject = place(&name, it.partition_index);
            let said = error_name(it.error_code).unwrap_or_default();
            let text = subject.clone();
            told.push(Part { subject, text, weight: Weight::IfChanged(said) });
        }
    }
    told
}

fn fetch(body: &OffsetFetchRequest, names: &Dictionary) -> Told {
    let old = body.topics.iter().flatten().flat_map(|topic| {
        topic.partition_indexes.iter().map(|it| place(&topic.name.0, *it))
    });
    let topics = body.groups.iter().flat_map(|group| group.topics.iter().flatten());
    let new = topics.flat_map(|topic| {
        let name = names.topic(&topic.name, topic.topic_id);
        topic.partition_indexes.iter().map(move |it| place(&name, *it))
    });
    let parts = old.chain(new).map(|place| Part::always("", place));
    let mut told = Told { parts: parts.collect(), ..Told::default() };
    if told.parts.is_empty() {
        let groups = body.groups.iter().map(|group| group.group_id.0.to_string());
        told.parts.extend(groups.map(|group| Part::always("", group)));
    }
    told
}

fn fetched(body: &OffsetFetchResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let mut tell = |subject: String, offset: i64, code: i16| {
        told.error(code);
        let text = match offset {
            ..0 => format!("{subject} none"),
            offset => format!("{subject} {offset}"),
        };
        told.push(Part::always(subject, text));
    };
    for topic in &body.topics {
        for it in &topic.partitions {
            let subject = place(&topic.name.0, it.partition_index);
            tell(subject, it.committed_offset, it.error_code);
        }
    }
    for topic in body.groups.iter().flat_map(|group| &group.topics) {
        let name = names.topic(&topic.name, topic.topic_id);
        for it in &topic.partitions {
            let subject = place(&name, it.partition_index);
            tell(subject, it.committed_offset, it.error_code);
        }
    }
    body.groups.iter().for_each(|group| told.error(group.error_code));
    if told.parts.is_empty() {
        told.push(Part::always("", ""));
    }
    told
}

fn described(body: &DescribeGroupsResponse) -> Told {
    let mut told = Told::default();
    for group in &body.groups {
        told.error(group.error_code);
        let members = count(group.members.len(), "member");
        let (id, state) = (&*group.group_id.0, &group.group_state);
        told.push(Part::always("", format!("{id} {state}, {members}")));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kafka_protocol::messages::{GroupId, HeartbeatRequest, HeartbeatResponse};

    use super::*;

    fn names() -> Dictionary {
        Dictionary::new(BTreeMap::new())
    }

    fn said(told: Option<Told>) -> Vec<String> {
        told.expect("known").parts.into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn an_assignment_is_read_from_its_bytes() {
        let mut bytes = vec![0, 3, 0, 0, 0, 1, 0, 6];
        bytes.extend(b"orders");
        bytes.extend([0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255]);
        let body = SyncGroupResponse::default().with_assignment(Bytes::from(bytes));
        assert_eq!(said(answered(&body.into(), &names())), ["orders-0, orders-1"]);
        let nothing = ResponseKind::from(SyncGroupResponse::default());
        assert_eq!(said(answered(&nothing, &names())), ["no partition"]);
    }

    #[test]
    fn the_leader_of_a_group_hears_of_all_members() {
        let id = StrBytes::from_static_str("a");
        let leader = JoinGroupResponse::default()
            .with_generation_id(3)
            .with_leader(id.clone())
            .with_member_id(id)
            .with_members(vec![Default::default(); 2]);
        let told = answered(&leader.clone().into(), &names());
        assert_eq!(said(told), ["gen 3, leads 2 members"]);
        let other = leader.with_member_id(StrBytes::from_static_str("b"));
        assert_eq!(said(answered(&other.into(), &names())), ["gen 3"]);
    }

    #[test]
    fn a_heartbeat_says_its_generation_and_its_answer_what_is_wrong() {
        let group = GroupId(StrBytes::from_static_str("g"));
        let body = HeartbeatRequest::default().with_group_id(group).with_generation_id(2);
        assert_eq!(said(asked(&body.into(), &names())), ["g gen 2"]);
        let body = HeartbeatResponse::default().with_error_code(27);
        let told = answered(&body.into(), &names()).expect("an answer");
        assert_eq!(told.error.as_deref(), Some("REBALANCE_IN_PROGRESS"));
    }
}
