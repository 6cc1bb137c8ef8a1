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
