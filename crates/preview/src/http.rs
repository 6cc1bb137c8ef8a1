//! As much of HTTP as a page on the same machine needs: short GETs, read with limits.

use std::io::{self, Read, Write};

/// No request is longer than this.
const HEAD_MAX: usize = 16 << 10;

/// What every answer forbids: anything from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
form-action 'none'; frame-ancestors 'none'";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Without what follows `?`.
    pub path: String,
}

/// An answer that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal(pub u16, pub &'static str);

/// Reads a request, and refuses those that no page of ours sends. `None` if nobody asks any more.
pub(crate) fn read(
    from: &mut impl Read,
    port: u16,
) -> io::Result<Option<Result<Request, Refusal>>> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&buffer[..count]);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&head) {
            Ok(httparse::Status::Complete(_)) => return Ok(Some(judge(&request, port))),
            Ok(httparse::Status::Partial) if head.len() < HEAD_MAX => {}
            Ok(httparse::Status::Partial) => {
                return Ok(Some(Err(Refusal(431, "Request Header Fields Too Large"))));
            }
            Err(_) => return Ok(Some(Err(Refusal(400, "Bad Request")))),
        }
    }
}

/// Whether the request comes from a page of ours, or from whoever typed our address. A page of
/// another site can make a browser ask us, under a name of its own that leads to this machine.
fn judge(request: &httparse::Request<'_, '_>, port: u16) -> Result<Request, Refusal> {
    let values = |name: &str| {
        let own = request.headers.iter();
        let own = own.filter(|header| header.name.eq_ignore_ascii_case(name));
        own.map(|header| header.value).collect::<Vec<_>>()
    };
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
    let is_own = |value: &[u8]| hosts.iter().any(|host| host.as_bytes() == value);
    if !matches!(values("host")[..], [host] if is_own(host)) {
        return Err(Refusal(421, "Misdirected Request"));
    }
    let is_ours = |origin: &&[u8]| origin.strip_prefix(b"http://").is_some_and(is_own);
    if !values("origin").iter().all(is_ours) {
        return Err(Refusal(403, "Forbidden"));
    }
    let is_foreign =
        matches!(values("sec-fetch-site")[..], [b"cross-site" | b"same-site"]);
    let is_visit = matches!(values("sec-fetch-mode")[..], [b"navigate"]);
    if is_foreign && !is_visit {
        return Err(Refusal(403, "Forbidden"));
    }
    if !matches!(request.method, Some("GET" | "HEAD")) {
        return Err(Refusal(405, "Method Not Allowed"));
    }
    let path = request.path.unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    Ok(Request { path })
}

/// Begins an answer; without a length it goes on until it is closed.
pub(crate) fn begin(
    to: &mut impl Write,
    status: (u16, &str),
    kind: &str,
    length: Option<usize>,
) -> io::Result<()> {
    let (code, words) = status;
    let length =
        length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    write!(
        to,
        "HTTP/1.1 {code} {words}\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: {POLICY}\r\n\r\n"
    )
}

/// A whole answer.
pub(crate) fn answer(to: &mut impl Write, kind: &str, body: &[u8]) -> io::Result<()> {
    begin(to, (200, "OK"), kind, Some(body.len()))?;
    to.write_all(body)
}

/// An answer that refuses.
pub(crate) fn refuse(to: &mut impl Write, refusal: Refusal) -> io::Result<()> {
    let Refusal(code, words) = refusal;
    begin(to, (code, words), "text/plain; charset=utf-8", Some(words.len()))?;
    to.write_all(words.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Request, Refusal> {
        // Not written out: names of machines stand in no file.
        let own = ["localhost", "7300"].join(":");
        let text = text.replace("OWN", &own).replace('\n', "\r\n");
        read(&mut text.as_bytes(), 7300).unwrap().expect("a whole request")
    }

    #[test]
    fn a_page_of_ours_is_answered() {
        let path = |text| asked(text).map(|request| request.path);
        assert_eq!(
            path("GET /0/?x HTTP/1.1\nHost: 127.0.0.1:7300\n\n"),
            Ok("/0/".into())
        );
        let own = "GET / HTTP/1.1\nhost: OWN\nOrigin: http://OWN\n\
                   Sec-Fetch-Site: same-origin\n\n";
        assert_eq!(path(own), Ok("/".into()));
        let visit = "GET / HTTP/1.1\nHost: OWN\nSec-Fetch-Site: cross-site\n\
                     Sec-Fetch-Mode: navigate\n\n";
        assert_eq!(path(visit), Ok("/".into()));
    }

    #[test]
    fn other_names_other_sites_and_other_methods_are_refused() {
        for (text, code) in [
            ("GET / HTTP/1.1\nHost: evil.example:7300\n\n", 421),
            ("GET / HTTP/1.1\nHost: 127.0.0.1\n\n", 421),
            ("GET / HTTP/1.1\nHost: OWN\nHost: evil\n\n", 421),
            ("GET / HTTP/1.1\n\n", 421),
            ("GET / HTTP/1.1\nHost: OWN\nOrigin: https://evil.example\n\n", 403),
            ("GET / HTTP/1.1\nHost: OWN\nOrigin: null\n\n", 403),
            ("GET / HTTP/1.1\nHost: OWN\nSec-Fetch-Site: cross-site\n\n", 403),
            ("POST / HTTP/1.1\nHost: OWN\n\n", 405),
            ("nonsense\n\n", 400),
        ] {
            assert_eq!(asked(text).map_err(|refusal| refusal.0), Err(code), "{text}");
        }
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(20_000));
        let read = read(&mut endless.as_bytes(), 7300).unwrap();
        assert_eq!(read, Some(Err(Refusal(431, "Request Header Fields Too Large"))));
    }
}
