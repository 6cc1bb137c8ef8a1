//! Which operation every request needs, on what.
//!
//! A request about several things is split: what may not be is taken out, and its refusal goes
//! into the answer. What only brokers ask closes the connection of anybody else who does.

use std::sync::Arc;

use topomotion_wire::messages::{
    AddPartitionsToTxnRequest, FetchRequest, FindCoordinatorRequest, MetadataRequest,
    OffsetFetchRequest, RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{ErrorCode, Request, TopicId};
use uuid::Uuid;

use super::refusal::refused;
use super::{CLUSTER, Guest, Operation, Resource, may, may_somewhere};
use crate::api::coordination::{BY_BROKERS, FETCHES_GROUPS};
use crate::metadata::MetadataImage;
use crate::net::Answer;

/// What becomes of a request.
pub(super) enum Verdict {
    /// It goes on as it is.
    Pass,
    /// The rest of it goes on; the answer gets these refusals, and loses what is not for this
    /// guest.
    Amend { add: Option<Box<ResponseKind>>, hide: bool },
    /// This is the answer.
    Refuse(Answer),
}

/// One guest, and what holds for it.
pub(super) struct Judge<'a> {
    pub(super) image: &'a MetadataImage,
    pub(super) super_users: &'a [Arc<str>],
    pub(super) guest: &'a Guest,
}

/// Kinds of coordinators that FindCoordinator asks for.
const TRANSACTION: i8 = 1;
/// Kinds of resources that have settings.
const TOPIC_RESOURCE: i8 = 2;
/// A wish for no fetch session: with an authorizer there are none, so that no partition stays
/// in one that may not be read any more.
const NO_SESSION: i32 = -1;

impl Judge<'_> {
    fn may(&self, operation: Operation, resource: Resource, name: &str) -> bool {
        let acls = self.image.acls();
        may(acls, self.super_users, self.guest, operation, (resource, name))
    }

    fn topic(&self, operation: Operation, name: &str) -> bool {
        self.may(operation, Resource::Topic, name)
    }

    /// A topic by its name, or by its id where there is no name. What does not exist is for
    /// the handler to tell.
    fn named(&self, operation: Operation, name: &TopicName, id: Uuid) -> bool {
        if !name.is_empty() {
            return self.topic(operation, name.as_str());
        }
        let name = self.image.topic_name(TopicId(id));
        name.is_none_or(|name| self.topic(operation, name))
    }

    fn group(&self, operation: Operation, id: &str) -> bool {
        self.may(operation, Resource::Group, id)
    }

    fn transaction(&self, operation: Operation, id: &str) -> bool {
        self.may(operation, Resource::TransactionalId, id)
    }

    fn cluster(&self, operation: Operation) -> bool {
        self.may(operation, Resource::Cluster, CLUSTER)
    }

    pub(super) fn judge(&self, request: &mut Request) -> Verdict {
        let version = request.version;
        match &mut request.body {
            RequestKind::ApiVersions(_)
            | RequestKind::SaslHandshake(_)
            | RequestKind::SaslAuthenticate(_)
            | RequestKind::DescribeCluster(_) => Verdict::Pass,
            body => self
                .judge_topics(body, version)
                .or_else(|| self.judge_groups(body, version))
                .or_else(|| self.judge_transactions(body, version))
                .unwrap_or_else(|| self.judge_cluster(body, version)),
        }
    }

    /// Requests about topics.
    #[allow(clippy::too_many_lines)] // one arm a request
    fn judge_topics(&self, body: &mut RequestKind, version: i16) -> Option<Verdict> {
        let code = ErrorCode::TopicAuthorizationFailed;
        let whole = body.clone();
        let is_rest = match body {
            RequestKind::Produce(it) => {
                if let Some(id) = &it.transactional_id
                    && !self.transaction(Operation::Write, id.as_str())
                {
                    let code = ErrorCode::TransactionalIdAuthorizationFailed;
                    return Some(refuse(&whole, version, code));
                }
                let write = |it: &TopicName, id| self.named(Operation::Write, it, id);
                it.topic_data.retain(|it| write(&it.name, it.topic_id));
                !it.topic_data.is_empty()
            }
            RequestKind::Fetch(it) => return Some(self.judge_fetch(it, version)),
            RequestKind::ListOffsets(it) => {
                it.topics.retain(|it| self.topic(Operation::Describe, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::OffsetForLeaderEpoch(it) => {
                it.topics.retain(|it| self.topic(Operation::Describe, it.topic.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::DescribeProducers(it) => {
                it.topics.retain(|it| self.topic(Operation::Read, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::DeleteRecords(it) => {
                it.topics.retain(|it| self.topic(Operation::Delete, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::Metadata(it) => return Some(self.judge_metadata(it, version)),
            RequestKind::DescribeTopicPartitions(it) => {
                if it.topics.is_empty() {
                    return Some(Verdict::Amend { add: None, hide: true });
                }
                it.topics.retain(|it| self.topic(Operation::Describe, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::CreateTopics(it) => {
                let all = self.cluster(Operation::Create);
                it.topics
                    .retain(|it| all || self.topic(Operation::Create, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::DeleteTopics(it) => {
                let nameless = TopicName::default();
                it.topic_names.retain(|it| self.topic(Operation::Delete, it.as_str()));
                it.topics.retain(|it| {
                    let name = it.name.as_ref().unwrap_or(&nameless);
                    self.named(Operation::Delete, name, it.topic_id)
                });
                !it.topics.is_empty() || !it.topic_names.is_empty()
            }
            RequestKind::CreatePartitions(it) => {
                it.topics.retain(|it| self.topic(Operation::Alter, it.name.as_str()));
                !it.topics.is_empty()
            }
            RequestKind::AlterConfigs(it) => {
                it.resources.retain(|it| {
                    let name = it.resource_name.as_str();
                    self.settings(Operation::AlterConfigs, it.resource_type, name)
                });
                !it.resources.is_empty()
            }
            RequestKind::IncrementalAlterConfigs(it) => {
                it.resources.retain(|it| {
                    let name = it.resource_name.as_str();
                    self.settings(Operation::AlterConfigs, it.resource_type, name)
                });
                !it.resources.is_empty()
            }
            RequestKind::DescribeConfigs(it) => {
                it.resources.retain(|it| {
                    let name = it.resource_name.as_str();
                    self.settings(Operation::DescribeConfigs, it.resource_type, name)
                });
                !it.resources.is_empty()
            }
            _ => return None,
        };
        Some(split(whole, body, is_rest, version, code))
    }

    fn settings(&self, operation: Operation, resource: i8, name: &str) -> bool {
        if resource == TOPIC_RESOURCE {
            self.topic(operation, name)
        } else {
            self.cluster(operation)
        }
    }

    fn judge_fetch(&self, it: &mut FetchRequest, version: i16) -> Verdict {
        let is_replica = it.replica_id.0 >= 0 || it.replica_state.replica_id.0 >= 0;
        if is_replica && !self.cluster(Operation::ClusterAction) {
            return Verdict::Refuse(Answer::Close);
        }
        let whole = RequestKind::Fetch(it.clone());
        it.session_id = 0;
        it.session_epoch = NO_SESSION;
        it.forgotten_topics_data.clear();
        it.topics.retain(|it| self.named(Operation::Read, &it.topic, it.topic_id));
        let (rest, is_rest) = (RequestKind::Fetch(it.clone()), !it.topics.is_empty());
        let code = ErrorCode::TopicAuthorizationFailed;
        split(whole, &rest, is_rest, version, code)
    }

    /// Whoever asks for all topics hears of those that it may know of. Whoever asks for one
    /// that does not exist has it created only if it might do so itself.
    fn judge_metadata(&self, it: &mut MetadataRequest, version: i16) -> Verdict {
        let is_all = version == 0 && it.topics.as_ref().is_some_and(Vec::is_empty);
        let Some(topics) = it.topics.as_mut().filter(|_| !is_all) else {
            return Verdict::Amend { add: None, hide: true };
        };
        let whole = topics.clone();
        topics.retain(|it| {
            let nameless = TopicName::default();
            let name = it.name.as_ref().unwrap_or(&nameless);
            self.named(Operation::Describe, name, it.topic_id)
        });
        let is_absent = |name: &TopicName| self.image.topic(name.as_str()).is_none();
        let may_create = |name: &TopicName| {
            self.cluster(Operation::Create)
                || self.topic(Operation::Create, name.as_str())
        };
        let mut named = topics.iter().filter_map(|it| it.name.as_ref());
        if named.any(|name| is_absent(name) && !may_create(name)) {
            it.allow_auto_topic_creation = false;
        }
        let kept = it.topics.clone().unwrap_or_default();
        let taken: Vec<_> = whole.into_iter().filter(|it| !kept.contains(it)).collect();
        if taken.is_empty() {
            return Verdict::Pass;
        }
        let denied = MetadataRequest::default().with_topics(Some(taken));
        let code = ErrorCode::TopicAuthorizationFailed;
        let add = refused(&denied.into(), version, code).map(Box::new);
        // An empty list asks for all in version 0, and the brokers are wanted in any case.
        let hide = version == 0 && kept.is_empty();
        Verdict::Amend { add, hide }
    }

    /// Requests about groups.
    fn judge_groups(&self, body: &mut RequestKind, version: i16) -> Option<Verdict> {
        let code = ErrorCode::GroupAuthorizationFailed;
        let whole = body.clone();
        let (id, operation) = match body {
            RequestKind::JoinGroup(it) => (&it.group_id, Operation::Read),
            RequestKind::SyncGroup(it) => (&it.group_id, Operation::Read),
            RequestKind::Heartbeat(it) => (&it.group_id, Operation::Read),
            RequestKind::LeaveGroup(it) => (&it.group_id, Operation::Read),
            RequestKind::OffsetDelete(it) => (&it.group_id, Operation::Delete),
            RequestKind::ConsumerGroupHeartbeat(it) => {
                let topics = it.subscribed_topic_names.iter().flatten();
                let mut names = topics.map(|it| it.as_str());
                if names.any(|name| !self.topic(Operation::Describe, name)) {
                    let code = ErrorCode::TopicAuthorizationFailed;
                    return Some(refuse(&whole, version, code));
                }
                (&it.group_id, Operation::Read)
            }
            RequestKind::OffsetCommit(it) => {
                if !self.group(Operation::Read, it.group_id.as_str()) {
                    return Some(refuse(&whole, version, code));
                }
                it.topics.retain(|it| self.named(Operation::Read, &it.name, it.topic_id));
                let is_rest = !it.topics.is_empty();
                let code = ErrorCode::TopicAuthorizationFailed;
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::OffsetFetch(it) => {
                return Some(self.judge_offset_fetch(it, version));
            }
            RequestKind::DescribeGroups(it) => {
                it.groups.retain(|it| self.group(Operation::Describe, it.as_str()));
                let is_rest = !it.groups.is_empty();
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::ConsumerGroupDescribe(it) => {
                it.group_ids.retain(|it| self.group(Operation::Describe, it.as_str()));
                let is_rest = !it.group_ids.is_empty();
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::DeleteGroups(it) => {
                it.groups_names.retain(|it| self.group(Operation::Delete, it.as_str()));
                let is_rest = !it.groups_names.is_empty();
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::ListGroups(_) => {
                let hide = !self.cluster(Operation::Describe);
                return Some(Verdict::Amend { add: None, hide });
            }
            RequestKind::FindCoordinator(it) => {
                return Some(self.judge_find(it, version));
            }
            _ => return None,
        };
        let is_fine = self.group(operation, id.as_str());
        Some(if is_fine { Verdict::Pass } else { refuse(&whole, version, code) })
    }

    fn judge_offset_fetch(&self, it: &mut OffsetFetchRequest, version: i16) -> Verdict {
        let code = ErrorCode::GroupAuthorizationFailed;
        let whole = RequestKind::OffsetFetch(it.clone());
        if version < FETCHES_GROUPS {
            if !self.group(Operation::Describe, it.group_id.as_str()) {
                return refuse(&whole, version, code);
            }
            return Verdict::Amend { add: None, hide: true };
        }
        it.groups.retain(|it| self.group(Operation::Describe, it.group_id.as_str()));
        let (rest, is_rest) =
            (RequestKind::OffsetFetch(it.clone()), !it.groups.is_empty());
        match split(whole, &rest, is_rest, version, code) {
            Verdict::Pass => Verdict::Amend { add: None, hide: true },
            Verdict::Amend { add, .. } => Verdict::Amend { add, hide: true },
            refused => refused,
        }
    }

    fn judge_find(&self, it: &mut FindCoordinatorRequest, version: i16) -> Verdict {
        let (resource, code) = if it.key_type == TRANSACTION {
            let code = ErrorCode::TransactionalIdAuthorizationFailed;
            (Resource::TransactionalId, code)
        } else {
            (Resource::Group, ErrorCode::GroupAuthorizationFailed)
        };
        let whole = RequestKind::FindCoordinator(it.clone());
        let is_fine = |key: &str| self.may(Operation::Describe, resource, key);
        if it.coordinator_keys.is_empty() {
            let is_fine = is_fine(it.key.as_str());
            return if is_fine { Verdict::Pass } else { refuse(&whole, version, code) };
        }
        it.coordinator_keys.retain(|key| is_fine(key.as_str()));
        let is_rest = !it.coordinator_keys.is_empty();
        let rest = RequestKind::FindCoordinator(it.clone());
        split(whole, &rest, is_rest, version, code)
    }

    /// Requests about transactions and producers.
    fn judge_transactions(
        &self,
        body: &mut RequestKind,
        version: i16,
    ) -> Option<Verdict> {
        let code = ErrorCode::TransactionalIdAuthorizationFailed;
        let whole = body.clone();
        let id = match body {
            RequestKind::InitProducerId(it) => match &it.transactional_id {
                Some(id) => id,
                None => return Some(self.judge_idempotence(&whole, version)),
            },
            RequestKind::AddPartitionsToTxn(it) => {
                return Some(self.judge_add_partitions(it, version));
            }
            RequestKind::AddOffsetsToTxn(it) => {
                if !self.group(Operation::Read, it.group_id.as_str()) {
                    let code = ErrorCode::GroupAuthorizationFailed;
                    return Some(refuse(&whole, version, code));
                }
                &it.transactional_id
            }
            RequestKind::EndTxn(it) => &it.transactional_id,
            RequestKind::TxnOffsetCommit(it) => {
                if !self.transaction(Operation::Write, it.transactional_id.as_str()) {
                    return Some(refuse(&whole, version, code));
                }
                if !self.group(Operation::Read, it.group_id.as_str()) {
                    let code = ErrorCode::GroupAuthorizationFailed;
                    return Some(refuse(&whole, version, code));
                }
                it.topics.retain(|it| self.topic(Operation::Read, it.name.as_str()));
                let is_rest = !it.topics.is_empty();
                let code = ErrorCode::TopicAuthorizationFailed;
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::DescribeTransactions(it) => {
                let ids = &mut it.transactional_ids;
                ids.retain(|it| self.transaction(Operation::Describe, it.as_str()));
                let is_rest = !ids.is_empty();
                return Some(split(whole, body, is_rest, version, code));
            }
            RequestKind::ListTransactions(_) => {
                return Some(Verdict::Amend { add: None, hide: true });
            }
            _ => return None,
        };
        let is_fine = self.transaction(Operation::Write, id.as_str());
        Some(if is_fine { Verdict::Pass } else { refuse(&whole, version, code) })
    }

    /// Whoever may write to some topic may do so idempotently (KIP-679).
    fn judge_idempotence(&self, whole: &RequestKind, version: i16) -> Verdict {
        let acls = self.image.acls();
        let (write, topic) = (Operation::Write, Resource::Topic);
        let is_fine = self.cluster(Operation::IdempotentWrite)
            || may_somewhere(acls, self.super_users, self.guest, write, topic);
        let code = ErrorCode::ClusterAuthorizationFailed;
        if is_fine { Verdict::Pass } else { refuse(whole, version, code) }
    }

    /// All partitions of a transaction, or none.
    fn judge_add_partitions(
        &self,
        it: &AddPartitionsToTxnRequest,
        version: i16,
    ) -> Verdict {
        if version >= BY_BROKERS {
            let is_fine = self.cluster(Operation::ClusterAction);
            return if is_fine { Verdict::Pass } else { Verdict::Refuse(Answer::Close) };
        }
        let whole = RequestKind::AddPartitionsToTxn(it.clone());
        let id = it.v3_and_below_transactional_id.as_str();
        if !self.transaction(Operation::Write, id) {
            let code = ErrorCode::TransactionalIdAuthorizationFailed;
            return refuse(&whole, version, code);
        }
        let mut names = it.v3_and_below_topics.iter().map(|it| it.name.as_str());
        if names.all(|name| self.topic(Operation::Write, name)) {
            return Verdict::Pass;
        }
        refuse(&whole, version, ErrorCode::TopicAuthorizationFailed)
    }

    /// Requests about the cluster, and those that only brokers make.
    fn judge_cluster(&self, body: &RequestKind, version: i16) -> Verdict {
        let operation = match body {
            RequestKind::DescribeAcls(_)
            | RequestKind::DescribeUserScramCredentials(_)
            | RequestKind::DescribeLogDirs(_)
            | RequestKind::ListPartitionReassignments(_)
            | RequestKind::DescribeQuorum(_) => Operation::Describe,
            RequestKind::ListConfigResources(_) => Operation::DescribeConfigs,
            RequestKind::CreateAcls(_)
            | RequestKind::DeleteAcls(_)
            | RequestKind::AlterUserScramCredentials(_)
            | RequestKind::AlterPartitionReassignments(_)
            | RequestKind::ElectLeaders(_)
            | RequestKind::AddRaftVoter(_)
            | RequestKind::RemoveRaftVoter(_) => Operation::Alter,
            _ => Operation::ClusterAction,
        };
        if self.cluster(operation) {
            return Verdict::Pass;
        }
        refuse(body, version, ErrorCode::ClusterAuthorizationFailed)
    }

    /// Takes out of an answer what this guest may not know of.
    pub(super) fn hide(&self, answer: &mut ResponseKind) {
        let denied = ErrorCode::TopicAuthorizationFailed.code();
        let sees = |name: &str| self.topic(Operation::Describe, name);
        match answer {
            ResponseKind::Metadata(it) => {
                it.topics
                    .retain(|it| it.name.as_ref().is_some_and(|it| sees(it.as_str())));
            }
            ResponseKind::DescribeTopicPartitions(it) => {
                it.topics
                    .retain(|it| it.name.as_ref().is_some_and(|it| sees(it.as_str())));
            }
            ResponseKind::ListGroups(it) => {
                it.groups
                    .retain(|it| self.group(Operation::Describe, it.group_id.as_str()));
            }
            ResponseKind::ListTransactions(it) => {
                let sees = |id: &str| self.transaction(Operation::Describe, id);
                it.transaction_states.retain(|it| sees(it.transactional_id.as_str()));
            }
            ResponseKind::OffsetFetch(it) => {
                let hidden = it.topics.iter_mut().filter(|it| !sees(it.name.as_str()));
                for partition in hidden.flat_map(|it| &mut it.partitions) {
                    (partition.committed_offset, partition.error_code) = (-1, denied);
                }
                let topics = it.groups.iter_mut().flat_map(|it| &mut it.topics);
                // An id that no topic has is refused as such.
                let hidden =
                    topics.filter(|it| !it.name.is_empty() && !sees(it.name.as_str()));
                for partition in hidden.flat_map(|it| &mut it.partitions) {
                    (partition.committed_offset, partition.error_code) = (-1, denied);
                }
            }
            _ => {}
        }
    }
}

/// Refuses all of a request; one that has no form for that loses its connection, and so does a
/// producer that hears no answers.
fn refuse(request: &RequestKind, version: i16, error: ErrorCode) -> Verdict {
    let is_deaf = matches!(request, RequestKind::Produce(it) if it.acks == 0);
    match refused(request, version, error).filter(|_| !is_deaf) {
        Some(answer) => Verdict::Refuse(Answer::Reply(Box::new(answer))),
        None => Verdict::Refuse(Answer::Close),
    }
}

/// Lets the rest of a request go on, and refuses what is missing in it.
fn split(
    whole: RequestKind,
    rest: &RequestKind,
    is_rest: bool,
    version: i16,
    error: ErrorCode,
) -> Verdict {
    let Some(denied) = without(whole, rest) else { return Verdict::Pass };
    let is_deaf = matches!(rest, RequestKind::Produce(it) if it.acks == 0);
    if !is_rest || is_deaf {
        return refuse(&denied, version, error);
    }
    Verdict::Amend { add: refused(&denied, version, error).map(Box::new), hide: false }
}

/// What of a request is missing in the rest of it. None: nothing is.
fn without(whole: RequestKind, rest: &RequestKind) -> Option<RequestKind> {
    /// Takes out what stayed; says whether anything is left.
    fn take<T: PartialEq>(whole: &mut Vec<T>, rest: &[T]) -> bool {
        whole.retain(|it| !rest.contains(it));
        !whole.is_empty()
    }
    use RequestKind as R;
    let mut whole = whole;
    let is_left = match (&mut whole, rest) {
        (R::Produce(it), R::Produce(rest)) => take(&mut it.topic_data, &rest.topic_data),
        (R::Fetch(it), R::Fetch(rest)) => take(&mut it.topics, &rest.topics),
        (R::ListOffsets(it), R::ListOffsets(rest)) => take(&mut it.topics, &rest.topics),
        (R::OffsetForLeaderEpoch(it), R::OffsetForLeaderEpoch(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::DescribeProducers(it), R::DescribeProducers(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::DeleteRecords(it), R::DeleteRecords(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::DescribeTopicPartitions(it), R::DescribeTopicPartitions(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::CreateTopics(it), R::CreateTopics(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::DeleteTopics(it), R::DeleteTopics(rest)) => {
            let names = take(&mut it.topic_names, &rest.topic_names);
            take(&mut it.topics, &rest.topics) || names
        }
        (R::CreatePartitions(it), R::CreatePartitions(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::AlterConfigs(it), R::AlterConfigs(rest)) => {
            take(&mut it.resources, &rest.resources)
        }
        (R::IncrementalAlterConfigs(it), R::IncrementalAlterConfigs(rest)) => {
            take(&mut it.resources, &rest.resources)
        }
        (R::DescribeConfigs(it), R::DescribeConfigs(rest)) => {
            take(&mut it.resources, &rest.resources)
        }
        (R::OffsetCommit(it), R::OffsetCommit(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::TxnOffsetCommit(it), R::TxnOffsetCommit(rest)) => {
            take(&mut it.topics, &rest.topics)
        }
        (R::OffsetFetch(it), R::OffsetFetch(rest)) => take(&mut it.groups, &rest.groups),
        (R::DescribeGroups(it), R::DescribeGroups(rest)) => {
            take(&mut it.groups, &rest.groups)
        }
        (R::ConsumerGroupDescribe(it), R::ConsumerGroupDescribe(rest)) => {
            take(&mut it.group_ids, &rest.group_ids)
        }
        (R::DeleteGroups(it), R::DeleteGroups(rest)) => {
            take(&mut it.groups_names, &rest.groups_names)
        }
        (R::FindCoordinator(it), R::FindCoordinator(rest)) => {
            take(&mut it.coordinator_keys, &rest.coordinator_keys)
        }
        (R::DescribeTransactions(it), R::DescribeTransactions(rest)) => {
            take(&mut it.transactional_ids, &rest.transactional_ids)
        }
        _ => false,
    };
    is_left.then_some(whole)
}
