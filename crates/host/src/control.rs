//! The control port: HTTP on the loopback interface, for whoever has the token.
//!
//! ```text
//!   GET  /status                            every broker, as it stands (JSON)
//!   POST /brokers/2/crash                   and restart, pause, resume, partition, heal
//!   Authorization: Bearer TOKEN             with each of them
//! ```
//!
//! Answers: 200 with the status, 401 without the token, 404 for what is not there, 409 for what
//! cannot be done to a broker as it stands. One request a connection.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::cluster::{Hurt, Standing};
use crate::entropy::entropy;
use crate::error::HostError;
use crate::server::Shared;

/// The longest head of a request.
const HEAD_MAX: usize = 8 << 10;
/// How long a request may take to come, and its answer to go.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many connections there may be at a time.
const CONNECTIONS_MAX: usize = 16;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where brokers can be hurt, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whoever has it may.
    pub token: String,
}

impl Control {
    /// Both in one word, as the process that is told finds it in its environment.
    pub fn word(&self) -> String {
        format!("http://{}#{}", self.address, self.token)
    }
}

/// Opens the control port.
pub(crate) async fn open(shared: &Rc<Shared>, port: u16) -> Result<Control, HostError> {
    let failed =
        |error| HostError::Listen { address: format!("127.0.0.1:{port}"), error };
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let token = format!("{:016x}{:016x}", entropy(), entropy());
    spawn_local(accept(shared.clone(), listener, token.clone()));
    Ok(Control { address, token })
}

async fn accept(shared: Rc<Shared>, listener: TcpListener, token: String) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (shared, token) = (shared.clone(), token.clone());
                spawn_local(async move {
                    let _ = timeout(PATIENCE, serve(&shared, stream, &token)).await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(shared: &Shared, mut stream: TcpStream, token: &str) {
    let mut head = Vec::new();
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        if head.len() >= HEAD_MAX {
            return;
        }
        match stream.read_buf(&mut head).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
    let (status, body) = answer(shared, &String::from_utf8_lossy(&head), token);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Does what is asked.
fn answer(shared: &Shared, head: &str, token: &str) -> (&'static str, String) {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let wanted = format!("Bearer {token}");
    let given = lines.filter_map(|line| line.split_once(':'));
    let mut given = given.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if !given.any(|(_, value)| is_same(value.trim(), &wanted)) {
        return ("401 Unauthorized", error("the token is missing or wrong"));
    }
    match (method, parse(path)) {
        ("GET", Some(Order::Status)) => ("200 OK", status(&shared.standing())),
        ("POST", Some(Order::Hurt(broker, hurt))) => {
            let brokers = shared.standing();
            let Some(member) = brokers.iter().position(|it| it.1.broker == broker) else {
                let told = format!("there is no broker {broker}");
                return ("404 Not Found", error(&told));
            };
            match shared.with(|cluster| cluster.hurt(member, hurt)) {
                Ok(()) => ("200 OK", status(&shared.standing())),
                Err(why) => ("409 Conflict", error(&why)),
            }
        }
        (_, Some(_)) => {
            ("405 Method Not Allowed", error("GET the status, POST the rest"))
        }
        (_, None) => ("404 Not Found", error("there is /status, and /brokers/ID/crash")),
    }
}

/// Compares without telling by its time how much of it was right.
fn is_same(given: &str, wanted: &str) -> bool {
    let differs = given.bytes().zip(wanted.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == wanted.len() && differs == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Status,
    Hurt(i32, Hurt),
}

fn parse(path: &str) -> Option<Order> {
    if path == "/status" {
        return Some(Order::Status);
    }
    let (broker, hurt) = path.strip_prefix("/brokers/")?.split_once('/')?;
    Some(Order::Hurt(broker.parse().ok()?, Hurt::named(hurt)?))
}

fn error(why: &str) -> String {
    // What is said here has no signs that JSON would have to escape.
    format!("{{\"error\":\"{why}\"}}\n")
}

fn status(brokers: &[(SocketAddr, Standing)]) -> String {
    let mut text = String::from("{\"brokers\":[");
    for (index, (address, it)) in brokers.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n  {{\"id\":{},\"address\":\"{address}\",\"state\":\"{}\",\
             \"partitioned\":{},\"controller\":{},\"leads\":{},\"replicas\":{},\
             \"clients\":{}}}",
            it.broker,
            it.state,
            it.is_cut_off,
            it.is_controller,
            it.leads,
            it.replicas,
            it.clients
        );
    }
    text + "\n]}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_paths() {
        assert_eq!(parse("/status"), Some(Order::Status));
        assert_eq!(parse("/brokers/2/crash"), Some(Order::Hurt(2, Hurt::Crash)));
        for wrong in ["/", "/brokers/2", "/brokers/x/crash", "/brokers/2/explode"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_is_right_or_wrong_as_a_whole() {
        assert!(is_same("Bearer 12", "Bearer 12"));
        assert!(!is_same("Bearer 1", "Bearer 12") && !is_same("Bearer 13", "Bearer 12"));
    }
}
