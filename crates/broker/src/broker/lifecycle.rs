//! A broker's life as its controller sees it: it registers, shows that it is alive, and is
//! unfenced once it has applied its own registration (CTL-8, CTL-10).
//!
//! One question is under way at a time. Failures are asked again after a pause that doubles
//! up to a limit, as Kafka's broker does.

use topomotion_wire::messages::broker_registration_request::Listener;
use topomotion_wire::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest,
    BrokerRegistrationResponse, RequestKind,
};
use topomotion_wire::{BrokerEpoch, Defect, Duration, Instant, NodeId, Offset, StrBytes};

use crate::config::NodeConfig;
use crate::net::{Ask, Asked, Effects, Purpose};
use crate::view::BrokerStatus;

const REGISTRATION_VERSION: i16 = 4;
const HEARTBEAT_VERSION: i16 = 1;

/// Where a broker is in its life, and what it says next.
#[derive(Debug, Clone)]
pub(crate) struct Lifecycle {
    status: BrokerStatus,
    talk: Talk,
    failures: u32,
    plan: Plan,
    /// Under which epoch the last life on this disk shut down cleanly, if it did (KIP-966).
    previous: Option<BrokerEpoch>,
}

/// What the broker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Serve,
    /// To stop, once nobody needs it (CTL-11).
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    /// Something is to be said from this moment on.
    Due(Instant),
    /// An answer is awaited.
    Awaiting,
    /// An answer is awaited, and there is news to tell right after it.
    AwaitingWithNews,
}

/// What a heartbeat tells about the metadata log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The next offset to apply.
    pub(crate) next: Offset,
    /// Whether the broker has applied its own registration.
    pub(crate) readiness: Readiness,
}

/// Whether a broker can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Its metadata is older than its registration.
    CatchingUp,
    /// It has applied its own registration.
    Ready,
}

impl Lifecycle {
    pub(crate) fn new(now: Instant, previous: Option<BrokerEpoch>) -> Lifecycle {
        let (status, talk) = (BrokerStatus::Registering, Talk::Due(now));
        Lifecycle { status, talk, failures: 0, plan: Plan::Serve, previous }
    }

    /// The broker is to stop: the controller hears of it at once, and says when.
    pub(crate) fn begin_shutdown(&mut self, now: Instant) {
        self.plan = Plan::Stop;
        match self.epoch() {
            Some(epoch) => {
                self.status = BrokerStatus::ShuttingDown(epoch);
                self.note_ready(now);
            }
            // Nobody counts on it yet.
            None => self.status = BrokerStatus::Stopped(BrokerEpoch(-1)),
        }
    }

    pub(crate) fn status(&self) -> BrokerStatus {
        self.status
    }

    /// The registration's epoch, once there is one.
    pub(crate) fn epoch(&self) -> Option<BrokerEpoch> {
        match self.status {
            BrokerStatus::NotABroker | BrokerStatus::Registering => None,
            BrokerStatus::Fenced(epoch)
            | BrokerStatus::Running(epoch)
            | BrokerStatus::ShuttingDown(epoch)
            | BrokerStatus::Stopped(epoch) => Some(epoch),
        }
    }

    /// The broker has applied its own registration: the controller should hear of it now.
    pub(crate) fn note_ready(&mut self, now: Instant) {
        self.talk = match self.talk {
            Talk::Due(_) => Talk::Due(now),
            Talk::Awaiting | Talk::AwaitingWithNews => Talk::AwaitingWithNews,
        };
    }

    /// When something is to be said. Nothing is while nobody knows the controller.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.talk {
            _ if matches!(self.status, BrokerStatus::Stopped(_)) => None,
            Talk::Due(at) => Some(at),
            Talk::Awaiting | Talk::AwaitingWithNews => None,
        }
    }

    /// Says what is due to the active controller.
    pub(crate) fn speak(
        &mut self,
        now: Instant,
        config: &NodeConfig,
        controller: NodeId,
        progress: Progress,
        effects: &mut Effects,
    ) {
        let is_due = matches!(self.talk, Talk::Due(at) if at <= now);
        if !is_due || matches!(self.status, BrokerStatus::Stopped(_)) {
            return;
        }
        self.talk = Talk::Awaiting;
        let (asked, version, body) = match self.epoch() {
            None => {
                let body = registration(config, self.previous);
                (Asked::Register, REGISTRATION_VERSION, body)
            }
            Some(epoch) => {
                let body = heartbeat(config.id, epoch, progress, self.plan);
                (Asked::Heartbeat, HEARTBEAT_VERSION, body)
            }
        };
        // Kafka's heartbeat channel gives up after half a session.
        let timeout = Duration(config.settings.broker_session_timeout.0 / 2);
        let purpose = Purpose::Heartbeat;
        effects.ask(Ask { to: controller, purpose, asked, version, body, timeout });
    }

    /// Takes the answer to a registration.
    pub(crate) fn registered(
        &mut self,
        now: Instant,
        config: &NodeConfig,
        response: &BrokerRegistrationResponse,
    ) {
        if response.error_code != 0 {
            return self.failed(now, config);
        }
        self.status = BrokerStatus::Fenced(BrokerEpoch(response.broker_epoch));
        self.failures = 0;
        // The first heartbeat follows at once.
        self.talk = Talk::Due(now);
    }

    /// Takes the answer to a heartbeat.
    pub(crate) fn heard(
        &mut self,
        now: Instant,
        config: &NodeConfig,
        response: &BrokerHeartbeatResponse,
    ) {
        if response.error_code != 0 {
            return self.failed(now, config);
        }
        let Some(epoch) = self.epoch() else { return };
        self.status = match self.plan {
            Plan::Stop if response.should_shut_down => BrokerStatus::Stopped(epoch),
            Plan::Stop => BrokerStatus::ShuttingDown(epoch),
            Plan::Serve if response.is_fenced => BrokerStatus::Fenced(epoch),
            Plan::Serve => BrokerStatus::Running(epoch),
        };
        self.failures = 0;
        self.talk = match self.talk {
            Talk::AwaitingWithNews => Talk::Due(now),
            Talk::Awaiting | Talk::Due(_) => {
                Talk::Due(now + config.settings.broker_heartbeat_interval)
            }
        };
    }

    /// No answer, or a refusal: asks again after a pause.
    pub(crate) fn failed(&mut self, now: Instant, config: &NodeConfig) {
        let first = config.settings.broker_resend_backoff;
        let doubled = first.0.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let settings = &config.settings;
        let limit =
            settings.broker_resend_backoff_max.min(settings.broker_session_timeout);
        let pause = Duration(doubled).min(limit);
        if Defect::HeartbeatStops.is_sown() && self.epoch().is_some() {
            return;
        }
        self.talk = Talk::Due(now + pause);
    }
}

fn registration(config: &NodeConfig, previous: Option<BrokerEpoch>) -> RequestKind {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let listener = Listener::default()
        .with_name(StrBytes::from_static_str("PLAINTEXT"))
        .with_host(text(&config.endpoint.host))
        .with_port(config.endpoint.port);
    let request = BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(config.id.0))
        .with_cluster_id(StrBytes::from_static_str(crate::api::CLUSTER_ID))
        .with_incarnation_id(config.incarnation.0)
        .with_listeners(vec![listener])
        .with_rack(config.rack.as_deref().map(text))
        .with_previous_broker_epoch(previous.map_or(-1, |epoch| epoch.0));
    RequestKind::BrokerRegistration(request)
}

fn heartbeat(
    id: NodeId,
    epoch: BrokerEpoch,
    progress: Progress,
    plan: Plan,
) -> RequestKind {
    let request = BrokerHeartbeatRequest::default()
        .with_broker_id(BrokerId(id.0))
        .with_broker_epoch(epoch.0)
        .with_current_metadata_offset(progress.next.0 - 1)
        .with_want_fence(progress.readiness == Readiness::CatchingUp)
        .with_want_shut_down(plan == Plan::Stop);
    RequestKind::BrokerHeartbeat(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::config;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    fn speaks(lifecycle: &mut Lifecycle, now: Instant) -> Option<Asked> {
        let mut effects = Effects::default();
        let progress = Progress { next: Offset(5), readiness: Readiness::Ready };
        lifecycle.speak(now, &config(1), NodeId(100), progress, &mut effects);
        effects.next_ask().map(|ask| ask.asked)
    }

    #[test]
    fn a_broker_registers_then_beats_every_two_seconds() {
        let mut lifecycle = Lifecycle::new(at(0), None);
        assert_eq!(speaks(&mut lifecycle, at(0)), Some(Asked::Register));
        let registered = BrokerRegistrationResponse::default().with_broker_epoch(4);
        lifecycle.registered(at(10), &config(1), &registered);
        assert_eq!(lifecycle.status(), BrokerStatus::Fenced(BrokerEpoch(4)));
        assert_eq!(speaks(&mut lifecycle, at(10)), Some(Asked::Heartbeat));
        let unfenced = BrokerHeartbeatResponse::default().with_is_fenced(false);
        lifecycle.heard(at(20), &config(1), &unfenced);
        assert_eq!(lifecycle.status(), BrokerStatus::Running(BrokerEpoch(4)));
        assert_eq!(speaks(&mut lifecycle, at(2_019)), None);
        assert_eq!(speaks(&mut lifecycle, at(2_020)), Some(Asked::Heartbeat));
    }

    #[test]
    fn a_refused_registration_is_tried_again_ever_more_slowly() {
        let mut lifecycle = Lifecycle::new(at(0), None);
        let refused = BrokerRegistrationResponse::default().with_error_code(101);
        let mut now = at(0);
        for pause_ms in [100, 200, 400, 800, 1_600, 3_200, 6_400, 9_000, 9_000] {
            assert_eq!(speaks(&mut lifecycle, now), Some(Asked::Register));
            lifecycle.registered(now, &config(1), &refused);
            let due = now + Duration::from_millis(pause_ms);
            assert_eq!(lifecycle.deadline(), Some(due));
            now = due;
        }
    }

    #[test]
    fn news_during_a_question_is_told_right_after_it() {
        let mut lifecycle = Lifecycle::new(at(0), None);
        speaks(&mut lifecycle, at(0));
        let registered = BrokerRegistrationResponse::default().with_broker_epoch(4);
        lifecycle.registered(at(1), &config(1), &registered);
        speaks(&mut lifecycle, at(1));
        lifecycle.note_ready(at(2));
        lifecycle.heard(at(3), &config(1), &BrokerHeartbeatResponse::default());
        assert_eq!(speaks(&mut lifecycle, at(3)), Some(Asked::Heartbeat));
    }
}
