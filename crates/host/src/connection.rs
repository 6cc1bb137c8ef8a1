//! One client's connection: bytes in, requests to its node, and no more than its turn.
//!
//! A client that sends faster than it is answered is not read meanwhile, and neither is one that
//! does not read its answers; both have only themselves to wait for. Whoever says nothing for
//! ten minutes is let go, as by Kafka (`connections.max.idle.ms`), even in the middle of a
//! frame. Bytes that are no Kafka end their connection, and are told of in one line.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use topomotion_broker::acl::Guest;
use topomotion_broker::frames::{Broken, Requests};
use topomotion_wire::{ConnectionId, Input, Message, Request, Response};

use crate::outbox::Outbox;
use crate::sasl::{self, LogIn, Step, TokenStep};
use crate::server::Shared;
use crate::wire::Wire;

/// `connections.max.idle.ms`.
const IDLE_MAX: Duration = Duration::from_millis(600_000);
/// Answers that a client has not read, beyond which it is not read either.
const UNREAD_MAX: usize = 1 << 20;
/// Requests of one connection that are taken in a row before others have their turn.
const IN_A_ROW: usize = 16;

/// How long a log-in's refusal takes: whoever guesses has to wait
/// (`connection.failed.authentication.delay.ms`).
const REFUSAL_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether what was said is on its way.
const LOOK: Duration = Duration::from_millis(1);

/// Who has not logged in, where nobody has to.
const ANONYMOUS: &str = "User:ANONYMOUS";

/// Why a connection was closed from this end.
#[derive(Debug)]
enum Closed {
    /// What came is no Kafka.
    Broken(Broken),
    /// Whoever is there may not be.
    Refused(String),
}

impl From<Broken> for Closed {
    fn from(broken: Broken) -> Closed {
        Closed::Broken(broken)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Broken(broken) => f.write_str(&in_words(*broken)),
            Closed::Refused(why) => f.write_str(why),
        }
    }
}

/// Serves a client until it is gone.
pub(crate) async fn serve(
    shared: Rc<Shared>,
    member: usize,
    stream: TcpStream,
    peer: SocketAddr,
) {
    if !shared.is_alive(member) {
        return;
    }
    let _ = stream.set_nodelay(true);
    let wire = match Wire::new(stream, shared.tls()) {
        Ok(wire) => wire,
        Err(error) => {
            let broker = shared.broker(member);
            return shared.say(&format!("broker {broker}: closed {peer}: {error}"));
        }
    };
    let client = Rc::new(Outbox::new(wire));
    let writer = client.clone();
    tokio::task::spawn_local(async move { writer.write_all().await });
    let connection = shared.with(|cluster| cluster.accept(member, client.clone()));
    let mut talk = Talk {
        requests: shared.requests(member),
        log_in: shared.wants_log_in().then(LogIn::default),
        shared: &shared,
        member,
        connection,
        client: &client,
        host: peer.ip().to_string().into(),
    };
    talk.introduce(&Arc::from(ANONYMOUS));
    if let Err(closed) = talk.read_all().await {
        let broker = shared.broker(member);
        shared.say(&format!("broker {broker}: closed {peer}: {closed}"));
    }
    client.close();
    shared.with(|cluster| cluster.hang_up(member, connection));
}

/// A connection while it lasts.
struct Talk<'a> {
    shared: &'a Shared,
    member: usize,
    connection: ConnectionId,
    client: &'a Rc<Outbox>,
    requests: Requests,
    /// Where whoever asks has to log in.
    log_in: Option<LogIn>,
    /// Where it comes from.
    host: Arc<str>,
}

impl Talk<'_> {
    async fn read_all(&mut self) -> Result<(), Closed> {
        let (shared, member, connection) = (self.shared, self.member, self.connection);
        let client = self.client;
        if self.log_in.is_some() {
            self.requests.set_max_bytes(sasl::FRAME_MAX);
        }
        let mut in_a_row = 0;
        loop {
            while client.is_open() && must_wait(shared, member, connection, client) {
                client.heard.notified().await;
                in_a_row = 0;
            }
            if !client.is_open() {
                return Ok(());
            }
            if self.log_in.as_ref().is_some_and(LogIn::awaits_token) {
                if let Some(token) = self.requests.take_token()? {
                    self.hear_token(&token).await?;
                    continue;
                }
            } else if let Some(request) = self.requests.take()? {
                if self.is_about_log_in(&request) {
                    self.hear_log_in(request).await?;
                    continue;
                }
                let message = Message::from(request);
                let input = Input::Received { connection, message };
                shared.with(|cluster| cluster.give(member, input));
                in_a_row += 1;
                if in_a_row >= IN_A_ROW {
                    in_a_row = 0;
                    tokio::task::yield_now().await;
                }
                continue;
            }
            match client.wire().try_read_buf(self.requests.room()) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    in_a_row = 0;
                    if client.wire().is_behind() {
                        client.written.notify_one();
                    }
                    let silent = timeout(IDLE_MAX, something(client)).await.is_err();
                    if silent && !shared.owes(member, connection) {
                        return Ok(());
                    }
                }
                // Only TLS is particular about what comes.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(Closed::Refused(no_tls(&error)));
                }
                Err(_) => return Ok(()),
            }
        }
    }

    /// Whether a request is heard here, and by no node.
    fn is_about_log_in(&mut self, request: &Request) -> bool {
        let Some(log_in) = &mut self.log_in else { return false };
        log_in.principal().is_none() || log_in.is_renewed_by(&request.body)
    }

    async fn hear_log_in(&mut self, request: Request) -> Result<(), Closed> {
        let (Some(log_in), Some(users)) =
            (&mut self.log_in, self.shared.users(self.member))
        else {
            return Ok(());
        };
        let step = log_in.hear(users, &request);
        let (member, connection) = (self.member, self.connection);
        let (correlation, version) = (request.correlation, request.version);
        let message = Message::from(request);
        if let Step::PassOn = step {
            let input = Input::Received { connection, message };
            self.shared.with(|cluster| cluster.give(member, input));
            return Ok(());
        }
        let parcel =
            self.shared.with(|cluster| cluster.overhear(member, connection, &message));
        let say = |body| {
            let answer = Message::from(Response { correlation, version, body });
            self.shared
                .with(|cluster| cluster.answer(member, connection, answer, parcel));
        };
        match step {
            Step::PassOn => {}
            Step::Reply(body) => say(body),
            Step::Refuse(body, why) => {
                sleep(REFUSAL_PAUSE).await;
                if let Some(body) = body {
                    say(body);
                    self.said_all().await;
                }
                return Err(Closed::Refused(why));
            }
        }
        self.welcome();
        Ok(())
    }

    async fn hear_token(&mut self, token: &[u8]) -> Result<(), Closed> {
        // The answer to the handshake goes first.
        self.said_all().await;
        let (Some(log_in), Some(users)) =
            (&mut self.log_in, self.shared.users(self.member))
        else {
            return Ok(());
        };
        match log_in.hear_token(users, token) {
            TokenStep::Reply(answer) => {
                let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
                let frame = [&length.to_be_bytes()[..], &answer].concat();
                self.client.send(vec![frame.into()]);
                self.welcome();
                Ok(())
            }
            TokenStep::Refuse(why) => {
                sleep(REFUSAL_PAUSE).await;
                Err(Closed::Refused(why))
            }
        }
    }

    /// Whoever has just logged in may say as much as anybody, and is known by name.
    fn welcome(&mut self) {
        let principal = self.log_in.as_ref().and_then(LogIn::principal).cloned();
        if let Some(principal) = principal {
            self.requests.set_max_bytes(self.shared.request_max_bytes());
            self.introduce(&principal);
        }
    }

    fn introduce(&self, principal: &Arc<str>) {
        let guest = Guest { principal: principal.clone(), host: self.host.clone() };
        let (member, connection) = (self.member, self.connection);
        self.shared.with(|cluster| cluster.introduce(member, connection, guest));
    }

    /// Waits until what was said here is with the socket.
    async fn said_all(&self) {
        while self.client.is_open() && self.shared.owes(self.member, self.connection) {
            sleep(LOOK).await;
        }
    }
}

/// Why no TLS came of a connection, and what its client has to be told.
fn no_tls(error: &io::Error) -> String {
    let why = error.to_string();
    let is_alert = why.contains("alert");
    let help = if is_alert && (why.contains("UnknownCA") || why.contains("Certificate")) {
        "it has to be told to trust this listener's certificate"
    } else {
        "this listener is TLS"
    };
    format!("no TLS came of it: {why} ({help})")
}

/// Waits until there are bytes to read, or the connection has been closed from this end.
async fn something(client: &Outbox) {
    let mut readable = pin!(client.wire().socket().readable());
    let mut heard = pin!(client.heard.notified());
    poll_fn(|context| {
        // An error shows itself again with the next read.
        if readable.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        heard.as_mut().poll(context)
    })
    .await;
}

fn must_wait(
    shared: &Shared,
    member: usize,
    connection: ConnectionId,
    client: &Rc<Outbox>,
) -> bool {
    client.backlog() > UNREAD_MAX
        || shared.with(|cluster| cluster.must_wait(member, connection, client))
}

/// What is wrong with a frame, or what it is instead of one.
pub(crate) fn in_words(broken: Broken) -> String {
    match hint(broken) {
        Some(hint) => format!("no Kafka frame{hint}"),
        None => broken.to_string(),
    }
}

/// What those bytes were, where the length that they were taken for tells.
pub(crate) fn hint(broken: Broken) -> Option<&'static str> {
    let Broken::Length(length) = broken else { return None };
    Some(match &length.to_be_bytes() {
        b"GET " | b"POST" | b"PUT " | b"HEAD" | b"OPTI" | b"PRI " => {
            " (this is HTTP; Kafka is spoken here)"
        }
        [0x16, 3, ..] => " (this is TLS; this listener is PLAINTEXT)",
        b"SSH-" => " (this is SSH; Kafka is spoken here)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_trusts_nobody_is_told_so_and_whoever_speaks_no_tls_otherwise() {
        let told = |why: &str| no_tls(&io::Error::other(why));
        assert!(told("received fatal alert: UnknownCA").contains("has to be told"));
        assert!(told("received fatal alert: BadCertificate").contains("has to be told"));
        assert!(told("received corrupt message").contains("this listener is TLS"));
    }

    #[test]
    fn strangers_are_recognised_by_their_first_four_bytes() {
        let told = |bytes| hint(Broken::Length(i32::from_be_bytes(bytes))).unwrap_or("");
        assert!(told(*b"GET ").contains("HTTP"));
        assert!(told([0x16, 3, 1, 2]).contains("TLS"));
        assert_eq!(told([0xff; 4]), "");
        assert_eq!(hint(Broken::Body), None);
        let http = in_words(Broken::Length(i32::from_be_bytes(*b"GET ")));
        assert_eq!(http, "no Kafka frame (this is HTTP; Kafka is spoken here)");
        assert_eq!(in_words(Broken::Length(-1)), "a frame cannot have -1 bytes");
    }
}
