//! Who may do what.

use super::*;

fn guest(name: &str) -> Guest {
    Guest { principal: format!("User:{name}").into(), host: "127.0.0.1".into() }
}

fn acl(
    name: &str,
    pattern: Pattern,
    operation: Operation,
    permission: Permission,
) -> Acl {
    Acl {
        resource: Resource::Topic,
        name: name.into(),
        pattern,
        principal: "User:alice".into(),
        host: ANY.into(),
        operation,
        permission,
    }
}

fn numbered(all: Vec<Acl>) -> BTreeMap<Uuid, Acl> {
    (1..).map(Uuid::from_u128).zip(all).collect()
}

fn topic(
    acls: &BTreeMap<Uuid, Acl>,
    who: &str,
    operation: Operation,
    name: &str,
) -> bool {
    let root: Arc<str> = "User:root".into();
    may(acls, &[root], &guest(who), operation, (Resource::Topic, name))
}

#[test]
fn what_nobody_allows_is_denied_but_to_super_users() {
    let acls = BTreeMap::new();
    assert!(!topic(&acls, "alice", Operation::Read, "orders"));
    assert!(topic(&acls, "root", Operation::Read, "orders"));
}

#[test]
fn reading_implies_describing_and_not_writing() {
    let acls =
        numbered(vec![acl("o", Pattern::Literal, Operation::Read, Permission::Allow)]);
    assert!(topic(&acls, "alice", Operation::Read, "o"));
    assert!(topic(&acls, "alice", Operation::Describe, "o"));
    assert!(!topic(&acls, "alice", Operation::Write, "o"));
    assert!(!topic(&acls, "alice", Operation::Read, "orders"), "a literal is no prefix");
    assert!(!topic(&acls, "bob", Operation::Read, "o"));
}

#[test]
fn what_denies_goes_before_what_allows() {
    let acls = numbered(vec![
        acl("or", Pattern::Prefixed, Operation::All, Permission::Allow),
        acl("orders", Pattern::Literal, Operation::Write, Permission::Deny),
    ]);
    assert!(topic(&acls, "alice", Operation::Write, "oranges"));
    assert!(!topic(&acls, "alice", Operation::Write, "orders"));
    assert!(
        topic(&acls, "alice", Operation::Describe, "orders"),
        "a denial implies none"
    );
}

#[test]
fn everybody_and_everything_are_stars() {
    let mut all = acl(ANY, Pattern::Literal, Operation::Read, Permission::Allow);
    all.principal = EVERYBODY.into();
    let acls = numbered(vec![all.clone()]);
    assert!(topic(&acls, "bob", Operation::Read, "orders"));
    all.host = "10.0.0.1".into();
    assert!(!topic(&numbered(vec![all]), "bob", Operation::Read, "orders"));
}

#[test]
fn a_denial_of_all_that_is_allowed_leaves_nothing() {
    let allowed = acl("or", Pattern::Prefixed, Operation::Write, Permission::Allow);
    let some = |acls: Vec<Acl>| {
        let acls = numbered(acls);
        may_somewhere(&acls, &[], &guest("alice"), Operation::Write, Resource::Topic)
    };
    assert!(some(vec![allowed.clone()]));
    let one = acl("orders", Pattern::Literal, Operation::Write, Permission::Deny);
    assert!(some(vec![allowed.clone(), one]));
    let whole = acl("o", Pattern::Prefixed, Operation::All, Permission::Deny);
    assert!(!some(vec![allowed, whole]));
}

#[test]
fn codes_are_kafka_s() {
    assert_eq!(Operation::IdempotentWrite.code(), 12);
    assert_eq!(Operation::of(3), Some(Operation::Read));
    assert_eq!((Operation::of(1), Operation::of(13)), (None, None));
    for resource in Resource::ALL {
        assert_eq!(Resource::of(resource.code()), Some(resource));
    }
}

/// The bits of these operations.
fn bits(all: &[Operation]) -> i32 {
    all.iter().fold(0, |set, operation| set | 1 << operation.code())
}

#[test]
fn rights_are_what_the_lists_allow_of_what_the_kind_knows() {
    use rights::Rights;
    use topomotion_wire::messages::metadata_response::MetadataResponseTopic;
    use topomotion_wire::messages::{
        MetadataRequest, MetadataResponse, ResponseKind, TopicName,
    };
    use topomotion_wire::{ConnectionId, CorrelationId, Request, StrBytes};

    use crate::metadata::{MetadataImage, MetadataRecord};
    use crate::net::{Answer, Call, Ticket};

    let mut image = MetadataImage::default();
    let read = acl("orders", Pattern::Literal, Operation::Read, Permission::Allow);
    let mut describe = acl(CLUSTER, Pattern::Literal, Operation::All, Permission::Allow);
    describe.resource = Resource::Cluster;
    describe.principal = "User:bob".into();
    for (id, acl) in numbered(vec![read, describe]) {
        image.apply(&MetadataRecord::Acl { id, acl });
    }
    let super_users: Vec<Arc<str>> = vec!["User:root".into()];
    let told = |who: Option<&str>| {
        let ticket = Ticket::Remote { connection: ConnectionId::Accepted(1), serial: 0 };
        let body = MetadataRequest::default()
            .with_include_topic_authorized_operations(true)
            .with_include_cluster_authorized_operations(true)
            .into();
        let (correlation, client) = (CorrelationId(0), "".into());
        let request = Box::new(Request { correlation, version: 8, client, body });
        let mut rights = Rights::default();
        rights.note(&Call { ticket, request });
        let name = TopicName(StrBytes::from_static_str("orders"));
        let topic = MetadataResponseTopic::default().with_name(Some(name));
        let body = MetadataResponse::default().with_topics(vec![topic]);
        let mut answer = Answer::Reply(Box::new(body.into()));
        let who = who.map(guest);
        let guest = who.as_ref().map(|who| (&*super_users, who));
        rights.tell(ticket, Holder { image: &image, guest }, &mut answer);
        let Answer::Reply(body) = answer else { panic!("still an answer") };
        let ResponseKind::Metadata(it) = *body else { panic!("of its kind") };
        (it.topics[0].topic_authorized_operations, it.cluster_authorized_operations)
    };
    use Operation as O;
    let of_topics = [O::Read, O::Write, O::Create, O::Delete, O::Alter, O::Describe];
    let of_topics = bits(&of_topics) | bits(&[O::DescribeConfigs, O::AlterConfigs]);
    let of_cluster = [O::Create, O::Alter, O::Describe, O::ClusterAction];
    let of_configs = [O::DescribeConfigs, O::AlterConfigs, O::IdempotentWrite];
    let of_cluster = bits(&of_cluster) | bits(&of_configs);
    assert_eq!((of_topics, of_cluster), (0b1101_1111_1000, 0b1_1111_1010_0000));
    assert_eq!(told(None), (of_topics, of_cluster), "there is no authorizer");
    assert_eq!(told(Some("root")), (of_topics, of_cluster));
    assert_eq!(told(Some("alice")), (bits(&[O::Read, O::Describe]), 0));
    assert_eq!(told(Some("bob")), (0, of_cluster));
}
