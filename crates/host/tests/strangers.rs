//! Whatever comes in on a port ends, at worst, its own connection; and a cluster that is ended
//! begins again where it was.
// The rim, as the crate itself.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, MetadataResponse,
    RequestHeader, ResponseHeader, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use topomotion_host::{
    Durability, HostConfig, HostError, Mechanism, Sasl, Security, Storage, serve,
};

/// How a cluster ended, and the lines that it said.
type End = (Result<(), HostError>, Vec<String>);

/// A cluster on a thread of its own.
struct Cluster {
    addresses: Vec<SocketAddr>,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<End>>,
}

impl Cluster {
    fn start(brokers: u16, storage: Storage) -> Cluster {
        Cluster::guarded(brokers, storage, Security::default())
    }

    fn guarded(brokers: u16, storage: Storage, security: Security) -> Cluster {
        let (stop, stopped) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let config = HostConfig {
                brokers,
                port: 0,
                control: None,
                schema_registry: None,
                storage,
                durability: Durability::PageCache,
                security,
                settings: HostConfig::settings_for(brokers),
            };
            let until = move || {
                Ok(async move {
                    while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                })
            };
            let lines: Rc<RefCell<Vec<String>>> = Rc::default();
            let say = lines.clone();
            let ready = |ready: &topomotion_host::Ready| {
                tell.send(ready.addresses.clone()).expect("the test waits");
            };
            let outcome = serve(&config, until, ready, move |line| {
                say.borrow_mut().push(line.into());
            });
            (outcome, lines.take())
        });
        let addresses = told.recv_timeout(Duration::from_secs(20)).expect("it is ready");
        Cluster { addresses, stop, thread: Some(thread) }
    }

    fn dial(&self, broker: usize) -> TcpStream {
        let stream = TcpStream::connect(self.addresses[broker]).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        stream
    }

    /// Ends it as it should be ended; what it said.
    fn end(mut self) -> Vec<String> {
        let _ = self.stop.send(());
        let thread = self.thread.take().expect("ended once");
        let (outcome, lines) = thread.join().expect("no panic");
        outcome.expect("a clean end");
        lines
    }
}

fn frame(key: ApiKey, version: i16, body: &impl Encodable) -> Vec<u8> {
    let header = RequestHeader::default()
        .with_request_api_key(key as i16)
        .with_request_api_version(version)
        .with_correlation_id(7)
        .with_client_id(Some(StrBytes::from_static_str("test")));
    let mut bytes = Vec::new();
    header.encode(&mut bytes, key.request_header_version(version)).expect("a header");
    body.encode(&mut bytes, version).expect("a body");
    let mut frame = u32::try_from(bytes.len()).expect("short").to_be_bytes().to_vec();
    frame.append(&mut bytes);
    frame
}

fn answer(stream: &mut impl Read) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("an answer");
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes).expect("all of it");
    bytes
}

fn metadata(stream: &mut (impl Read + Write)) -> MetadataResponse {
    let request = MetadataRequest::default();
    stream.write_all(&frame(ApiKey::Metadata, 12, &request)).expect("it reads");
    let bytes = answer(stream);
    let mut rest = &bytes[..];
    let header = ResponseHeader::decode(&mut rest, 1).expect("a header");
    assert_eq!(header.correlation_id, 7);
    MetadataResponse::decode(&mut rest, 12).expect("an answer")
}

fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_))
}

#[test]
fn strangers_are_shown_the_door_and_nobody_else_notices() {
    let cluster = Cluster::start(1, Storage::Memory);
    let mut client = cluster.dial(0);
    assert_eq!(metadata(&mut client).brokers.len(), 1);
    let noises: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
        &[0xff, 0xff, 0xff, 0xff, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff, 0, 0],
        &[0, 0, 0, 2, 0, 18],
        &[0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
        &[0, 0, 0, 14, 0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xff, 0, 0xff, 0xff, 0x7f],
    ];
    for noise in noises {
        let mut stranger = cluster.dial(0);
        stranger.write_all(noise).expect("it reads");
        assert!(is_closed(&mut stranger), "{noise:?}");
        assert_eq!(metadata(&mut client).brokers.len(), 1, "after {noise:?}");
    }
    let lines = cluster.end();
    assert_eq!(lines.len(), noises.len(), "{lines:?}");
    let told =
        ["HTTP", "TLS", "-1 bytes", "2147483647 bytes", "2 bytes", "32512", "parse"];
    for (line, word) in lines.iter().zip(told) {
        assert!(line.starts_with("broker 1: closed 127.0.0.1:"), "{line}");
        assert!(line.contains(word), "{line} says nothing of {word}");
    }
}

#[test]
fn a_client_of_the_future_is_told_what_it_may_ask() {
    let cluster = Cluster::start(1, Storage::Memory);
    let mut client = cluster.dial(0);
    let mut future = frame(ApiKey::ApiVersions, 3, &ApiVersionsRequest::default());
    future[7] = 99;
    client.write_all(&future).expect("it reads");
    let bytes = answer(&mut client);
    let mut rest = &bytes[..];
    ResponseHeader::decode(&mut rest, 0).expect("a header without tags");
    let told = ApiVersionsResponse::decode(&mut rest, 0).expect("version 0");
    assert_eq!(told.error_code, 35);
    let range = |key: ApiKey| {
        let found = told.api_keys.iter().find(|it| it.api_key == key as i16);
        found.map(|it| (it.min_version, it.max_version))
    };
    assert_eq!(range(ApiKey::ApiVersions), Some((0, 4)));
    assert_eq!(range(ApiKey::Produce), Some((0, 13)));
    assert_eq!(range(ApiKey::GetTelemetrySubscriptions), None, "not offered, not asked");
    assert_eq!(metadata(&mut client).brokers.len(), 1, "the connection goes on");
    cluster.end();
}

#[test]
fn who_stops_in_the_middle_of_a_frame_waits_alone() {
    let cluster = Cluster::start(1, Storage::Memory);
    let stalled: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = cluster.dial(0);
            stream.write_all(&[0, 4, 0, 0, 0, 3]).expect("it reads");
            stream
        })
        .collect();
    let mut client = cluster.dial(0);
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(metadata(&mut client).brokers.len(), 1);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(stalled);
    assert!(cluster.end().is_empty(), "whoever hangs up is no stranger");
}

#[test]
fn many_questions_at_once_are_answered_in_their_order() {
    let cluster = Cluster::start(1, Storage::Memory);
    let mut client = cluster.dial(0);
    let mut all = Vec::new();
    for correlation in 0..500_u32 {
        let mut one = frame(ApiKey::Metadata, 12, &MetadataRequest::default());
        one[8..12].copy_from_slice(&correlation.to_be_bytes());
        all.append(&mut one);
    }
    client.write_all(&all).expect("it reads");
    for correlation in 0..500_u32 {
        let bytes = answer(&mut client);
        assert_eq!(bytes[..4], correlation.to_be_bytes());
    }
    cluster.end();
}

#[test]
fn a_cluster_on_disk_comes_back_with_its_registrations() {
    let own = format!("topomotion-host-{}", std::process::id());
    let folder: PathBuf = std::env::temp_dir().join(own);
    let _ = std::fs::remove_dir_all(&folder);
    for _ in 0..3 {
        let cluster = Cluster::start(3, Storage::Directory(folder.clone()));
        let found = metadata(&mut cluster.dial(1));
        let ids: Vec<i32> = found.brokers.iter().map(|it| it.node_id.0).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(found.cluster_id.as_deref(), Some("topomotion"));
        assert_eq!(cluster.end(), Vec::<String>::new());
        assert!(folder.join("broker-2/.kafka_cleanshutdown").exists());
    }
    let log = "__cluster_metadata-0/00000000000000000000.log";
    let path = folder.join("broker-2").join(log);
    let good = std::fs::metadata(&path).expect("it is there").len();
    let mut file = std::fs::File::options().append(true).open(&path).expect("ours");
    file.write_all(b"half a batch, and not even that").expect("there is room");
    let told = Cluster::start(3, Storage::Directory(folder.clone())).end();
    let damage =
        format!("broker 2: {log} is damaged behind byte {good}; it was cut there");
    assert_eq!(told, [damage]);
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn a_node_that_has_forgotten_how_it_voted_does_not_run() {
    let own = format!("topomotion-host-votes-{}", std::process::id());
    let folder: PathBuf = std::env::temp_dir().join(own);
    let _ = std::fs::remove_dir_all(&folder);
    let _ = Cluster::start(1, Storage::Directory(folder.clone())).end();
    let votes = folder.join("broker-1/__cluster_metadata-0/quorum-state");
    std::fs::write(votes, "nonsense").expect("ours");
    let mut config = config_at(0);
    config.storage = Storage::Directory(folder.clone());
    let never = || Ok(poll_fn(|_| std::task::Poll::<()>::Pending));
    let refused = serve(&config, never, |_| panic!("not ready"), |_| {});
    let error = refused.expect_err("its state is damaged");
    let told = "broker 1 stops: __cluster_metadata-0/quorum-state is damaged";
    assert_eq!(error.to_string(), told);
    assert!(error.help().is_some_and(|help| help.starts_with("put back a copy")));
    std::fs::remove_dir_all(&folder).expect("it is there");
}

/// One broker in memory, at this port.
fn config_at(port: u16) -> HostConfig {
    HostConfig {
        brokers: 1,
        port,
        control: None,
        schema_registry: None,
        storage: Storage::Memory,
        durability: Durability::PageCache,
        security: Security::default(),
        settings: HostConfig::settings_for(1),
    }
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("any port");
    let port = taken.local_addr().expect("bound").port();
    let config = config_at(port);
    let never = || Ok(poll_fn(|_| std::task::Poll::<()>::Pending));
    let refused = serve(&config, never, |_| panic!("not ready"), |_| {});
    let error = refused.expect_err("the port is taken");
    assert_eq!(error.to_string(), format!("127.0.0.1:{port} is in use"));
    assert!(error.help().is_some_and(|help| help.contains("--port")));
}

fn with_alice() -> Security {
    let users = vec!["alice:secret".parse().expect("a user")];
    let mechanisms = Mechanism::ALL.to_vec();
    Security { sasl: Some(Sasl { users, mechanisms }), ..Security::default() }
}

/// Logs in as the oldest clients do: tokens without a header.
fn log_in(stream: &mut (impl Read + Write), token: &[u8]) {
    let request = SaslHandshakeRequest::default()
        .with_mechanism(StrBytes::from_static_str("PLAIN"));
    stream.write_all(&frame(ApiKey::SaslHandshake, 0, &request)).expect("it reads");
    let bytes = answer(stream);
    let mut rest = &bytes[4..];
    let agreed = SaslHandshakeResponse::decode(&mut rest, 0).expect("an answer");
    assert_eq!(agreed.error_code, 0);
    let length = u32::try_from(token.len()).expect("short").to_be_bytes();
    stream.write_all(&[&length, token].concat()).expect("it reads");
}

#[test]
fn the_oldest_way_to_log_in_leads_in_and_a_wrong_password_out() {
    let cluster = Cluster::guarded(1, Storage::Memory, with_alice());
    let mut client = cluster.dial(0);
    log_in(&mut client, b"\0alice\0secret");
    assert_eq!(answer(&mut client), b"");
    assert_eq!(metadata(&mut client).brokers.len(), 1);
    let mut guesser = cluster.dial(0);
    log_in(&mut guesser, b"\0alice\0guess");
    assert!(is_closed(&mut guesser));
    let mut early = cluster.dial(0);
    early
        .write_all(&frame(ApiKey::Metadata, 12, &MetadataRequest::default()))
        .expect("it reads");
    assert!(is_closed(&mut early));
    let mut greedy = cluster.dial(0);
    greedy.write_all(&[0, 0x10, 0, 0]).expect("it reads");
    assert!(is_closed(&mut greedy), "a megabyte before the log-in");
    assert_eq!(metadata(&mut client).brokers.len(), 1, "the others go on");
    let lines = cluster.end();
    for (line, word) in lines.iter().zip(["\"alice\"", "wants SASL", "1048576 bytes"]) {
        assert!(line.contains(word), "{line} says nothing of {word}");
        assert!(!line.contains("guess"), "{line}");
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[cfg(feature = "tls")]
mod tls {
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
    use topomotion_host::Tls;

    use super::*;

    fn pem(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
    }

    fn listener() -> Tls {
        Tls::read(&pem("certificate.pem"), &pem("key.pem")).expect("they are there")
    }

    fn secretly(stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_file(pem("certificate.pem")).expect("PEM");
        roots.add(own).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "127.0.0.1".try_into().expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        StreamOwned::new(session, stream)
    }

    #[test]
    fn whoever_speaks_tls_is_served_and_logs_in_through_it() {
        let security = Security { tls: Some(listener()), ..with_alice() };
        let cluster = Cluster::guarded(1, Storage::Memory, security);
        let mut client = secretly(cluster.dial(0));
        log_in(&mut client, b"\0alice\0secret");
        assert_eq!(answer(&mut client), b"");
        for _ in 0..3 {
            assert_eq!(metadata(&mut client).brokers.len(), 1);
        }
        assert_eq!(cluster.end(), Vec::<String>::new());
    }

    #[test]
    fn more_than_any_buffer_holds_goes_through() {
        let security = Security { tls: Some(listener()), ..Security::default() };
        let cluster = Cluster::guarded(1, Storage::Memory, security);
        let mut client = secretly(cluster.dial(0));
        let request = frame(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default());
        client.write_all(&request).expect("it reads");
        let first = answer(&mut client).len();
        // Megabytes of answers that are not read before all is asked: what is asked has to fit
        // into the sockets' own buffers.
        const MANY: usize = 5_000;
        client.write_all(&request.repeat(MANY)).expect("it reads");
        for _ in 0..MANY {
            assert_eq!(answer(&mut client).len(), first);
        }
        assert_eq!(cluster.end(), Vec::<String>::new());
    }

    #[test]
    fn whoever_does_not_speak_tls_is_shown_the_door() {
        let security = Security { tls: Some(listener()), ..Security::default() };
        let cluster = Cluster::guarded(1, Storage::Memory, security);
        let mut client = secretly(cluster.dial(0));
        assert_eq!(metadata(&mut client).brokers.len(), 1);
        let mut plain = cluster.dial(0);
        let request = frame(ApiKey::Metadata, 12, &MetadataRequest::default());
        plain.write_all(&request).expect("it reads");
        while !is_closed(&mut plain) {}
        assert_eq!(metadata(&mut client).brokers.len(), 1);
        let lines = cluster.end();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("this listener is TLS"), "{lines:?}");
    }

    #[test]
    fn files_that_hold_no_certificate_are_told() {
        let refused = Tls::read(&pem("key.pem"), &pem("key.pem"));
        let told = refused.expect_err("it is no certificate").to_string();
        assert!(told.contains("key.pem"), "{told}");
        assert!(Tls::read(&pem("certificate.pem"), &pem("nowhere.pem")).is_err());
    }
}
