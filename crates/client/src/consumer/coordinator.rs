//! Finding the group's coordinator, and losing it (GRP-1).

use topomotion_wire::messages::{
    FindCoordinatorRequest, RequestKind, ResponseKind, find_coordinator_response,
};
use topomotion_wire::{ClientDeed, Endpoint, ErrorCode, Instant, NodeId};

use super::group::Group;
use super::{Consumer, Errand};
use crate::errors::error_of;
use crate::metadata::text;
use crate::network::Route;

/// What is known of the coordinator.
#[derive(Debug, Clone, Default)]
pub(super) struct Finder {
    state: Knowledge,
    failures: u32,
    /// Nobody is asked before.
    pause: Option<Instant>,
    /// Whom the world was told of.
    told: Option<NodeId>,
}

#[derive(Debug, Clone, Default)]
enum Knowledge {
    #[default]
    Unknown,
    /// Somebody is being asked.
    Asking,
    Known {
        route: Route,
    },
}

impl Finder {
    /// Where the coordinator is.
    pub fn route(&self) -> Option<&Route> {
        match &self.state {
            Knowledge::Known { route } => Some(route),
            Knowledge::Unknown | Knowledge::Asking => None,
        }
    }

    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        match self.state {
            Knowledge::Unknown => self.pause.filter(|pause| *pause > now),
            Knowledge::Asking | Knowledge::Known { .. } => None,
        }
    }

    /// It answers: it is the one.
    pub fn confirm(&mut self) {
        self.failures = 0;
    }
}

impl Consumer {
    /// Where the coordinator is, if requests can be sent there now; looks for it otherwise.
    pub(super) fn coordinator(
        &mut self,
        now: Instant,
        group: &mut Group,
    ) -> Option<Route> {
        if let Some(route) = group.finder.route().cloned() {
            if self.cluster.ready(now, &route) {
                return Some(route);
            }
            if self.cluster.usable(now, &route) {
                return None;
            }
            self.forget_coordinator(now, group, ErrorCode::NetworkException);
        }
        self.find_coordinator(now, group);
        None
    }

    fn find_coordinator(&mut self, now: Instant, group: &mut Group) {
        let is_resting = group.finder.pause.is_some_and(|pause| pause > now);
        if !matches!(group.finder.state, Knowledge::Unknown) || is_resting {
            return;
        }
        let candidates = self.cluster.metadata.candidates();
        let Some(to) = self.cluster.least_loaded(now, &candidates) else { return };
        if !self.cluster.ready(now, &to) {
            return;
        }
        group.finder.state = Knowledge::Asking;
        let mut request = FindCoordinatorRequest::default();
        request.coordinator_keys = vec![text(&group.config.id)];
        let body = RequestKind::FindCoordinator(request);
        self.cluster.send(now, &to, body, Errand::FindCoordinator);
    }

    pub(super) fn coordinator_found(
        &mut self,
        now: Instant,
        group: &mut Group,
        body: &ResponseKind,
    ) {
        let told = match body {
            ResponseKind::FindCoordinator(response) => response.coordinators.first(),
            _ => None,
        };
        match told.map(|told| (error_of(told.error_code), endpoint(told))) {
            Some((None, Some(to))) => {
                let node = told.map_or(NodeId(-1), |told| NodeId(told.node_id.0));
                group.finder.state =
                    Knowledge::Known { route: Route::to_coordinator(to) };
                if group.finder.told.replace(node) != Some(node) {
                    self.cluster.deed(None, ClientDeed::CoordinatorFound { node });
                }
            }
            Some((Some(error), _)) => self.coordinator_not_found(now, group, error),
            Some((None, None)) | None => {
                let error = ErrorCode::CoordinatorNotAvailable;
                self.coordinator_not_found(now, group, error);
            }
        }
    }

    pub(super) fn coordinator_not_found(
        &mut self,
        now: Instant,
        group: &mut Group,
        error: ErrorCode,
    ) {
        group.finder.state = Knowledge::Unknown;
        self.rest_finding(now, group);
        if matches!(
            error,
            ErrorCode::GroupAuthorizationFailed
                | ErrorCode::InvalidGroupId
                | ErrorCode::UnsupportedVersion
        ) {
            group.membership.bar(error);
        }
    }

    fn rest_finding(&mut self, now: Instant, group: &mut Group) {
        group.finder.failures = group.finder.failures.saturating_add(1);
        let pause = self.cluster.backoff(group.finder.failures);
        group.finder.pause = Some(now + pause);
    }

    /// It is not the coordinator any more, or cannot be reached.
    pub(super) fn forget_coordinator(
        &mut self,
        now: Instant,
        group: &mut Group,
        error: ErrorCode,
    ) {
        if !matches!(group.finder.state, Knowledge::Known { .. }) {
            return;
        }
        group.finder.state = Knowledge::Unknown;
        self.rest_finding(now, group);
        if group.finder.told.take().is_some() {
            self.cluster.deed(None, ClientDeed::CoordinatorLost { error });
        }
    }
}

fn endpoint(told: &find_coordinator_response::Coordinator) -> Option<Endpoint> {
    let port = u16::try_from(told.port).ok().filter(|port| *port > 0)?;
    Some(Endpoint { host: told.host.as_str().into(), port })
}
