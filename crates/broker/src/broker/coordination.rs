//! Where a broker's coordinators meet the rest of it: its replicas, the controller, the
//! requests of clients.

use topomotion_coordinator::{Control, Stamp};
use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{ConnectionId, ErrorCode, Instant, ProducerId, TopicPartition};

use super::{Broker, DelayedMarkers, Standing};
use crate::coordinators::{Around, Asker, InternalTopic, Query, creation_of};
use crate::net::{Asked, Effects, Ticket};
use crate::replica::Site;

/// The version of the CreateTopics that a broker sends for itself.
const CREATE_TOPICS: i16 = 7;

impl Broker {
    /// Takes a request for coordinators.
    pub(crate) fn coordinate(
        &mut self,
        site: Site<'_>,
        query: Query,
        effects: &mut Effects,
    ) {
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.ask(query, &mut around);
    }

    /// Something changed at a partition.
    pub(super) fn check_coordinators(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        effects: &mut Effects,
    ) {
        self.markers.check(site, id, self.replicas.get(id), effects);
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.check(id, &mut around);
    }

    pub(super) fn tell_coordinators(&mut self, site: Site<'_>, effects: &mut Effects) {
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.metadata_changed(&mut around);
    }

    /// A client's connection is gone.
    pub(crate) fn hung_up(
        &mut self,
        site: Site<'_>,
        connection: ConnectionId,
        effects: &mut Effects,
    ) {
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.hung_up(connection, &mut around);
    }

    pub(super) fn tick_coordinators(&mut self, site: Site<'_>, effects: &mut Effects) {
        self.markers.expire(site.now, effects);
        self.tick_verifications(site, effects);
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.tick(&mut around);
    }

    /// When coordinators, or what concerns them, is due next.
    pub(super) fn coordinators_deadline(
        &self,
        standing: Standing<'_>,
    ) -> Option<Instant> {
        let can_ask = standing.controller.is_some() && self.lifecycle.epoch().is_some();
        let ids = self.coordinators.producer_ids_due().filter(|_| can_ask);
        let own = [
            self.coordinators.deadline(),
            self.markers.deadline(),
            self.verifications.deadline(),
        ];
        own.into_iter().flatten().chain(ids).min()
    }

    /// Sends what coordinators want of the controller.
    pub(super) fn pump_coordinators(
        &mut self,
        standing: Standing<'_>,
        effects: &mut Effects,
    ) {
        let (me, now) = (standing.site.me, standing.site.now);
        let timeout = standing.config.settings.request_timeout;
        if let (Some(controller), Some(epoch)) =
            (standing.controller, self.lifecycle.epoch())
        {
            let asker = Asker { me, epoch, controller, timeout };
            self.coordinators.ask_for_producer_ids(now, asker, effects);
        }
    }

    /// The answer to something that was asked for coordinators' sake; none if there will be
    /// none.
    pub(super) fn coordinators_answered(
        &mut self,
        site: Site<'_>,
        asked: Asked,
        response: Option<&ResponseKind>,
        effects: &mut Effects,
    ) {
        match (asked, response) {
            (Asked::InternalTopic(topic), _) => self.creations.end(topic),
            (Asked::WishedTopic { id }, _) => self.creations.end_wished(id),
            (Asked::ProducerIds, Some(ResponseKind::AllocateProducerIds(response))) => {
                self.coordinators.producer_ids_answered(site.now, Some(response));
            }
            (Asked::ProducerIds, _) => {
                self.coordinators.producer_ids_answered(site.now, None);
            }
            (Asked::Markers { id }, response) => {
                let replicas = &mut self.replicas;
                let mut around = Around { site, replicas, effects };
                self.coordinators.markers_answered(id, response, &mut around);
            }
            (Asked::Verification { id }, response) => {
                self.verified(site, id, response, effects);
            }
            _ => {}
        }
    }

    /// Has an internal topic created, unless that is under way.
    pub(crate) fn create_internal_topic(&mut self, site: Site<'_>, topic: InternalTopic) {
        if self.creations.begin(topic) {
            let ticket = Ticket::Local(Asked::InternalTopic(topic));
            let request = topic.creation(site.settings).into();
            self.forwarding.accept(site.now, ticket, CREATE_TOPICS, request);
        }
    }

    /// Has a topic created that a client asked about, if that is how the cluster is set up;
    /// unless it is under way.
    pub(crate) fn create_wished_topic(&mut self, site: Site<'_>, name: &str) {
        if let Some(topic) = InternalTopic::named(name) {
            return self.create_internal_topic(site, topic);
        }
        if let Some(id) = self.creations.begin_wished(name) {
            let ticket = Ticket::Local(Asked::WishedTopic { id });
            let request = creation_of(name, site.settings).into();
            self.forwarding.accept(site.now, ticket, CREATE_TOPICS, request);
        }
    }

    /// An id for an idempotent producer.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while there is none.
    pub(crate) fn claim_producer_id(
        &mut self,
        now: Instant,
    ) -> Result<ProducerId, ErrorCode> {
        self.coordinators.claim_producer_id(now)
    }

    /// A marker was appended to one of this broker's partitions.
    pub(crate) fn marker_appended(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        stamp: Stamp,
        control: Control,
        effects: &mut Effects,
    ) {
        let mut around = Around { site, replicas: &mut self.replicas, effects };
        self.coordinators.marker_appended(id, stamp, control, &mut around);
    }

    pub(crate) fn wait_for_markers(
        &mut self,
        markers: DelayedMarkers,
        effects: &mut Effects,
    ) {
        self.markers.wait(markers, effects);
    }
}
