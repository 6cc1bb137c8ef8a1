//! A cluster that lives as long as one program needs it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::HostConfig;
use crate::control::Control;
use crate::error::HostError;
use crate::server::{Ready, serve_watched};
use crate::signals::asked_to_stop;
use crate::watch::Watch;

/// Stands for the brokers' addresses in a program's arguments.
const PLACE: &str = "{bootstrap}";
/// How they are called in its environment.
const NAMES: [&str; 2] = ["BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"];
/// Where it finds the control port.
const CONTROL: &str = "TOPOMOTION_CONTROL";
/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(10);
/// What was on its way when it ended is waited for.
const GRACE: Duration = Duration::from_millis(200);
/// How long it may take to end when both of us were asked to.
const END: Duration = Duration::from_secs(5);

/// A program, once it was started, or could not be.
type Started = RefCell<Option<io::Result<Child>>>;

/// Serves a cluster to one program and to whatever it starts, and ends with it.
///
/// The program finds the addresses in its environment (`BOOTSTRAP_SERVERS`,
/// `KAFKA_BOOTSTRAP_SERVERS`) and wherever its arguments say `{bootstrap}`. `watch` sees what
/// happens until it ends.
///
/// # Errors
/// When the cluster cannot be served, or the program not be started.
pub fn serve_one(
    config: &HostConfig,
    watch: Box<dyn Watch>,
    command: &[String],
    say: impl Fn(&str) + 'static,
) -> Result<ExitStatus, HostError> {
    let child: Rc<Started> = Rc::default();
    let ended: Rc<Cell<Option<ExitStatus>>> = Rc::default();
    let (started, noted) = (child.clone(), ended.clone());
    let stop = || {
        let asked = asked_to_stop()?;
        let (child, ended) = (child.clone(), ended.clone());
        Ok(async move { accompany(&child, asked, &ended).await })
    };
    let ready = |ready: &Ready| {
        let child = start(command, &ready.bootstrap(), ready.control.as_ref());
        *started.borrow_mut() = child;
    };
    serve_watched(config, Some(watch), stop, ready, say)?;
    outcome(noted.get(), started.take())
}

/// Waits until a program has ended, and what it said is through; or, when both of us were
/// asked to end, until it has had its time to do so.
pub(crate) async fn accompany(
    child: &Started,
    asked: impl Future<Output = ()> + 'static,
    ended: &Cell<Option<ExitStatus>>,
) {
    let is_asked = Rc::new(Cell::new(false));
    let told = is_asked.clone();
    tokio::task::spawn_local(async move {
        asked.await;
        told.set(true);
    });
    wait(child, &is_asked, ended).await;
    sleep(GRACE).await;
}

/// How the program ended. One that still runs is ended.
pub(crate) fn outcome(
    ended: Option<ExitStatus>,
    child: Option<io::Result<Child>>,
) -> Result<ExitStatus, HostError> {
    match (ended, child) {
        (Some(status), _) => Ok(status),
        (None, Some(Err(error))) => Err(HostError::System(error)),
        (None, Some(Ok(mut child))) => {
            let _ = child.kill();
            child.wait().map_err(HostError::System)
        }
        (None, None) => Err(HostError::System(io::Error::other("nothing was started"))),
    }
}

/// Starts a program that finds brokers at these addresses.
pub(crate) fn start(
    command: &[String],
    bootstrap: &str,
    control: Option<&Control>,
) -> Option<io::Result<Child>> {
    let (program, arguments) = command.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|it| it.replace(PLACE, bootstrap)));
    command.envs(NAMES.map(|name| (name, bootstrap)));
    if let Some(control) = control {
        command.env(CONTROL, control.word());
    }
    let child = command.spawn();
    let told =
        |error: io::Error| io::Error::new(error.kind(), format!("{program}: {error}"));
    Some(child.map_err(told))
}

/// Waits until the program has ended, or has had its time to do so.
async fn wait(child: &Started, is_asked: &Cell<bool>, ended: &Cell<Option<ExitStatus>>) {
    let mut until = None;
    loop {
        match &mut *child.borrow_mut() {
            Some(Ok(child)) => match child.try_wait() {
                Ok(Some(status)) => return ended.set(Some(status)),
                Ok(None) => {}
                Err(_) => return,
            },
            Some(Err(_)) => return,
            None if is_asked.get() => return,
            None => {}
        }
        if is_asked.get() && *until.get_or_insert(Instant::now() + END) <= Instant::now()
        {
            return;
        }
        sleep(LOOK).await;
    }
}
