//! Access control lists: who may do what (Kafka's `StandardAuthorizer`).
//!
//! An entry allows or denies a principal an operation on what a literal or a prefixed pattern
//! names. What denies goes before what allows; what nobody allows is denied; super users may do
//! everything. Entries are records of the metadata log, the same on every broker.
//!
//! [`Gate`] stands before the handlers: it knows who is on which connection, takes out of a
//! request what may not be, and puts the refusals into the answer. Where nobody is introduced
//! (no authorizer; brokers among themselves) it is one look at an empty map.

mod gate;
mod judge;
mod refusal;
mod rights;

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

pub(crate) use gate::Gate;
pub use gate::Guest;
pub(crate) use rights::{Holder, Rights};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A topic (2).
    Topic,
    /// A group (3).
    Group,
    /// The cluster (4), called `kafka-cluster`.
    Cluster,
    /// A transactional id (5).
    TransactionalId,
}

impl Resource {
    const ALL: [Resource; 4] =
        [Resource::Topic, Resource::Group, Resource::Cluster, Resource::TransactionalId];

    /// On the wire and in the log.
    pub(crate) const fn code(self) -> i8 {
        match self {
            Resource::Topic => 2,
            Resource::Group => 3,
            Resource::Cluster => 4,
            Resource::TransactionalId => 5,
        }
    }

    pub(crate) fn of(code: i8) -> Option<Resource> {
        Resource::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// How an entry's name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// As it is; `*` is everything (3).
    Literal,
    /// As a beginning (4).
    Prefixed,
}

impl Pattern {
    pub(crate) const fn code(self) -> i8 {
        match self {
            Pattern::Literal => 3,
            Pattern::Prefixed => 4,
        }
    }

    pub(crate) fn of(code: i8) -> Option<Pattern> {
        [Pattern::Literal, Pattern::Prefixed].into_iter().find(|it| it.code() == code)
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// All of them (2).
    All,
    /// 3.
    Read,
    /// 4.
    Write,
    /// 5.
    Create,
    /// 6.
    Delete,
    /// 7.
    Alter,
    /// 8.
    Describe,
    /// What only brokers do (9).
    ClusterAction,
    /// 10.
    DescribeConfigs,
    /// 11.
    AlterConfigs,
    /// 12.
    IdempotentWrite,
}

impl Operation {
    const EVERY: [Operation; 11] = [
        Operation::All,
        Operation::Read,
        Operation::Write,
        Operation::Create,
        Operation::Delete,
        Operation::Alter,
        Operation::Describe,
        Operation::ClusterAction,
        Operation::DescribeConfigs,
        Operation::AlterConfigs,
        Operation::IdempotentWrite,
    ];

    pub(crate) fn code(self) -> i8 {
        let place = Operation::EVERY.iter().position(|it| *it == self);
        place.and_then(|place| i8::try_from(place).ok()).map_or(0, |place| place + 2)
    }

    pub(crate) fn of(code: i8) -> Option<Operation> {
        Operation::EVERY.into_iter().find(|it| it.code() == code)
    }

    /// Whether who may do this may do the other, too.
    fn allows(self, other: Operation) -> bool {
        self == other
            || matches!(
                (self, other),
                (Operation::All, _)
                    | (
                        Operation::Read
                            | Operation::Write
                            | Operation::Delete
                            | Operation::Alter,
                        Operation::Describe,
                    )
                    | (Operation::AlterConfigs, Operation::DescribeConfigs)
            )
    }
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// 2.
    Deny,
    /// 3.
    Allow,
}

impl Permission {
    pub(crate) const fn code(self) -> i8 {
        match self {
            Permission::Deny => 2,
            Permission::Allow => 3,
        }
    }

    pub(crate) fn of(code: i8) -> Option<Permission> {
        [Permission::Deny, Permission::Allow].into_iter().find(|it| it.code() == code)
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acl {
    /// What it is about.
    pub resource: Resource,
    /// Its name, or how it begins.
    pub name: Arc<str>,
    /// Which of them.
    pub pattern: Pattern,
    /// Whom: `User:name`, or `User:*` for everybody.
    pub principal: Arc<str>,
    /// From where: an address, or `*`.
    pub host: Arc<str>,
    /// What.
    pub operation: Operation,
    /// Whether they may.
    pub permission: Permission,
}

/// What everything and everybody is called.
const ANY: &str = "*";
const EVERYBODY: &str = "User:*";
/// The one cluster, as entries name it.
pub(crate) const CLUSTER: &str = "kafka-cluster";

impl Acl {
    fn is_about(&self, resource: Resource, name: &str) -> bool {
        self.resource == resource
            && match self.pattern {
                Pattern::Literal => *self.name == *name || *self.name == *ANY,
                Pattern::Prefixed => name.starts_with(&*self.name),
            }
    }

    fn concerns(&self, guest: &Guest) -> bool {
        (self.principal == guest.principal || *self.principal == *EVERYBODY)
            && (self.host == guest.host || *self.host == *ANY)
    }
}

/// Whether a guest may do something. Super users may; `User:*` cannot be one.
fn may(
    acls: &BTreeMap<Uuid, Acl>,
    super_users: &[Arc<str>],
    guest: &Guest,
    operation: Operation,
    (resource, name): (Resource, &str),
) -> bool {
    if super_users.contains(&guest.principal) {
        return true;
    }
    let mut is_allowed = false;
    for acl in acls.values() {
        if !acl.is_about(resource, name) || !acl.concerns(guest) {
            continue;
        }
        match acl.permission {
            Permission::Deny => {
                if acl.operation == operation || acl.operation == Operation::All {
                    return false;
                }
            }
            Permission::Allow => is_allowed |= acl.operation.allows(operation),
        }
    }
    is_allowed
}

/// Whether a guest may do something to anything of a kind (`authorizeByResourceType`): some
/// entry allows it, and none denies all that it allows.
fn may_somewhere(
    acls: &BTreeMap<Uuid, Acl>,
    super_users: &[Arc<str>],
    guest: &Guest,
    operation: Operation,
    resource: Resource,
) -> bool {
    let of_guest = |it: &&Acl| it.resource == resource && it.concerns(guest);
    let denies = |it: &Acl| {
        it.permission == Permission::Deny
            && (it.operation == operation || it.operation == Operation::All)
    };
    let covers = |denied: &Acl, allowed: &Acl| match (denied.pattern, allowed.pattern) {
        (Pattern::Literal, _) if *denied.name == *ANY => true,
        (Pattern::Literal, Pattern::Literal) => denied.name == allowed.name,
        (Pattern::Literal, Pattern::Prefixed) => false,
        (Pattern::Prefixed, _) => allowed.name.starts_with(&*denied.name),
    };
    let denied: Vec<&Acl> =
        acls.values().filter(of_guest).filter(|it| denies(it)).collect();
    let mut allowed = acls.values().filter(of_guest).filter(|it| {
        it.permission == Permission::Allow && it.operation.allows(operation)
    });
    super_users.contains(&guest.principal)
        || allowed.any(|it| !denied.iter().any(|no| covers(no, it)))
}

#[cfg(test)]
mod tests;
