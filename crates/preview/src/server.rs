//! Answers the pages on this machine.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::board::{Board, Sheet};
use crate::http::{self, Refusal, Request};
use crate::playground::{self, Form, Made, Playground};

/// Pages at a time; more are turned away.
const CALLERS_MAX: usize = 64;

/// Who asks nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a silent stream of events says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A board, shown on the loopback interface.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    port: u16,
    board: Arc<Board>,
    playground: Option<Arc<Playground>>,
}

impl Server {
    /// Takes a port of 127.0.0.1; 0 takes any that is free.
    ///
    /// # Errors
    /// If the port is taken, or this program may not have it.
    pub fn new(port: u16, board: Arc<Board>) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        Ok(Server { listener, port, board, playground: None })
    }

    /// The same with a page on which scripts are written, in the place of its first page.
    #[must_use]
    pub fn with_playground(self, playground: Playground) -> Server {
        Server { playground: Some(Arc::new(playground)), ..self }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Answers for ever, each caller on a thread of its own.
    pub fn run(&self) {
        let callers = Arc::new(AtomicUsize::new(0));
        for stream in self.listener.incoming() {
            // A caller that is gone before it is answered is no reason to stop.
            let Ok(stream) = stream else { continue };
            let (board, port, count) =
                (Arc::clone(&self.board), self.port, Arc::clone(&callers));
            if callers.fetch_add(1, Ordering::Relaxed) >= CALLERS_MAX {
                callers.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let playground = self.playground.clone();
            let serve = move || {
                // Whoever hung up while being answered has its reasons.
                let _ = serve(stream, &board, playground.as_deref(), port);
                count.fetch_sub(1, Ordering::Relaxed);
            };
            let thread = std::thread::Builder::new().name("preview".into()).spawn(serve);
            if thread.is_err() {
                callers.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

fn serve(
    mut stream: TcpStream,
    board: &Board,
    playground: Option<&Playground>,
    port: u16,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    match http::read(&mut stream, port)? {
        None => Ok(()),
        Some(Err(refusal)) => http::refuse(&mut stream, refusal),
        Some(Ok(request)) => match playground {
            Some(playground) => play(&mut stream, request, board, playground),
            None => respond(&mut stream, &request, board),
        },
    }
}

/// Answers the page on which scripts are written; what it does not know, the board may.
fn play(
    stream: &mut TcpStream,
    mut request: Request,
    board: &Board,
    playground: &Playground,
) -> io::Result<()> {
    let (kind, text): (&str, &str) = match request.path.as_str() {
        "/compile" => {
            let Some(script) = request.body.take() else {
                return http::refuse(stream, Refusal(405, "Method Not Allowed"));
            };
            return compile(stream, &request.query, script, playground);
        }
        "/" => {
            // As it lies there, the page compiles by itself.
            let page = include_str!("../../../web/dist/playground/index.html");
            let page =
                page.replacen(r#"data-compiler="page""#, r#"data-compiler="server""#, 1);
            return http::editor(stream, &page);
        }
        "/playground.js" => {
            (SCRIPT, include_str!("../../../web/dist/playground/playground.js"))
        }
        "/playground.css" => {
            (STYLE, include_str!("../../../web/dist/playground/playground.css"))
        }
        "/licences.txt" => {
            (TEXT, include_str!("../../../web/dist/playground/licences.txt"))
        }
        "/topomotion.d.ts" => (TEXT, &playground.types),
        "/examples.json" => ("application/json", &playground.examples),
        _ => return respond(stream, &request, board),
    };
    http::answer(stream, kind, text.as_bytes())
}

fn compile(
    stream: &mut TcpStream,
    query: &str,
    script: Vec<u8>,
    playground: &Playground,
) -> io::Result<()> {
    let Some(order) = playground::order(query, script) else {
        return http::refuse(stream, Refusal(400, "Bad Request"));
    };
    match (playground.make(&order), order.form) {
        (Err(why), _) => http::complain(stream, &why),
        (Ok(Made { bytes, told }), Form::Bundle) => {
            // The bundle is JSON already.
            let told = serde_json::Value::String(told).to_string();
            let mut body = format!("{{\"told\":{told},\"bundle\":").into_bytes();
            body.extend(bytes);
            body.push(b'}');
            http::answer(stream, order.form.kind(), &body)
        }
        (Ok(made), form) => http::answer(stream, form.kind(), &made.bytes),
    }
}

fn respond(stream: &mut TcpStream, request: &Request, board: &Board) -> io::Result<()> {
    if request.body.is_some() {
        return http::refuse(stream, Refusal(405, "Method Not Allowed"));
    }
    let names = board.names();
    let fixed: Option<(&str, &str)> = match request.path.as_str() {
        "/player.js" | "/topomotion-viewer.js" => {
            Some((SCRIPT, topomotion_viewer::player()))
        }
        "/page.js" => Some((SCRIPT, include_str!("page.js"))),
        "/page.css" => Some((STYLE, include_str!("page.css"))),
        "/" if names.len() != 1 => None,
        "/" => Some((HTML, include_str!("page.html"))),
        _ => None,
    };
    if let Some((kind, text)) = fixed {
        return http::answer(stream, kind, text.as_bytes());
    }
    if request.path == "/" {
        return http::answer(stream, HTML, index(&names).as_bytes());
    }
    if request.path == "/topomotion-live.wasm.gz" {
        return http::answer(stream, "application/gzip", topomotion_viewer::engine());
    }
    // `/3/`, `/3/picture`, `/3/events`; of a single script also `/picture`, `/events`.
    let path = request.path.trim_start_matches('/');
    let (number, part) = path.split_once('/').unwrap_or(("0", path));
    let found =
        number.parse().ok().and_then(|number| Some((number, board.sheet(number)?)));
    let Some((script, sheet)) = found else {
        return http::refuse(stream, Refusal(404, "Not Found"));
    };
    match (part, sheet.picture) {
        ("", _) => http::answer(stream, HTML, include_str!("page.html").as_bytes()),
        ("picture", Some(picture)) => {
            http::answer(stream, "application/json", picture.as_bytes())
        }
        ("events", _) => events(stream, board, script),
        _ => http::refuse(stream, Refusal(404, "Not Found")),
    }
}

/// Tells how things are, and then every change.
fn events(stream: &mut TcpStream, board: &Board, script: usize) -> io::Result<()> {
    http::begin(stream, (200, "OK"), "text/event-stream; charset=utf-8", None)?;
    let mut told = 0;
    loop {
        match board.later(script, told, HEARTBEAT) {
            Some(sheet) => {
                told = sheet.version;
                write!(stream, "data: {}\n\n", state(&sheet))?;
            }
            // Fails where nobody listens any more.
            None => stream.write_all(b":\n\n")?,
        }
    }
}

/// JSON without line feeds.
fn state(sheet: &Sheet) -> String {
    serde_json::json!({
        "name": sheet.name, "drawn": sheet.drawn, "mistake": sheet.mistake.as_deref(),
    })
    .to_string()
}

fn index(names: &[String]) -> String {
    let entries = names.iter().enumerate().map(|(number, name)| {
        let name = name.replace('&', "&amp;").replace('<', "&lt;");
        format!("<li><a href=\"/{number}/\">{name}</a></li>\n")
    });
    let entries: String = entries.collect();
    include_str!("index.html").replace("{{entries}}", &entries)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn ask(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", server.port)
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_board_is_served_and_nothing_else() {
        let names = ["a.ts".to_owned(), "<b>.ts".to_owned()];
        let board = Arc::new(Board::new(names));
        board.publish(1, Ok("{\"a\":1}".into()));
        let server = Arc::new(Server::new(0, Arc::clone(&board)).unwrap());
        let runs = Arc::clone(&server);
        std::thread::spawn(move || runs.run());
        assert!(ask(&server, "/").contains("<a href=\"/1/\">&lt;b>.ts</a>"));
        assert!(ask(&server, "/1/").contains("<topomotion-viewer"));
        assert!(ask(&server, "/1/picture").ends_with("{\"a\":1}"));
        assert!(ask(&server, "/player.js").contains("topomotion-viewer"));
        for path in ["/0/picture", "/2/", "/../Cargo.toml", "/%2e%2e/x", "/x/", "/1/x"] {
            assert!(ask(&server, path).starts_with("HTTP/1.1 404"), "{path}");
        }
    }

    #[test]
    fn the_playground_compiles_for_its_own_page_alone() {
        let compile = |order: &playground::Order| match &*order.script {
            b"good" => Ok(Made { bytes: b"{}".to_vec(), told: "a \"warning\"".into() }),
            _ => Err("<stdin>:1:2: error[x]: no".to_owned()),
        };
        let examples = [["a", "An example", "good"]];
        let own = Playground::new(Box::new(compile), "types".into(), &examples);
        let board = Arc::new(Board::new([]));
        let server = Server::new(0, Arc::clone(&board)).unwrap().with_playground(own);
        let server = Arc::new(server);
        let runs = Arc::clone(&server);
        std::thread::spawn(move || runs.run());
        let send = |origin: &str, query: &str, script: &str| {
            let mut stream =
                TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
            let (port, length) = (server.port, script.len());
            write!(
                stream,
                "POST /compile{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
                 Origin: {origin}\r\nContent-Length: {length}\r\n\r\n{script}"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let home = format!("http://127.0.0.1:{}", server.port);
        let good = send(&home, "?form=bundle", "good");
        assert!(
            good.ends_with("{\"told\":\"a \\\"warning\\\"\",\"bundle\":{}}"),
            "{good}"
        );
        let bad = send(&home, "", "bad");
        assert!(
            bad.starts_with("HTTP/1.1 422") && bad.ends_with("error[x]: no"),
            "{bad}"
        );
        assert!(send(&home, "?form=exe", "good").starts_with("HTTP/1.1 400"));
        assert!(send("https://evil.example", "", "good").starts_with("HTTP/1.1 403"));
        assert!(ask(&server, "/compile").starts_with("HTTP/1.1 405"));
        let page = ask(&server, "/");
        assert!(
            page.contains("playground") && page.contains(r#"data-compiler="server""#)
        );
        assert!(ask(&server, "/topomotion-viewer.js").contains("topomotion-viewer"));
        assert!(ask(&server, "/topomotion.d.ts").ends_with("types"));
        assert!(ask(&server, "/examples.json").contains("An example"));
    }

    #[test]
    fn states_are_one_line_each() {
        let board = Board::new(["a.ts".to_owned()]);
        board.publish(0, Err("one\ntwo".into()));
        let text = state(&board.sheet(0).unwrap());
        assert!(!text.contains('\n') && text.contains("one\\ntwo"));
    }
}
