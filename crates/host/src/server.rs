//! The whole: listeners, timer, flushes, and the end.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_blocking, spawn_local};
use tokio::time::{sleep, timeout, timeout_at};
use topomotion_broker::frames::Requests;
use topomotion_broker::{BrokerSettings, Node, NodeConfig, Roles};
use topomotion_log::MemoryDisk;
use topomotion_wire::{ConnectionId, Endpoint, Incarnation, NodeId, Random};
use uuid::Uuid;

use crate::clock::Clock;
use crate::cluster::{Cluster, Standing};
use crate::config::{HostConfig, Storage};
use crate::connection;
use crate::control::{self, Control};
use crate::data_dir::DataDir;
use crate::disk::reason;
use crate::entropy::entropy;
use crate::error::HostError;
use crate::member::Member;
use crate::registry;
use crate::room::{CONNECTIONS_MAX, Room};
use crate::sasl::{Sasl, Users};
use crate::store::Store;
use crate::tls::Tls;
use crate::watch::Watch;

/// How long brokers may take to give their leaderships away when all of them stop: elections may
/// come in between, and a second Ctrl-C ends it at once.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether the cluster is where it should be.
const LOOK: Duration = Duration::from_millis(1);
/// Pause after the system has refused a connection, for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A cluster that serves.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Where each broker listens, in the order of their ids.
    pub addresses: Vec<SocketAddr>,
    /// Where brokers can be hurt, if anywhere.
    pub control: Option<Control>,
    /// Where the Schema Registry listens, if there is one.
    pub schema_registry: Option<SocketAddr>,
}

impl Ready {
    /// `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        let each: Vec<String> =
            self.addresses.iter().map(SocketAddr::to_string).collect();
        each.join(",")
    }
}

/// What the tasks of one process share.
pub(crate) struct Shared {
    cluster: RefCell<Cluster>,
    settings: BrokerSettings,
    /// Who may log in, where somebody has to.
    users: Option<Users>,
    /// What listeners show, where nobody else may hear.
    tls: Option<Tls>,
    addresses: Vec<SocketAddr>,
    say: Box<dyn Fn(&str)>,
    /// The cluster's deadline may have changed.
    stirred: Notify,
    /// There are flushes to make.
    written: Notify,
    /// Something happened that concerns the whole.
    noted: Notify,
    /// Whether the cluster is to stop.
    is_asked: Cell<bool>,
}

impl Shared {
    /// Does something to the cluster, and sees to what follows.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut cluster = self.cluster.borrow_mut();
        let result = act(&mut cluster);
        self.stirred.notify_one();
        if cluster.has_jobs() {
            self.written.notify_one();
        }
        if cluster.has_failed() {
            self.noted.notify_one();
        }
        result
    }

    /// Whether the cluster is as wished.
    ///
    /// # Errors
    /// When it cannot go on.
    fn is(&self, wish: impl Fn(&Cluster) -> bool) -> Result<bool, HostError> {
        let mut cluster = self.cluster.borrow_mut();
        match cluster.take_failure() {
            Some(failure) => Err(failure),
            None => Ok(wish(&cluster)),
        }
    }

    /// Whether a client waits for an answer.
    pub(crate) fn owes(&self, member: usize, connection: ConnectionId) -> bool {
        self.cluster.borrow().owes(member, connection)
    }

    /// Whether somebody is there to take connections.
    pub(crate) fn is_alive(&self, member: usize) -> bool {
        self.cluster.borrow().is_alive(member)
    }

    /// Every broker, as it stands, and where it listens.
    pub(crate) fn standing(&self) -> Vec<(SocketAddr, Standing)> {
        let standing = self.cluster.borrow().standing();
        self.addresses.iter().copied().zip(standing).collect()
    }

    /// The id of a member's broker.
    pub(crate) fn broker(&self, member: usize) -> i32 {
        self.cluster.borrow().broker(member)
    }

    /// A new connection's reader.
    pub(crate) fn requests(&self, member: usize) -> Requests {
        Requests::new(self.cluster.borrow().roles(member), &self.settings)
    }

    /// Whether somebody has to log in.
    pub(crate) fn wants_log_in(&self) -> bool {
        self.users.is_some()
    }

    /// Who may log in at a broker, as far as that one knows, where somebody has to.
    pub(crate) fn users(&self, member: usize) -> Option<&Users> {
        let users = self.users.as_ref()?;
        users.learn(self.cluster.borrow().image(member).scram());
        Some(users)
    }

    /// What listeners show, where nobody else may hear.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// How long a request may be.
    pub(crate) fn request_max_bytes(&self) -> i32 {
        self.settings.socket_request_max_bytes
    }

    /// Tells whoever looks after the process.
    pub(crate) fn say(&self, line: &str) {
        (self.say)(line);
    }
}

/// Serves a cluster until `stop` is through, then ends it as it should be ended.
///
/// `ready` is called once, when every broker serves; `say` for every line that whoever looks
/// after the process should read.
///
/// # Errors
/// When it cannot begin, or cannot go on.
pub fn serve<F: Future<Output = ()> + 'static>(
    config: &HostConfig,
    stop: impl FnOnce() -> io::Result<F>,
    ready: impl FnOnce(&Ready),
    say: impl Fn(&str) + 'static,
) -> Result<(), HostError> {
    serve_watched(config, None, stop, ready, say)
}

/// As [`serve`], with somebody who watches until `stop` is through.
///
/// # Errors
/// As there.
pub fn serve_watched<F: Future<Output = ()> + 'static>(
    config: &HostConfig,
    watch: Option<Box<dyn Watch>>,
    stop: impl FnOnce() -> io::Result<F>,
    ready: impl FnOnce(&Ready),
    say: impl Fn(&str) + 'static,
) -> Result<(), HostError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().map_err(HostError::System)?;
    let tasks = LocalSet::new();
    let outcome = tasks.block_on(&runtime, async {
        let stop = stop().map_err(HostError::System)?;
        run(config, watch, stop, ready, Box::new(say)).await
    });
    drop(tasks);
    // A flush that is still under way on its thread is of no use to anybody any more.
    runtime.shutdown_background();
    outcome
}

async fn run(
    config: &HostConfig,
    watch: Option<Box<dyn Watch>>,
    stop: impl Future<Output = ()> + 'static,
    ready: impl FnOnce(&Ready),
    say: Box<dyn Fn(&str)>,
) -> Result<(), HostError> {
    let dir = match &config.storage {
        Storage::Memory => None,
        Storage::Directory(path) => Some(DataDir::open(path, config.brokers)?),
    };
    let (listeners, addresses) = listen(config).await?;
    let clock = Clock::start();
    let members = start(config, clock, dir.as_ref(), &addresses)?;
    let mut cluster = Cluster::new(clock, config.durability, members, watch);
    cluster.take_mended().iter().for_each(|line| say(line));
    let shared = Rc::new(Shared {
        cluster: RefCell::new(cluster),
        settings: config.settings.clone(),
        users: config.security.sasl.as_ref().map(Sasl::users),
        tls: config.security.tls.clone(),
        addresses: addresses.clone(),
        say,
        stirred: Notify::new(),
        written: Notify::new(),
        noted: Notify::new(),
        is_asked: Cell::new(false),
    });
    spawn_local(keep_time(shared.clone(), clock));
    spawn_local(make_flushes(shared.clone()));
    shared.with(|_| ());
    spawn_local({
        let shared = shared.clone();
        async move {
            stop.await;
            shared.is_asked.set(true);
            shared.noted.notify_one();
        }
    });
    let control = match config.control {
        Some(port) => Some(control::open(&shared, port).await?),
        None => None,
    };
    let registry = match config.schema_registry {
        Some(port) => Some(registry::bind(port).await?),
        None => None,
    };
    while !shared.is_asked.get() && !shared.is(Cluster::is_ready)? {
        let _ = timeout(LOOK, shared.noted.notified()).await;
    }
    // Nobody is heard before all brokers serve, as by Kafka: whoever learns of a cluster without
    // brokers may never ask again (librdkafka).
    for (member, listener) in listeners.into_iter().enumerate() {
        spawn_local(accept(shared.clone(), member, listener));
    }
    if !shared.is_asked.get() {
        shared.with(Cluster::tell_ready);
        let schema_registry = registry.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = registry {
            registry::open(&shared, clock, listener, &addresses).await?;
        }
        ready(&Ready { addresses, control, schema_registry });
    }
    while !shared.is_asked.get() {
        shared.noted.notified().await;
        shared.is(|_| true)?;
    }
    shut_down(&shared).await
}

/// Takes the ports.
async fn listen(
    config: &HostConfig,
) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), HostError> {
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for broker in 0..config.brokers {
        let port = match config.port {
            0 => Some(0),
            first => first.checked_add(broker),
        };
        let text = || format!("127.0.0.1:{}", u32::from(config.port) + u32::from(broker));
        let failed = |error| HostError::Listen { address: text(), error };
        let port = port.ok_or_else(|| {
            failed(io::Error::new(io::ErrorKind::InvalidInput, "there is no such port"))
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(failed)?;
        addresses.push(listener.local_addr().map_err(failed)?);
        listeners.push(listener);
    }
    Ok((listeners, addresses))
}

/// What brokers without a folder call the place of their files.
const IN_MEMORY: &str = "memory";

/// Starts every node from what is on its disk.
fn start(
    config: &HostConfig,
    clock: Clock,
    dir: Option<&DataDir>,
    addresses: &[SocketAddr],
) -> Result<Vec<Member>, HostError> {
    let endpoint = |address: &SocketAddr| Endpoint {
        host: address.ip().to_string().into(),
        port: address.port(),
    };
    let voters: Vec<(NodeId, Endpoint)> =
        (1..).map(NodeId).zip(addresses.iter().map(endpoint)).collect();
    let mut members = Vec::new();
    for (broker, (id, own)) in (1..).zip(&voters) {
        let disk = match dir {
            Some(dir) => Store::Folder(dir.disk(broker)?),
            None => Store::Memory(MemoryDisk::default()),
        };
        let files = disk.read()?;
        let mut settings = config.settings.clone();
        settings.log_dir = dir.map_or(IN_MEMORY.into(), |it| it.path(broker).into());
        let node = NodeConfig {
            id: *id,
            roles: Roles::Combined,
            endpoint: own.clone(),
            voters: voters.clone(),
            incarnation: Incarnation(Uuid::from_u64_pair(entropy(), entropy())),
            rack: None,
            settings,
            wall_clock_base_ms: clock.wall_ms(),
        };
        let random = Random::new(entropy(), entropy());
        let node = Node::start(node, files, clock.now(), random);
        members.push(Member::new(node, disk));
    }
    Ok(members)
}

async fn accept(shared: Rc<Shared>, member: usize, listener: TcpListener) {
    let room = Room::new(CONNECTIONS_MAX);
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(place) = room.take() else {
                    if !is_told {
                        let broker = shared.broker(member);
                        let most = CONNECTIONS_MAX;
                        let told = format!("has {most} connections and takes no more");
                        shared.say(&format!("broker {broker}: {told}"));
                    }
                    is_told = true;
                    continue;
                };
                is_told = false;
                let shared = shared.clone();
                spawn_local(async move {
                    connection::serve(shared, member, stream, peer).await;
                    drop(place);
                });
            }
            Err(error) => {
                if !is_told {
                    let broker = shared.broker(member);
                    let told =
                        format!("broker {broker}: cannot take a connection: {error}");
                    shared.say(&told);
                }
                is_told = true;
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Wakes the nodes when something is due.
async fn keep_time(shared: Rc<Shared>, clock: Clock) {
    loop {
        let due = shared.cluster.borrow().deadline().and_then(|due| clock.when(due));
        let stirred = shared.stirred.notified();
        match due {
            None => stirred.await,
            Some(due) => {
                if timeout_at(due, stirred).await.is_err() {
                    shared.with(Cluster::tick);
                }
            }
        }
    }
}

/// Makes the flushes that nodes wait for, all that have come up at a time.
async fn make_flushes(shared: Rc<Shared>) {
    loop {
        shared.written.notified().await;
        let jobs = shared.cluster.borrow_mut().take_jobs();
        let make = move || {
            let make = |job: crate::flusher::Job| {
                let outcome = job.flush.make().map_err(|error| reason(&error));
                ((job.member, job.life), job.purpose, outcome)
            };
            jobs.into_iter().map(make).collect::<Vec<_>>()
        };
        // The thread can only be gone if the runtime is.
        let Ok(made) = spawn_blocking(make).await else { return };
        for (member, purpose, outcome) in made {
            shared.with(|cluster| cluster.flushed(member, purpose, outcome));
        }
    }
}

async fn shut_down(shared: &Shared) -> Result<(), HostError> {
    shared.with(Cluster::stop_watching);
    shared.with(Cluster::begin_shutdown);
    let stopped = async {
        while !shared.is(Cluster::may_stop)? {
            sleep(LOOK).await;
        }
        Ok(())
    };
    timeout(SHUTDOWN_MAX, stopped).await.unwrap_or_else(|_| {
        shared.say("the brokers did not come to an end in time; nothing written is lost");
        Ok(())
    })
}
