//! The listeners, one for each broker that is known, and the watcher behind them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};
use topomotion_broker::frames::{overhear_response, write_request};
use topomotion_wire::messages::{ApiKey, MetadataRequest, ResponseKind};
use topomotion_wire::{CorrelationId, Message, Request};

use super::frame::{End, Frames, LENGTH};
use super::line;
use super::rewrite::Address;
use crate::clock::Clock;
use crate::connection::hint;
use crate::error::HostError;
use crate::secrets::without_secrets;
use crate::watch::{Parcel, Saying, Watch};

/// How long a broker may take to take a connection, or to tell who its fellows are.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer.
pub(super) const ANSWER_MAX: usize = 1 << 30;
/// What is asked first: Metadata in a version that every broker since 0.11 and every one of
/// 4.x serves, about no topic.
const METADATA: i16 = 4;
/// What a broker is called whose id is not known yet.
const UNKNOWN: &str = "bootstrap";
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener, and the broker that is behind it.
#[derive(Debug)]
pub(super) struct Door {
    /// What the broker is called.
    pub(super) name: RefCell<Arc<str>>,
    pub(super) far: Address,
    port: u16,
}

/// All listeners.
pub(super) struct Proxy {
    clock: Clock,
    /// The port of the first listener. 0: any.
    first: u16,
    watch: RefCell<Box<dyn Watch>>,
    doors: RefCell<BTreeMap<Address, Rc<Door>>>,
    links: Cell<usize>,
    say: Box<dyn Fn(&str)>,
}

impl Proxy {
    pub(super) fn new(
        first: u16,
        watch: Box<dyn Watch>,
        say: Box<dyn Fn(&str)>,
    ) -> Proxy {
        let (clock, watch) = (Clock::start(), RefCell::new(watch));
        let (doors, links) = (RefCell::default(), Cell::new(0));
        Proxy { clock, first, watch, doors, links, say }
    }

    /// Opens a listener for each broker of a cluster that this one knows, and returns their
    /// addresses. A cluster that wants a log-in first tells nothing to us; then its brokers
    /// become known by what it tells the program.
    pub(super) async fn find(
        self: &Rc<Self>,
        upstream: Address,
    ) -> Result<String, HostError> {
        let brokers = match timeout(PATIENCE, ask(&upstream)).await {
            Ok(told) => told.map_err(|error| unreachable(&upstream, error))?,
            Err(_) => {
                let late = io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
                return Err(unreachable(&upstream, late));
            }
        };
        let mut doors = Vec::new();
        for (id, address) in brokers.unwrap_or_default() {
            doors.push(self.door(Some(id), address).map_err(HostError::System)?);
        }
        if doors.is_empty() {
            self.say(&format!(
                "{}:{} tells its brokers to nobody who has not logged in; the program has to",
                upstream.host, upstream.port
            ));
            doors.push(self.door(None, upstream).map_err(HostError::System)?);
        }
        let each: Vec<String> =
            doors.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        Ok(each.join(","))
    }

    /// The port behind which a broker is, opened if need be.
    pub(super) fn door(
        self: &Rc<Self>,
        id: Option<i32>,
        far: Address,
    ) -> io::Result<u16> {
        let name = |id: i32| Arc::<str>::from(format!("broker-{id}"));
        if let Some(door) = self.doors.borrow().get(&far) {
            let is_unknown = **door.name.borrow() == *UNKNOWN;
            if let (Some(id), true) = (id, is_unknown) {
                self.watch.borrow_mut().known(id, &name(id));
                *door.name.borrow_mut() = name(id);
            }
            return Ok(door.port);
        }
        let before = u16::try_from(self.doors.borrow().len()).unwrap_or(u16::MAX);
        let wanted = match self.first {
            0 => 0,
            first => first.saturating_add(before),
        };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let port = listener.local_addr()?.port();
        let called = id.map_or_else(|| Arc::from(UNKNOWN), name);
        match id {
            Some(id) => self.watch.borrow_mut().known(id, &called),
            // Below every broker's.
            None => self.watch.borrow_mut().known(-1, &called),
        }
        let door = Rc::new(Door { name: RefCell::new(called), far: far.clone(), port });
        self.doors.borrow_mut().insert(far, door.clone());
        spawn_local(accept(self.clone(), door, listener));
        Ok(port)
    }

    /// What the program does comes from now on.
    pub(super) fn ready(&self) {
        self.watch.borrow_mut().ready(self.clock.now());
    }

    /// A number for a new connection.
    pub(super) fn next_link(&self) -> usize {
        self.links.set(self.links.get() + 1);
        self.links.get()
    }

    /// Whether a broker is called so.
    pub(super) fn is_broker(&self, name: &str) -> bool {
        self.doors.borrow().values().any(|it| **it.name.borrow() == *name)
    }

    /// Somebody says something.
    pub(super) fn sent(
        &self,
        [from, to]: [&Arc<str>; 2],
        link: usize,
        message: &Message,
        cause: Option<Parcel>,
    ) -> Parcel {
        let message = &*without_secrets(message);
        let saying = Saying { from, to, link, message, cause };
        self.watch.borrow_mut().sent(self.clock.now(), saying)
    }

    /// It has been passed on.
    pub(super) fn arrived(&self, parcel: Parcel) {
        self.watch.borrow_mut().arrived(self.clock.now(), parcel);
    }

    pub(super) fn say(&self, line: &str) {
        (self.say)(line);
    }
}

/// Connects to a broker.
pub(super) async fn dial(far: &Address) -> io::Result<TcpStream> {
    let dialled = timeout(PATIENCE, TcpStream::connect((&*far.host, far.port))).await;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
    let stream = dialled.map_err(|_| late())??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks a broker which ones there are. None: it hangs up on whoever asks that.
async fn ask(upstream: &Address) -> io::Result<Option<Vec<(i32, Address)>>> {
    let mut stream = dial(upstream).await?;
    let body = MetadataRequest::default().with_topics(Some(Vec::new()));
    let request = Request {
        correlation: CorrelationId(0),
        version: METADATA,
        client: "topomotion".into(),
        body: body.with_allow_auto_topic_creation(false).into(),
    };
    let strange =
        || io::Error::new(io::ErrorKind::InvalidData, "it does not speak Kafka");
    let frame = write_request(&request, "topomotion").ok_or_else(strange)?;
    stream.write_all(&frame).await?;
    let frame = match Frames::new(stream, ANSWER_MAX).next().await {
        Ok(frame) => frame.slice(LENGTH..),
        Err(End::Gone) => return Ok(None),
        Err(End::Broken(broken)) => {
            let told = hint(broken).unwrap_or_default();
            let text = format!("what it says is no Kafka{told}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
    };
    let answer = overhear_response(ApiKey::Metadata, METADATA, frame);
    let Some(ResponseKind::Metadata(answer)) = answer.map(|it| it.body) else {
        return Err(strange());
    };
    let mut brokers: Vec<(i32, Address)> = Vec::new();
    for broker in &answer.brokers {
        let Ok(port @ 1..) = u16::try_from(broker.port) else { continue };
        let address = Address { host: broker.host.to_string(), port };
        brokers.push((broker.node_id.0, address));
    }
    brokers.sort();
    Ok(Some(brokers))
}

fn unreachable(upstream: &Address, error: io::Error) -> HostError {
    let address = format!("{}:{}", upstream.host, upstream.port);
    HostError::Upstream { address, error }
}

async fn accept(proxy: Rc<Proxy>, door: Rc<Door>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                spawn_local(line::serve(proxy.clone(), door.clone(), stream, peer));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}
