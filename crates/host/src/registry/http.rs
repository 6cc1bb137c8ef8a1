//! As much of HTTP/1.1 as clients of a registry speak: requests one after the other on a
//! connection, bodies with a length or in chunks.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};
use topomotion_wire::{CorrelationId, HttpMethod, HttpRequest};

use super::lodger::Lodger;

/// The longest head of a request.
const HEAD_MAX: usize = 16 << 10;
/// The longest body: schemas are text that people write.
const BODY_MAX: usize = 4 << 20;
/// How long a request may take to come, once it has begun, and its answer to go.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may be silent between two requests.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// How many connections there may be at a time.
const CONNECTIONS_MAX: usize = 256;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Takes connections for as long as the process lasts.
pub(super) async fn accept(lodger: Rc<Lodger>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let lodger = lodger.clone();
                spawn_local(async move {
                    // A connection that ends in the middle has nobody to be told.
                    let _ = serve(&lodger, stream).await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves a connection until its client, or what it says, ends it.
async fn serve(lodger: &Lodger, mut stream: TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        if bytes.is_empty() {
            more(&mut stream, &mut bytes, IDLE_MAX).await?;
        }
        let came = timeout(PATIENCE, receive(&mut stream, &mut bytes)).await.ok()?;
        let (asked, is_last) = match came {
            Ok(Some((request, is_last))) => (Ok(request), is_last),
            Ok(None) => return None,
            Err(refused) => (Err(refused), true),
        };
        let (status, body) = match asked {
            Ok(request) => match lodger.ask(request).await {
                Ok(answer) => answer,
                Err(_) => (503, told(50301, "the registry is not serving")),
            },
            Err(Refused { status, why }) => (status, told(u32::from(status), why)),
        };
        let last = if is_last { "Connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {CONTENT_TYPE}\r\n\
             Content-Length: {}\r\n{last}\r\n",
            phrase(status),
            body.len()
        );
        let answer = head + &body;
        timeout(PATIENCE, stream.write_all(answer.as_bytes())).await.ok()?.ok()?;
        if is_last {
            let _ = stream.shutdown().await;
            return Some(());
        }
    }
}

/// Why something is no request that is heard.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    status: u16,
    why: &'static str,
}

fn refused<T>(status: u16, why: &'static str) -> Result<T, Refused> {
    Err(Refused { status, why })
}

fn told(code: u32, why: &str) -> String {
    // What is said here has no signs that JSON would have to escape.
    format!("{{\"error_code\":{code},\"message\":\"{why}\"}}")
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Entity",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

/// Reads more; none when nothing more comes.
async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>, wait: Duration) -> Option<()> {
    match timeout(wait, stream.read_buf(bytes)).await {
        Ok(Ok(1..)) => Some(()),
        _ => None,
    }
}

/// The next request and whether it is the last, or none when the connection has ended. What
/// comes behind it stays.
async fn receive(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
) -> Result<Option<(HttpRequest, bool)>, Refused> {
    let mut is_encouraged = false;
    loop {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        if end.unwrap_or(bytes.len()) > HEAD_MAX {
            return refused(431, "the head of the request is too long");
        }
        if let Some(end) = end {
            let head = Head::read(&bytes[..end])?;
            match head.body(&bytes[end + 4..])? {
                Some((body, length)) => {
                    bytes.drain(..end + 4 + length);
                    return Ok(Some((head.request(body)?, head.is_last)));
                }
                None if head.waits && !is_encouraged => {
                    is_encouraged = true;
                    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
                    if stream.write_all(go_on).await.is_err() {
                        return Ok(None);
                    }
                }
                None => {}
            }
        }
        if more(stream, bytes, PATIENCE).await.is_none() {
            return Ok(None);
        }
    }
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunks,
}

/// What stands before the body.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    method: HttpMethod,
    path: String,
    length: Length,
    is_last: bool,
    /// The client sends no body before it is told to.
    waits: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Head, Refused> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return refused(400, "the head of the request is no text");
        };
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some(version)) =
            (words.next(), words.next(), words.next())
        else {
            return refused(400, "this is no HTTP request");
        };
        let Some(method) = HttpMethod::named(method) else {
            return refused(405, "GET, POST, PUT and DELETE are heard");
        };
        let mut head = Head {
            method,
            path: path.to_owned(),
            length: Length::Known(0),
            is_last: version != "HTTP/1.1",
            waits: false,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => match value.parse() {
                    Ok(length) if length <= BODY_MAX => {
                        head.length = Length::Known(length);
                    }
                    Ok(_) => return refused(413, "the body is too long"),
                    Err(_) => return refused(400, "the length is no number"),
                },
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {
                    head.length = Length::Chunks;
                }
                "transfer-encoding" => return refused(501, "no such encoding is known"),
                "connection" if value.eq_ignore_ascii_case("close") => {
                    head.is_last = true;
                }
                "expect" => head.waits = true,
                _ => {}
            }
        }
        Ok(head)
    }

    /// The body, and how many bytes it takes, once it is there whole.
    fn body(&self, bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Refused> {
        match self.length {
            Length::Known(length) => {
                let body = bytes.get(..length);
                Ok(body.map(|body| (body.to_vec(), length)))
            }
            Length::Chunks => unchunked(bytes),
        }
    }

    fn request(&self, body: Vec<u8>) -> Result<HttpRequest, Refused> {
        let Ok(body) = String::from_utf8(body) else {
            return refused(400, "the body is no text");
        };
        let (method, path) = (self.method, self.path.clone());
        Ok(HttpRequest { correlation: CorrelationId::default(), method, path, body })
    }
}

/// What chunks hold together, and how many bytes they take, once the last is there.
fn unchunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Refused> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = &bytes[at..];
        let Some(end) = rest.windows(2).position(|it| it == b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else {
            return refused(400, "a chunk has no length");
        };
        if size > BODY_MAX || body.len() + size > BODY_MAX {
            return refused(413, "the body is too long");
        }
        let Some(chunk) = rest.get(end + 2..end + 2 + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return refused(400, "a chunk is longer than it says");
        }
        body.extend_from_slice(&chunk[..size]);
        at += end + 2 + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_what_is_asked_and_how_long_the_body_is() {
        let head = Head::read(b"PUT /config HTTP/1.1\r\nHost: x\r\ncontent-length: 5");
        let head = head.expect("good");
        assert_eq!((head.method, &*head.path), (HttpMethod::Put, "/config"));
        assert!(!head.is_last);
        assert_eq!(head.body(b"1234"), Ok(None));
        assert_eq!(head.body(b"12345 and more"), Ok(Some((b"12345".to_vec(), 5))));
    }

    #[test]
    fn an_older_client_and_one_that_says_so_end_with_their_request() {
        for text in [&b"GET / HTTP/1.0"[..], b"GET / HTTP/1.1\r\nConnection: close"] {
            assert!(Head::read(text).expect("good").is_last);
        }
    }

    #[test]
    fn chunks_are_put_together() {
        let text = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET";
        assert_eq!(unchunked(text), Ok(Some((b"abcde".to_vec(), text.len() - 3))));
        for end in 0..text.len() - 3 {
            assert_eq!(unchunked(&text[..end]), Ok(None), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_by_its_kind() {
        let status = |text: &[u8]| Head::read(text).map_err(|it| it.status);
        assert_eq!(status(b"hello"), Err(400));
        assert_eq!(status(b"PATCH / HTTP/1.1"), Err(405));
        assert_eq!(status(b"POST / HTTP/1.1\r\nContent-Length: -1"), Err(400));
        assert_eq!(status(b"POST / HTTP/1.1\r\nContent-Length: 9999999999"), Err(413));
        assert_eq!(status(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip"), Err(501));
        let wrong = unchunked(b"x\r\n").map_err(|it| it.status);
        assert_eq!(wrong, Err(400));
        let huge = unchunked(b"fffffffffffffff0\r\n").map_err(|it| it.status);
        assert_eq!(huge, Err(413));
    }
}
