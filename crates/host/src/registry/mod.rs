//! The Schema Registry beside the brokers: its state machine, given connections to them, and
//! an HTTP port on the loopback interface.
//!
//! ```text
//!   clients ──HTTP──► http ──HttpRequest──► SchemaRegistry ──Input──► brokers, in the process
//! ```
//!
//! What is answered is the machine's business; what is decided here is how much of HTTP is
//! heard.

mod http;
mod lodger;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::{timeout, timeout_at};
use topomotion_actors::{RegistryConfig, SchemaRegistry};
use topomotion_client::{CommonConfig, TopicPlacement};
use topomotion_wire::{
    ConnectionId, CorrelationId, Endpoint, HttpRequest, Input, Machine, Message, Output,
    Random,
};

use crate::clock::Clock;
use crate::entropy::entropy;
use crate::error::HostError;
use crate::server::Shared;
pub(crate) use lodger::Lodger;
use lodger::News;

/// How long it may take to read its topic when it starts.
const START_MAX: Duration = Duration::from_secs(30);
/// How long a write may take: longer than a leader needs to be given up and replaced, so that
/// nobody who registers sees a fail-over. Confluent's own default is half a second.
const WRITE_MAX: topomotion_wire::Duration =
    topomotion_wire::Duration::from_millis(30_000);

/// What an HTTP client is told: status and body. None: it is not served.
type Answer = (u16, String);

/// Takes the port. Nobody is served yet.
pub(crate) async fn bind(port: u16) -> Result<(TcpListener, SocketAddr), HostError> {
    let failed =
        |error| HostError::Listen { address: format!("127.0.0.1:{port}"), error };
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Starts the registry, and serves it from when it has read its topic.
///
/// # Errors
/// When it does not come to know its topic.
pub(crate) async fn open(
    shared: &Rc<Shared>,
    clock: Clock,
    listener: TcpListener,
    brokers: &[SocketAddr],
) -> Result<(), HostError> {
    let lodger = Rc::new(Lodger::default());
    let (told, serves) = oneshot::channel();
    let driver = Driver::start(shared.clone(), clock, lodger.clone(), brokers);
    spawn_local(driver.run(told));
    let failed = || {
        let why = "the schema registry cannot read its topic, _schemas";
        HostError::System(io::Error::new(io::ErrorKind::TimedOut, why))
    };
    timeout(START_MAX, serves).await.map_err(|_| failed())?.map_err(|_| failed())?;
    spawn_local(http::accept(lodger, listener));
    Ok(())
}

/// The machine, and what it has to do with the world.
struct Driver {
    shared: Rc<Shared>,
    clock: Clock,
    lodger: Rc<Lodger>,
    machine: SchemaRegistry,
    /// Its connections to brokers: member, and the broker's name for it.
    dialled: BTreeMap<ConnectionId, (usize, ConnectionId)>,
    /// Who waits for an answer.
    callers: BTreeMap<ConnectionId, oneshot::Sender<Answer>>,
    called: u64,
}

impl Driver {
    fn start(
        shared: Rc<Shared>,
        clock: Clock,
        lodger: Rc<Lodger>,
        brokers: &[SocketAddr],
    ) -> Driver {
        let endpoint = |address: &SocketAddr| Endpoint {
            host: address.ip().to_string().into(),
            port: address.port(),
        };
        let bootstrap = brokers.iter().map(endpoint).collect();
        let common = CommonConfig {
            clock_base_ms: clock.wall_ms(),
            seed: entropy(),
            ..CommonConfig::new("schema-registry", bootstrap)
        };
        let replicas = i16::try_from(brokers.len().min(3)).unwrap_or(3);
        let config = RegistryConfig {
            placement: TopicPlacement::Automatic {
                partitions: Some(1),
                replication_factor: Some(replicas),
            },
            timeout: WRITE_MAX,
            ..RegistryConfig::new(common)
        };
        let random = Random::new(entropy(), entropy());
        let machine = SchemaRegistry::start(clock.now(), config, random);
        let (dialled, callers) = (BTreeMap::new(), BTreeMap::new());
        Driver { shared, clock, lodger, machine, dialled, callers, called: 0 }
    }

    /// Drives the machine for as long as the process lasts; `told` hears when it serves.
    async fn run(mut self, told: oneshot::Sender<()>) {
        let mut told = Some(told);
        loop {
            self.settle();
            if self.machine.is_serving()
                && let Some(told) = told.take()
            {
                let _ = told.send(());
            }
            let due = self.machine.deadline().and_then(|due| self.clock.when(due));
            let stirred = self.lodger.stirred.notified();
            match due {
                None => stirred.await,
                Some(due) => {
                    if timeout_at(due, stirred).await.is_err() {
                        self.machine.tick(self.clock.now());
                    }
                }
            }
        }
    }

    /// Does what the machine wants and tells it what came of it, until both are quiet.
    fn settle(&mut self) {
        loop {
            while let Some(output) = self.machine.poll() {
                self.act(output);
            }
            match self.lodger.take() {
                Some(News::Input(input)) => self.machine.handle(self.clock.now(), input),
                Some(News::Call(request, answer)) => self.call(request, answer),
                None => return,
            }
        }
    }

    fn call(&mut self, mut request: HttpRequest, answer: oneshot::Sender<Answer>) {
        self.called += 1;
        let connection = ConnectionId::Accepted(self.called);
        request.correlation = CorrelationId(0);
        self.callers.insert(connection, answer);
        let now = self.clock.now();
        self.machine.handle(now, Input::Accepted { connection });
        let message = Message::from(request);
        self.machine.handle(now, Input::Received { connection, message });
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::Open { connection, to } => {
                let lodger = &self.lodger;
                let there = self.shared.with(|it| it.dial_in(lodger, connection, &to));
                if let Some(there) = there {
                    self.dialled.insert(connection, there);
                    self.lodger.tell(Input::Opened { connection });
                } else {
                    self.lodger.tell(Input::Closed { connection });
                }
            }
            Output::Send { connection, message: Message::HttpResponse(response) } => {
                if let Some(caller) = self.callers.remove(&connection) {
                    let _ = caller.send((response.status, response.body));
                    self.lodger.tell(Input::Closed { connection });
                }
            }
            Output::Send { connection, message } => {
                if let Some(&(member, connection)) = self.dialled.get(&connection) {
                    let input = Input::Received { connection, message };
                    self.shared.with(|it| it.give(member, input));
                }
            }
            Output::Close { connection } => {
                self.callers.remove(&connection);
                if let Some((member, there)) = self.dialled.remove(&connection) {
                    self.shared.with(|it| it.hang_up(member, there));
                }
            }
            Output::Disk(_) | Output::Mark { .. } | Output::Fact(_) => {}
        }
    }
}
