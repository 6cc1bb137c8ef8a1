//! One client's connection: bytes in, requests to its node, and no more than its turn.
//!
//! A client that sends faster than it is answered is not read meanwhile, and neither is one that
//! does not read its answers; both have only themselves to wait for. Whoever says nothing for
//! ten minutes is let go, as by Kafka (`connections.max.idle.ms`), even in the middle of a
//! frame. Bytes that are no Kafka end their connection, and are told of in one line.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use topomotion_broker::frames::Broken;
use topomotion_wire::{ConnectionId, Input, Message};

use crate::outbox::Outbox;
use crate::server::Shared;

/// `connections.max.idle.ms`.
const IDLE_MAX: Duration = Duration::from_millis(600_000);
/// Answers that a client has not read, beyond which it is not read either.
const UNREAD_MAX: usize = 1 << 20;
/// Requests of one connection that are taken in a row before others have their turn.
const IN_A_ROW: usize = 16;

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
    let client = Rc::new(Outbox::new(stream));
    let writer = client.clone();
    tokio::task::spawn_local(async move { writer.write_all().await });
    let connection = shared.with(|cluster| cluster.accept(member, client.clone()));
    if let Err(broken) = read_all(&shared, member, connection, &client).await {
        let broker = shared.broker(member);
        let hint = hint(broken).unwrap_or_default();
        shared.say(&format!("broker {broker}: closed {peer}: {broken}{hint}"));
    }
    client.close();
    shared.with(|cluster| cluster.hang_up(member, connection));
}

async fn read_all(
    shared: &Shared,
    member: usize,
    connection: ConnectionId,
    client: &Rc<Outbox>,
) -> Result<(), Broken> {
    let mut requests = shared.requests(member);
    let mut in_a_row = 0;
    loop {
        while client.is_open() && must_wait(shared, member, connection, client) {
            client.heard.notified().await;
            in_a_row = 0;
        }
        if !client.is_open() {
            return Ok(());
        }
        if let Some(request) = requests.take()? {
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
        match client.stream().try_read_buf(requests.room()) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                in_a_row = 0;
                let silent = timeout(IDLE_MAX, something(client)).await.is_err();
                if silent && !shared.owes(member, connection) {
                    return Ok(());
                }
            }
            Err(_) => return Ok(()),
        }
    }
}

/// Waits until there are bytes to read, or the connection has been closed from this end.
async fn something(client: &Outbox) {
    let mut readable = pin!(client.stream().readable());
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
    fn strangers_are_recognised_by_their_first_four_bytes() {
        let told = |bytes| hint(Broken::Length(i32::from_be_bytes(bytes))).unwrap_or("");
        assert!(told(*b"GET ").contains("HTTP"));
        assert!(told([0x16, 3, 1, 2]).contains("TLS"));
        assert_eq!(told([0xff; 4]), "");
        assert_eq!(hint(Broken::Body), None);
    }
}
