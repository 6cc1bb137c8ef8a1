//! Log-ins, good and bad.

use topomotion_wire::CorrelationId;
use topomotion_wire::messages::{
    ApiVersionsRequest, MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest,
};

use super::*;

fn users() -> Users {
    let users = ["alice:secret", "bob:other"].map(|it| it.parse().unwrap());
    Sasl { users: users.to_vec(), mechanisms: Mechanism::ALL.to_vec() }.users()
}

fn request(version: i16, body: impl Into<RequestKind>) -> Request {
    let correlation = CorrelationId(1);
    Request { correlation, version, client: "me".into(), body: body.into() }
}

fn handshake(version: i16, mechanism: &str) -> Request {
    request(version, SaslHandshakeRequest::default().with_mechanism(text(mechanism)))
}

fn token(bytes: &[u8]) -> Request {
    let bytes = Bytes::copy_from_slice(bytes);
    request(2, SaslAuthenticateRequest::default().with_auth_bytes(bytes))
}

fn code(step: &Step) -> Option<i16> {
    match step {
        Step::Reply(body) | Step::Refuse(Some(body), _) => match body {
            ResponseKind::SaslHandshake(it) => Some(it.error_code),
            ResponseKind::SaslAuthenticate(it) => Some(it.error_code),
            _ => None,
        },
        Step::PassOn | Step::Refuse(None, _) => None,
    }
}

#[test]
fn a_password_lets_in() {
    let (users, mut login) = (users(), LogIn::default());
    assert_eq!(code(&login.hear(&users, &handshake(1, "PLAIN"))), Some(0));
    assert!(!login.awaits_token());
    let answer = login.hear(&users, &token(b"\0alice\0secret"));
    let Step::Reply(ResponseKind::SaslAuthenticate(it)) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((it.error_code, it.session_lifetime_ms), (0, 0));
    assert_eq!(login.principal().map(|it| &**it), Some("User:alice"));
}

#[test]
fn wrong_passwords_unknown_names_and_nonsense_end_the_connection() {
    let users = users();
    for wrong in
        [&b"\0alice\0other"[..], b"\0carol\0x", b"", b"alice", b"bob\0alice\0secret"]
    {
        let mut login = LogIn::default();
        login.hear(&users, &handshake(1, "PLAIN"));
        let answer = login.hear(&users, &token(wrong));
        assert!(matches!(answer, Step::Refuse(Some(_), _)), "{answer:?}");
        assert_eq!(code(&answer), Some(58));
        assert!(!format!("{answer:?}").contains("secret"));
        assert_eq!(login.principal(), None);
    }
}

#[test]
fn after_a_handshake_of_version_0_tokens_come_bare() {
    let (users, mut login) = (users(), LogIn::default());
    login.hear(&users, &handshake(0, "PLAIN"));
    assert!(login.awaits_token());
    let answer = login.hear_token(&users, b"\0bob\0other");
    assert!(matches!(answer, TokenStep::Reply(it) if it.is_empty()));
    assert_eq!(login.principal().map(|it| &**it), Some("User:bob"));
}

#[test]
fn what_is_not_offered_is_refused_with_what_is() {
    let (users, mut login) = (users(), LogIn::default());
    let answer = login.hear(&users, &handshake(1, "GSSAPI"));
    let Step::Refuse(Some(ResponseKind::SaslHandshake(it)), _) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((it.error_code, it.mechanisms.len()), (33, 3));
}

#[test]
fn before_a_log_in_nothing_else_is_heard_but_versions() {
    let users = users();
    let versions = request(3, ApiVersionsRequest::default());
    assert!(matches!(LogIn::default().hear(&users, &versions), Step::PassOn));
    let metadata = request(9, MetadataRequest::default());
    let answer = LogIn::default().hear(&users, &metadata);
    assert!(matches!(&answer, Step::Refuse(None, why) if why.contains("SCRAM-SHA-256")));
    let early = LogIn::default().hear(&users, &token(b"\0alice\0secret"));
    assert_eq!(code(&early), Some(34));
    assert!(matches!(early, Step::Refuse(..)));
}

#[test]
fn a_scram_log_in_of_somebody_unknown_fails_at_once() {
    let (users, mut login) = (users(), LogIn::default());
    login.hear(&users, &handshake(1, "SCRAM-SHA-512"));
    let answer = login.hear(&users, &token(b"n,,n=carol,r=abc"));
    assert_eq!(code(&answer), Some(58));
}

#[test]
fn whoever_logs_in_again_has_to_be_the_same() {
    let (users, mut login) = (users(), LogIn::default());
    login.hear(&users, &handshake(1, "PLAIN"));
    login.hear(&users, &token(b"\0alice\0secret"));
    let again = handshake(1, "PLAIN");
    assert!(login.is_renewed_by(&again.body));
    assert_eq!(login.principal(), None);
    assert_eq!(code(&login.hear(&users, &again)), Some(0));
    assert_eq!(code(&login.hear(&users, &token(b"\0alice\0secret"))), Some(0));
    assert!(login.is_renewed_by(&again.body));
    login.hear(&users, &again);
    assert_eq!(code(&login.hear(&users, &token(b"\0bob\0other"))), Some(58));
}

#[test]
fn whoever_logs_in_again_stays_with_the_mechanism() {
    let (users, mut login) = (users(), LogIn::default());
    login.hear(&users, &handshake(1, "PLAIN"));
    login.hear(&users, &token(b"\0alice\0secret"));
    let again = handshake(1, "SCRAM-SHA-256");
    assert!(login.is_renewed_by(&again.body));
    assert_eq!(code(&login.hear(&users, &again)), Some(34));
}
