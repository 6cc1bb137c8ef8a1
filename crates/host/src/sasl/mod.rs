//! Log-ins: SaslHandshake (17, versions 0–1) and SaslAuthenticate (36, versions 0–2), PLAIN and
//! SCRAM.
//!
//! [`LogIn`] is one connection's, a state machine without a socket. Before somebody has logged in
//! only ApiVersions and the log-in itself are heard; everything else ends the connection. After a
//! handshake of version 0 the tokens come as frames without a header, and a failure can only be
//! told by closing; after version 1 both have messages of their own (KIP-152).
//!
//! Sessions do not end by themselves: `session_lifetime_ms` is 0. Whoever logs in again on the
//! same connection (KIP-368) has to be the same as before, by the same mechanism.

mod scram;
mod users;

use std::sync::Arc;

use topomotion_wire::messages::{
    RequestKind, ResponseKind, SaslAuthenticateResponse, SaslHandshakeResponse,
};
use topomotion_wire::{Bytes, ErrorCode, Request, StrBytes};

use scram::{Exchange, First, Hash};
pub(crate) use users::Users;
pub use users::{Mechanism, User};

/// Who may log in, and how. Whoever has not may ask nothing.
#[derive(Debug, Clone)]
pub struct Sasl {
    /// Those who may.
    pub users: Vec<User>,
    /// How.
    pub mechanisms: Vec<Mechanism>,
}

impl Sasl {
    pub(crate) fn users(&self) -> Users {
        Users::new(&self.users, &self.mechanisms)
    }
}

/// The longest frame before somebody has logged in: `sasl.server.max.receive.size`.
pub(crate) const FRAME_MAX: i32 = 524_288;

/// One connection's log-in.
#[derive(Debug, Default)]
pub(crate) struct LogIn {
    state: State,
    /// Who had logged in before, and how.
    former: Option<(Arc<str>, Mechanism)>,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing was agreed yet.
    #[default]
    Begun,
    /// How the log-in goes is agreed.
    Agreed { mechanism: Mechanism, form: Form, exchange: Option<Box<Exchange>> },
    /// Somebody has logged in.
    Done(Arc<str>, Mechanism),
}

/// How tokens travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As frames without a header.
    Bare,
    /// In SaslAuthenticate.
    Message,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is for the node to answer.
    PassOn,
    /// It is answered.
    Reply(ResponseKind),
    /// It is answered, if it can be, and the connection ends.
    Refuse(Option<ResponseKind>, String),
}

/// What becomes of a bare token.
#[derive(Debug)]
pub(crate) enum TokenStep {
    Reply(Vec<u8>),
    /// The connection ends.
    Refuse(String),
}

/// What became of a token.
enum Outcome {
    Challenge(Vec<u8>),
    Success(Vec<u8>),
    /// What the client hears, and who it said it was.
    Failure(String, Option<String>),
}

impl LogIn {
    /// Whether the next frame is a token without a header.
    pub(crate) fn awaits_token(&self) -> bool {
        matches!(self.state, State::Agreed { form: Form::Bare, .. })
    }

    /// Who has logged in.
    pub(crate) fn principal(&self) -> Option<&Arc<str>> {
        match &self.state {
            State::Done(principal, _) => Some(principal),
            State::Begun | State::Agreed { .. } => None,
        }
    }

    /// Whether a request is about a log-in again, now that there has been one.
    pub(crate) fn is_renewed_by(&mut self, body: &RequestKind) -> bool {
        let (RequestKind::SaslHandshake(_), State::Done(principal, mechanism)) =
            (body, &self.state)
        else {
            return false;
        };
        self.former = Some((principal.clone(), *mechanism));
        self.state = State::Begun;
        true
    }

    /// Hears a request of somebody who has not logged in.
    pub(crate) fn hear(&mut self, users: &Users, request: &Request) -> Step {
        match (&request.body, &self.state) {
            (RequestKind::ApiVersions(_), State::Begun) if self.former.is_none() => {
                Step::PassOn
            }
            (RequestKind::SaslHandshake(it), State::Begun) => {
                self.agree(users, &it.mechanism, request.version)
            }
            (RequestKind::SaslAuthenticate(it), State::Agreed { .. }) => {
                let token = it.auth_bytes.clone();
                self.hear_message(users, &token)
            }
            (body, _) => self.refuse(users, body),
        }
    }

    fn agree(&mut self, users: &Users, name: &str, version: i16) -> Step {
        let names = users.mechanisms().iter().map(|it| text(it.name()));
        let answer = SaslHandshakeResponse::default().with_mechanisms(names.collect());
        let mechanism = users.mechanisms().iter().find(|it| it.name() == name).copied();
        let Some(mechanism) = mechanism else {
            let answer =
                answer.with_error_code(ErrorCode::UnsupportedSaslMechanism.code());
            let why = format!("it wants to log in by {name:?}, which is not offered");
            return Step::Refuse(Some(answer.into()), why);
        };
        if self.former.as_ref().is_some_and(|(_, before)| *before != mechanism) {
            let answer = answer.with_error_code(ErrorCode::IllegalSaslState.code());
            let why = "it wants to log in again, by another mechanism".to_owned();
            return Step::Refuse(Some(answer.into()), why);
        }
        let form = if version == 0 { Form::Bare } else { Form::Message };
        self.state = State::Agreed { mechanism, form, exchange: None };
        Step::Reply(answer.into())
    }

    fn hear_message(&mut self, users: &Users, token: &[u8]) -> Step {
        let answer = SaslAuthenticateResponse::default();
        match self.evaluate(users, token) {
            Outcome::Challenge(token) | Outcome::Success(token) => {
                Step::Reply(answer.with_auth_bytes(Bytes::from(token)).into())
            }
            Outcome::Failure(told, who) => {
                let why = failed(&told, who.as_deref());
                let answer =
                    answer.with_error_code(ErrorCode::SaslAuthenticationFailed.code());
                let answer = answer.with_error_message(Some(text(&told)));
                Step::Refuse(Some(answer.into()), why)
            }
        }
    }

    /// Hears a token without a header.
    pub(crate) fn hear_token(&mut self, users: &Users, token: &[u8]) -> TokenStep {
        match self.evaluate(users, token) {
            Outcome::Challenge(token) | Outcome::Success(token) => {
                TokenStep::Reply(token)
            }
            Outcome::Failure(told, who) => {
                TokenStep::Refuse(failed(&told, who.as_deref()))
            }
        }
    }

    /// What is said before its time ends the connection.
    fn refuse(&self, users: &Users, body: &RequestKind) -> Step {
        let names: Vec<&str> = users.mechanisms().iter().map(|it| it.name()).collect();
        let names = names.join(", ");
        let why = format!("it did not log in first (this listener wants SASL: {names})");
        let code = ErrorCode::IllegalSaslState.code();
        let answer = match body {
            RequestKind::SaslHandshake(_) => {
                Some(SaslHandshakeResponse::default().with_error_code(code).into())
            }
            RequestKind::SaslAuthenticate(_) => {
                let why = text("a SaslHandshake has to come first");
                let answer = SaslAuthenticateResponse::default().with_error_code(code);
                Some(answer.with_error_message(Some(why)).into())
            }
            _ => None,
        };
        Step::Refuse(answer, why)
    }

    fn evaluate(&mut self, users: &Users, token: &[u8]) -> Outcome {
        let State::Agreed { mechanism, exchange, .. } = &mut self.state else {
            return Outcome::Failure(
                "a SaslHandshake has to come first".to_owned(),
                None,
            );
        };
        let mechanism = *mechanism;
        let hash = match mechanism {
            Mechanism::Plain => {
                return self.judge(users, plain(users, token), Vec::new());
            }
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
        };
        let refused = |who: Option<&str>| {
            let name = mechanism.name();
            let told = "Authentication failed during authentication due to invalid \
                        credentials with SASL mechanism";
            Outcome::Failure(format!("{told} {name}"), who.map(str::to_owned))
        };
        let Some(begun) = exchange else {
            let Ok(first) = First::read(token) else { return refused(None) };
            let Some(keys) = users.keys(hash, &first.user) else {
                return refused(Some(&first.user));
            };
            let begun = Exchange::begin(hash, first, keys, &users::nonce());
            let challenge = begun.challenge();
            *exchange = Some(Box::new(begun));
            return Outcome::Challenge(challenge);
        };
        let user = begun.user().to_owned();
        match begun.judge(token) {
            Ok(Some(signature)) => self.judge(users, Ok(user), signature),
            Ok(None) | Err(scram::Malformed) => refused(Some(&user)),
        }
    }

    /// Lets somebody in who has shown who it is.
    fn judge(
        &mut self,
        users: &Users,
        shown: Result<String, Option<String>>,
        token: Vec<u8>,
    ) -> Outcome {
        let wrong = "Authentication failed: Invalid username or password";
        let user = match shown {
            Ok(user) => user,
            Err(who) => return Outcome::Failure(wrong.to_owned(), who),
        };
        let (Some(principal), State::Agreed { mechanism, .. }) =
            (users.principal(&user), &self.state)
        else {
            return Outcome::Failure(wrong.to_owned(), Some(user));
        };
        if self.former.as_ref().is_some_and(|(before, _)| *before != principal) {
            let told = "Cannot change principals during re-authentication".to_owned();
            return Outcome::Failure(told, Some(user));
        }
        self.state = State::Done(principal, *mechanism);
        Outcome::Success(token)
    }
}

/// The user of PLAIN (RFC 4616): `authorization id \0 name \0 password`.
fn plain(users: &Users, token: &[u8]) -> Result<String, Option<String>> {
    let text = std::str::from_utf8(token).map_err(|_| None)?;
    let parts: Vec<&str> = text.split('\0').collect();
    let [id, user, password] = parts[..] else { return Err(None) };
    // To act as somebody else is not possible here.
    let is_own = id.is_empty() || id == user;
    if is_own && users.has(user, password) {
        Ok(user.to_owned())
    } else {
        Err(Some(user.to_owned()))
    }
}

/// A failure in words, for whoever looks after the process.
fn failed(told: &str, who: Option<&str>) -> String {
    match who {
        // It may be anything: quoted, and no longer than names are.
        Some(who) => {
            let short: String = who.chars().take(64).collect();
            format!("{told} ({short:?})")
        }
        None => told.to_owned(),
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[cfg(test)]
mod tests;
