//! Who can log in is the controller's to write, and every broker's to tell.

use topomotion_wire::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use topomotion_wire::messages::describe_user_scram_credentials_request::UserName;
use topomotion_wire::messages::{
    AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest,
};
use topomotion_wire::{Bytes, ErrorCode};

use super::*;

const SHA_256: i8 = 1;
const SHA_512: i8 = 2;

fn put(user: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
    let length = if mechanism == SHA_512 { 64 } else { 32 };
    ScramCredentialUpsertion::default()
        .with_name(name(user).0)
        .with_mechanism(mechanism)
        .with_iterations(iterations)
        .with_salt(Bytes::from_static(b"salt"))
        .with_salted_password(Bytes::from(vec![7; length]))
}

fn delete(user: &str, mechanism: i8) -> ScramCredentialDeletion {
    let deletion = ScramCredentialDeletion::default().with_name(name(user).0);
    deletion.with_mechanism(mechanism)
}

/// What becomes of each user's changes, asked for at any broker.
fn alter(
    rig: &mut Rig,
    deletions: &[ScramCredentialDeletion],
    upsertions: &[ScramCredentialUpsertion],
) -> Vec<(String, i16)> {
    let request = AlterUserScramCredentialsRequest::default()
        .with_deletions(deletions.to_vec())
        .with_upsertions(upsertions.to_vec());
    let ResponseKind::AlterUserScramCredentials(told) = rig.call(2, 0, request) else {
        panic!("an answer of its kind")
    };
    rig.run_for(600);
    told.results.iter().map(|it| (it.user.to_string(), it.error_code)).collect()
}

/// Error, mechanisms and iterations of each user.
type Told = (String, i16, Vec<(i8, i32)>);

fn describe(rig: &mut Rig, users: Option<&[&str]>) -> Vec<Told> {
    let user = |user: &&str| UserName::default().with_name(name(user).0);
    let users = users.map(|users| users.iter().map(user).collect());
    let request = DescribeUserScramCredentialsRequest::default().with_users(users);
    let ResponseKind::DescribeUserScramCredentials(told) = rig.call(3, 0, request) else {
        panic!("an answer of its kind")
    };
    let one = |it: &topomotion_wire::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult| {
        let infos = it.credential_infos.iter();
        let infos = infos.map(|it| (it.mechanism, it.iterations)).collect();
        (it.user.to_string(), it.error_code, infos)
    };
    told.results.iter().map(one).collect()
}

#[test]
fn credentials_are_put_described_and_deleted() {
    let mut rig = Rig::new(3, 1);
    settle(&mut rig);
    assert_eq!(describe(&mut rig, None), []);
    let both = [put("alice", SHA_256, 4_096), put("alice", SHA_512, 8_192)];
    let fine = |user: &str| (user.to_owned(), 0);
    let outcome =
        alter(&mut rig, &[], &[&both[..], &[put("bob", SHA_256, 4_096)]].concat());
    assert_eq!(outcome, [fine("alice"), fine("bob")]);
    let alice = ("alice".to_owned(), 0, vec![(SHA_256, 4_096), (SHA_512, 8_192)]);
    let bob = ("bob".to_owned(), 0, vec![(SHA_256, 4_096)]);
    assert_eq!(describe(&mut rig, None), [alice.clone(), bob]);
    let missing = ("carol".to_owned(), ErrorCode::ResourceNotFound.code(), vec![]);
    assert_eq!(describe(&mut rig, Some(&["carol", "alice"])), [alice, missing]);
    let twice = describe(&mut rig, Some(&["bob", "bob"]));
    assert_eq!(twice[0].1, ErrorCode::DuplicateResource.code());
    assert_eq!(alter(&mut rig, &[delete("alice", SHA_256)], &[]), [fine("alice")]);
    let left = ("alice".to_owned(), 0, vec![(SHA_512, 8_192)]);
    assert_eq!(describe(&mut rig, Some(&["alice"])), [left]);
    // It is in the log: whoever starts again knows it.
    rig.crash(3);
    rig.start(3);
    settle(&mut rig);
    assert_eq!(describe(&mut rig, None).len(), 2);
}

#[test]
fn what_is_wrong_with_one_change_stops_all_of_that_user() {
    let mut rig = Rig::new(3, 1);
    settle(&mut rig);
    let refused = |rig: &mut Rig, upsertions: &[ScramCredentialUpsertion]| {
        let told = alter(rig, &[], upsertions);
        told.into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    let unacceptable = ErrorCode::UnacceptableCredential.code();
    let few = [put("alice", SHA_256, 4_096), put("alice", SHA_512, 100)];
    let fine = put("bob", SHA_256, 4_096);
    assert_eq!(refused(&mut rig, &[&few[..], &[fine]].concat()), [unacceptable, 0]);
    assert_eq!(refused(&mut rig, &[put("alice", SHA_256, 20_000)]), [unacceptable]);
    assert_eq!(refused(&mut rig, &[put("", SHA_256, 4_096)]), [unacceptable]);
    let unsalted = put("alice", SHA_256, 4_096).with_salt(Bytes::new());
    assert_eq!(refused(&mut rig, &[unsalted]), [unacceptable]);
    let short =
        put("alice", SHA_256, 4_096).with_salted_password(Bytes::from_static(b"x"));
    assert_eq!(refused(&mut rig, &[short]), [unacceptable]);
    let unknown = ErrorCode::UnsupportedSaslMechanism.code();
    assert_eq!(refused(&mut rig, &[put("alice", 0, 4_096)]), [unknown]);
    let twice = vec![put("alice", SHA_256, 4_096); 2];
    assert_eq!(refused(&mut rig, &twice), [ErrorCode::DuplicateResource.code()]);
    let missing = alter(&mut rig, &[delete("alice", SHA_256)], &[]);
    assert_eq!(missing[0].1, ErrorCode::ResourceNotFound.code());
    assert_eq!(describe(&mut rig, None).len(), 1, "bob alone");
}
