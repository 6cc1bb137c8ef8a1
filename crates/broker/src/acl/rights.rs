//! What the asker itself may do: the "authorized operations" that some answers tell on request
//! (KIP-430).
//!
//! A set of bits, one for each operation by its number. Whoever does not ask gets no set at
//! all, which is `i32::MIN` on the wire; without an authorizer everything is allowed.
//! DescribeTopicPartitions tells of it unasked.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::ConnectionId;
use topomotion_wire::messages::{RequestKind, ResponseKind};

use super::{CLUSTER, Guest, Operation, Resource, may};
use crate::metadata::MetadataImage;
use crate::net::{Answer, Call, Ticket};

impl Resource {
    /// What can be done to it at all.
    const fn operations(self) -> &'static [Operation] {
        use Operation as O;
        match self {
            Resource::Topic => &[
                O::Read,
                O::Write,
                O::Create,
                O::Delete,
                O::Alter,
                O::Describe,
                O::DescribeConfigs,
                O::AlterConfigs,
            ],
            Resource::Group => {
                &[O::Read, O::Delete, O::Describe, O::DescribeConfigs, O::AlterConfigs]
            }
            Resource::Cluster => &[
                O::Create,
                O::Alter,
                O::Describe,
                O::ClusterAction,
                O::DescribeConfigs,
                O::AlterConfigs,
                O::IdempotentWrite,
            ],
            Resource::TransactionalId => &[O::Write, O::Describe],
        }
    }
}

/// Whose rights, and by what.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub(crate) image: &'a MetadataImage,
    /// Whoever may do everything, and who asks. None: there is no authorizer, or nobody was
    /// introduced to it.
    pub(crate) guest: Option<(&'a [Arc<str>], &'a Guest)>,
}

impl Holder<'_> {
    fn may(self, operation: Operation, about: (Resource, &str)) -> bool {
        self.guest.is_none_or(|(super_users, guest)| {
            may(self.image.acls(), super_users, guest, operation, about)
        })
    }

    fn rights(self, resource: Resource, name: &str) -> i32 {
        let all = resource.operations().iter();
        let held = all.filter(|operation| self.may(**operation, (resource, name)));
        held.fold(0, |set, operation| set | 1 << operation.code())
    }

    fn rights_in_cluster(self) -> i32 {
        match self.may(Operation::Describe, (Resource::Cluster, CLUSTER)) {
            true => self.rights(Resource::Cluster, CLUSTER),
            false => 0,
        }
    }
}

/// Who has asked for rights, and at which kinds of things.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights {
    asked: BTreeMap<Ticket, Vec<Resource>>,
}

impl Rights {
    /// Notes what a request that has been let in asks for.
    pub(crate) fn note(&mut self, call: &Call) {
        let wish = |is_wanted: bool, resource| is_wanted.then_some(resource);
        let wanted = match &call.request.body {
            RequestKind::Metadata(it) => [
                wish(it.include_topic_authorized_operations, Resource::Topic),
                wish(it.include_cluster_authorized_operations, Resource::Cluster),
            ],
            RequestKind::DescribeCluster(it) => {
                [wish(it.include_cluster_authorized_operations, Resource::Cluster), None]
            }
            RequestKind::DescribeGroups(it) => {
                [wish(it.include_authorized_operations, Resource::Group), None]
            }
            RequestKind::ConsumerGroupDescribe(it) => {
                [wish(it.include_authorized_operations, Resource::Group), None]
            }
            RequestKind::DescribeTopicPartitions(_) => [Some(Resource::Topic), None],
            _ => return,
        };
        let wanted: Vec<Resource> = wanted.into_iter().flatten().collect();
        if !wanted.is_empty() {
            self.asked.insert(call.ticket, wanted);
        }
    }

    /// A connection is gone.
    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        self.asked.retain(|ticket, _| {
            !matches!(ticket, Ticket::Remote { connection: it, .. } if *it == connection)
        });
    }

    /// Puts into an answer what was asked for.
    pub(crate) fn tell(
        &mut self,
        ticket: Ticket,
        holder: Holder<'_>,
        answer: &mut Answer,
    ) {
        if self.asked.is_empty() {
            return;
        }
        let Some(wanted) = self.asked.remove(&ticket) else { return };
        let Answer::Reply(body) = answer else { return };
        for resource in wanted {
            fill(body, resource, holder);
        }
    }
}

/// What was refused keeps no set.
fn fill(answer: &mut ResponseKind, resource: Resource, holder: Holder<'_>) {
    match (answer, resource) {
        (ResponseKind::Metadata(it), Resource::Cluster) => {
            it.cluster_authorized_operations = holder.rights_in_cluster();
        }
        (ResponseKind::Metadata(it), _) => {
            for topic in &mut it.topics {
                let name = topic.name.as_ref();
                let set = name.map(|name| holder.rights(resource, name.as_str()));
                topic.topic_authorized_operations = set.unwrap_or(i32::MIN);
            }
        }
        (ResponseKind::DescribeTopicPartitions(it), _) => {
            for topic in &mut it.topics {
                let name = topic.name.as_ref();
                let set = name.map(|name| holder.rights(resource, name.as_str()));
                topic.topic_authorized_operations = set.unwrap_or(i32::MIN);
            }
        }
        (ResponseKind::DescribeCluster(it), _) if it.error_code == 0 => {
            it.cluster_authorized_operations = holder.rights_in_cluster();
        }
        (ResponseKind::DescribeGroups(it), _) => {
            for group in it.groups.iter_mut().filter(|it| it.error_code == 0) {
                group.authorized_operations =
                    holder.rights(resource, group.group_id.as_str());
            }
        }
        (ResponseKind::ConsumerGroupDescribe(it), _) => {
            for group in it.groups.iter_mut().filter(|it| it.error_code == 0) {
                group.authorized_operations =
                    holder.rights(resource, group.group_id.as_str());
            }
        }
        _ => {}
    }
}
