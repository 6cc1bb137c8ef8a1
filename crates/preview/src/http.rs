//! As much of HTTP as a page on the same machine needs: short GETs, and POSTs of a script, read
//! with limits.

use std::io::{self, Read, Write};

/// No request is longer than this.
const HEAD_MAX: usize = 16 << 10;

/// No script that is sent is longer than this.
const BODY_MAX: usize = 1 << 20;

/// What every answer forbids: anything from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
form-action 'none'; frame-ancestors 'none'";

/// What the page with an editor is allowed beside: the editor sets `style` on its own elements.
/// Style sheets still come from here alone.
const EDITOR: &str = "; style-src-attr 'unsafe-inline'";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Without what follows `?`.
    pub path: String,
    /// What follows it.
    pub query: String,
    /// What was sent, if something was: a POST.
    pub body: Option<Vec<u8>>,
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
            Ok(httparse::Status::Complete(length)) => {
                let (judged, size) = (judge(&request, port), size(&request));
                let Ok(mut asked) = judged else { return Ok(Some(judged)) };
                if asked.body.is_some() {
                    let size = match size {
                        Ok(size) => size,
                        Err(refusal) => return Ok(Some(Err(refusal))),
                    };
                    let body = body(from, head.split_off(length), size)?;
                    let Some(body) = body else { return Ok(None) };
                    asked.body = Some(body);
                }
                return Ok(Some(Ok(asked)));
            }
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
    let body = match request.method {
        Some("GET" | "HEAD") => None,
        // Only a page of ours sends something; a browser always says whose page it is.
        Some("POST") if !is_foreign && !values("origin").is_empty() => Some(Vec::new()),
        Some("POST") => return Err(Refusal(403, "Forbidden")),
        _ => return Err(Refusal(405, "Method Not Allowed")),
    };
    let path = request.path.unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Ok(Request { path: path.to_owned(), query: query.to_owned(), body })
}

/// How much is sent.
fn size(request: &httparse::Request<'_, '_>) -> Result<usize, Refusal> {
    let named = |name: &str| {
        let own = request.headers.iter();
        let mut own = own.filter(|header| header.name.eq_ignore_ascii_case(name));
        (own.next().map(|header| header.value), own.next().is_none())
    };
    let (Some(length), true) = named("content-length") else {
        return Err(Refusal(411, "Length Required"));
    };
    if named("transfer-encoding").0.is_some() {
        return Err(Refusal(400, "Bad Request"));
    }
    let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
    match length {
        Some(length) if length <= BODY_MAX => Ok(length),
        Some(_) => Err(Refusal(413, "Content Too Large")),
        None => Err(Refusal(400, "Bad Request")),
    }
}

/// What is sent, of which this is the beginning. `None` if it ends before its length.
fn body(
    from: &mut impl Read,
    mut body: Vec<u8>,
    length: usize,
) -> io::Result<Option<Vec<u8>>> {
    body.truncate(length);
    let left = u64::try_from(length - body.len()).unwrap_or(u64::MAX);
    from.take(left).read_to_end(&mut body)?;
    Ok((body.len() == length).then_some(body))
}

/// Begins an answer; without a length it goes on until it is closed.
pub(crate) fn begin(
    to: &mut impl Write,
    status: (u16, &str),
    kind: &str,
    length: Option<usize>,
) -> io::Result<()> {
    head(to, status, kind, length, "")
}

fn head(
    to: &mut impl Write,
    (code, words): (u16, &str),
    kind: &str,
    length: Option<usize>,
    allowed: &str,
) -> io::Result<()> {
    let length =
        length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    write!(
        to,
        "HTTP/1.1 {code} {words}\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: {POLICY}{allowed}\r\n\r\n"
    )
}

/// The page with an editor.
pub(crate) fn editor(to: &mut impl Write, page: &str) -> io::Result<()> {
    head(to, (200, "OK"), "text/html; charset=utf-8", Some(page.len()), EDITOR)?;
    to.write_all(page.as_bytes())
}

/// A whole answer.
pub(crate) fn answer(to: &mut impl Write, kind: &str, body: &[u8]) -> io::Result<()> {
    begin(to, (200, "OK"), kind, Some(body.len()))?;
    to.write_all(body)
}

/// An answer that says what is wrong with what was sent.
pub(crate) fn complain(to: &mut impl Write, words: &str) -> io::Result<()> {
    let status = (422, "Unprocessable Content");
    begin(to, status, "text/plain; charset=utf-8", Some(words.len()))?;
    to.write_all(words.as_bytes())
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
    fn what_a_page_of_ours_sends_is_read_whole() {
        let post = "POST /compile?form=svg HTTP/1.1\nHost: OWN\nOrigin: http://OWN\n\
                    Sec-Fetch-Site: same-origin\nContent-Length: 5\n\nhello and more";
        let request = asked(post).unwrap();
        assert_eq!((&*request.path, &*request.query), ("/compile", "form=svg"));
        assert_eq!(request.body.as_deref(), Some(&b"hello"[..]));
        let own = ["localhost", "7300"].join(":");
        let cut = format!(
            "POST / HTTP/1.1\r\nHost: {own}\r\nOrigin: http://{own}\r\n\
             Content-Length: 9\r\n\r\nhello"
        );
        assert_eq!(read(&mut cut.as_bytes(), 7300).unwrap(), None);
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
            ("PUT / HTTP/1.1\nHost: OWN\n\n", 405),
            ("POST / HTTP/1.1\nHost: OWN\nContent-Length: 1\n\nx", 403),
            ("POST / HTTP/1.1\nHost: OWN\nOrigin: null\nContent-Length: 1\n\nx", 403),
            ("POST / HTTP/1.1\nHost: OWN\nOrigin: http://OWN\n\n", 411),
            (
                "POST / HTTP/1.1\nHost: OWN\nOrigin: http://OWN\nContent-Length: 9999999\n\n",
                413,
            ),
            (
                "POST / HTTP/1.1\nHost: OWN\nOrigin: http://OWN\nSec-Fetch-Site: same-site\n\
                 Content-Length: 1\n\nx",
                403,
            ),
            ("nonsense\n\n", 400),
        ] {
            assert_eq!(asked(text).map_err(|refusal| refusal.0), Err(code), "{text}");
        }
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(20_000));
        let read = read(&mut endless.as_bytes(), 7300).unwrap();
        assert_eq!(read, Some(Err(Refusal(431, "Request Header Fields Too Large"))));
    }
}
