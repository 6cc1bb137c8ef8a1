//! `topomotion broker status`, `crash` and the like: what is said to a cluster that is served.
//!
//! The cluster leaves a note with its control port and token where only its user can read it;
//! a program that `topomotion record` runs has it in its environment.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use topomotion_host::Control;

use crate::args::{BrokerOrder, OneBroker};
use crate::failure::Failure;
use crate::terminal::print;

/// What a program that is recorded finds the control port by.
const ENVIRONMENT: &str = "TOPOMOTION_CONTROL";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says it, and shows how the cluster stands then.
pub(super) fn obey(order: &BrokerOrder) -> Result<(), Failure> {
    let (method, path, port) = match order {
        BrokerOrder::Status(served) => ("GET", "/status".to_owned(), served.port),
        BrokerOrder::Crash(it) => hurt("crash", it),
        BrokerOrder::Restart(it) => hurt("restart", it),
        BrokerOrder::Pause(it) => hurt("pause", it),
        BrokerOrder::Resume(it) => hurt("resume", it),
        BrokerOrder::Partition(it) => hurt("partition", it),
        BrokerOrder::Heal(it) => hurt("heal", it),
    };
    let word = match std::env::var(ENVIRONMENT) {
        Ok(word) => word,
        Err(_) => note(port)
            .and_then(|path| fs::read_to_string(path).ok())
            .ok_or_else(|| nobody(port))?,
    };
    let (status, body) = ask(word.trim(), method, &path).map_err(|_| nobody(port))?;
    let told: Value = serde_json::from_str(&body).unwrap_or_default();
    if status != 200 {
        let why = told["error"].as_str().unwrap_or("the control port refuses");
        return Err(Failure::message(why));
    }
    print(&table(&told))
}

fn hurt(deed: &str, one: &OneBroker) -> (&'static str, String, u16) {
    ("POST", format!("/brokers/{}/{deed}", one.broker), one.served.port)
}

fn nobody(port: u16) -> Failure {
    Failure::message(format!(
        "no cluster of yours is served with a broker 1 at port {port}"
    ))
    .help("start one with `topomotion broker`, or name its first port with --port")
}

/// The brokers, one a line.
fn table(told: &Value) -> String {
    let mut text =
        String::from("broker  address          state     leads  replicas  clients\n");
    for it in told["brokers"].as_array().into_iter().flatten() {
        let number = |name: &str| it[name].as_u64().unwrap_or(0);
        let is = |name: &str| it[name].as_bool() == Some(true);
        let words = |name: &str| it[name].as_str().unwrap_or("?").to_owned();
        let line = format!(
            "{:<6}  {:<15}  {:<8}  {:>5}  {:>8}  {:>7}{}{}",
            number("id"),
            words("address"),
            words("state"),
            number("leads"),
            number("replicas"),
            number("clients"),
            if is("controller") { "  active controller" } else { "" },
            if is("partitioned") { "  cut off" } else { "" },
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// One request to a control port, `http://ADDRESS#TOKEN`.
fn ask(word: &str, method: &str, path: &str) -> io::Result<(u16, String)> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "no control port");
    let place = word.strip_prefix("http://").and_then(|it| it.split_once('#'));
    let (address, token) = place.ok_or_else(strange)?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(strange)?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Ok((status.ok_or_else(strange)?, body.to_owned()))
}

/// Where the note of the cluster with this first port is.
fn note(port: u16) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty());
    let folder = match set("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME")?).join(".cache"),
    };
    Some(folder.join("topomotion").join(format!("broker-{port}")))
}

/// Leaves the note. None: this machine has no place for it.
///
/// # Errors
/// The system's.
pub(super) fn leave(port: u16, control: &Control) -> io::Result<Option<PathBuf>> {
    let Some(path) = note(port) else { return Ok(None) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let _ = fs::remove_file(&path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?.write_all(control.word().as_bytes())?;
    Ok(Some(path))
}

/// Takes it away.
pub(super) fn clear(note: &Path) {
    // If it is gone already, so be it.
    let _ = fs::remove_file(note);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_are_a_table() {
        let told = serde_json::json!({"brokers": [{
            "id": 2, "address": "127.0.0.1:9093", "state": "crashed", "partitioned": true,
            "controller": false, "leads": 0, "replicas": 0, "clients": 0,
        }]});
        let text = table(&told);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("127.0.0.1:9093") && text.ends_with("cut off\n"), "{text}");
    }
}
