//! Which part of the node a request goes to.
//!
//! What this node does not serve closes its connection, except ApiVersions, whose answer
//! tells a newer client what it may ask. What only the active controller may decide is refused
//! by every other with NOT_CONTROLLER.

use topomotion_quorum::is_for_quorum;
use topomotion_wire::messages::{
    AlterPartitionResponse, BrokerHeartbeatResponse, BrokerRegistrationResponse,
    RequestKind, ResponseKind,
};
use topomotion_wire::{ErrorCode, Instant, Request};

use super::{Node, standing};
use crate::api;
use crate::coordinators::Query;
use crate::net::{Answer, Call, Ticket};

impl Node {
    pub(super) fn dispatch(&mut self, now: Instant, call: Call) {
        let (ticket, roles) = (call.ticket, self.config.roles);
        let is_served = api::serves(roles, &call.request.body, call.request.version);
        match &call.request.body {
            RequestKind::ApiVersions(_) => self.tell_versions(call),
            _ if is_served.is_none() => self.effects.answer(ticket, Answer::Close),
            body if api::admin::is_for_controller(body) && !self.decides(ticket) => {
                self.ask_broker(now, call);
            }
            body if is_for_quorum(body) => self.ask_quorum(now, ticket, body),
            body if api::admin::is_for_controller(body) => {
                self.ask_controller(now, ticket, call.request.body);
            }
            RequestKind::BrokerRegistration(_)
            | RequestKind::BrokerHeartbeat(_)
            | RequestKind::AllocateProducerIds(_)
            | RequestKind::AlterPartition(_) => {
                self.ask_controller(now, ticket, call.request.body);
            }
            _ => self.ask_broker(now, call),
        }
    }

    /// Tells what this node serves. Kafka's broker accepts nobody before it has caught up with
    /// the metadata: a client that was told too early which features are final would hold on to
    /// an older protocol for as long as it is connected.
    fn tell_versions(&mut self, call: Call) {
        let call = match &mut self.broker {
            Some(broker) => broker.admit(call),
            None => Some(call),
        };
        let Some(Call { ticket, request }) = call else { return };
        let (roles, version) = (self.config.roles, request.version);
        let answer = if api::serves(roles, &request.body, version).is_some() {
            let settings = &self.config.settings;
            let list = api::api_versions::handle(roles, settings, self.applied, version);
            Answer::Reply(Box::new(list.into()))
        } else {
            let list = api::api_versions::unsupported(roles).into();
            Answer::ReplyInVersion0(Box::new(list))
        };
        self.effects.answer(ticket, answer);
    }

    /// Whether an administrator's request is for this node to decide rather than to forward: it
    /// comes forwarded, or there is no broker here, or this is the active controller itself.
    fn decides(&self, ticket: Ticket) -> bool {
        let is_own = matches!(ticket, Ticket::Local(_));
        is_own || self.broker.is_none() || self.controller.is_some()
    }

    #[allow(clippy::too_many_lines)] // one arm a request
    fn ask_controller(&mut self, now: Instant, ticket: Ticket, body: RequestKind) {
        let effects = &mut self.effects;
        let Some(controller) = &mut self.controller else {
            let refused: ResponseKind = match body {
                RequestKind::AlterPartition(_) => {
                    api::alter_partition::not_controller().into()
                }
                RequestKind::BrokerRegistration(_) => {
                    api::broker_registration::not_controller().into()
                }
                RequestKind::BrokerHeartbeat(_) => {
                    api::broker_heartbeat::not_controller().into()
                }
                RequestKind::AllocateProducerIds(_) => {
                    api::allocate_producer_ids::refused(ErrorCode::NotController).into()
                }
                body => api::admin::failed(&body, ErrorCode::NotController),
            };
            return effects.reply(ticket, refused);
        };
        match body {
            RequestKind::AlterPartition(request) => {
                api::alter_partition::handle(controller, ticket, &request, effects);
            }
            RequestKind::BrokerRegistration(request) => {
                api::broker_registration::handle(
                    controller, now, ticket, &request, effects,
                );
            }
            RequestKind::BrokerHeartbeat(request) => {
                api::broker_heartbeat::handle(controller, now, ticket, &request, effects);
            }
            RequestKind::AllocateProducerIds(request) => {
                api::allocate_producer_ids::handle(controller, ticket, &request, effects);
            }
            RequestKind::CreateTopics(request) => {
                let random = &mut self.random;
                api::create_topics::handle(controller, random, ticket, &request, effects);
            }
            RequestKind::DeleteTopics(request) => {
                api::delete_topics::handle(controller, ticket, &request, effects);
            }
            RequestKind::CreatePartitions(request) => {
                api::create_partitions::handle(controller, ticket, &request, effects);
            }
            RequestKind::AlterConfigs(request) => {
                api::alter_configs::handle(controller, ticket, &request, effects);
            }
            RequestKind::IncrementalAlterConfigs(request) => {
                api::incremental_alter_configs::handle(
                    controller, ticket, &request, effects,
                );
            }
            RequestKind::ElectLeaders(request) => {
                api::elect_leaders::handle(controller, ticket, &request, effects);
            }
            RequestKind::CreateAcls(request) => {
                let (settings, random) = (&self.config.settings, &mut self.random);
                api::acls::create(
                    settings, controller, random, ticket, &request, effects,
                );
            }
            RequestKind::DeleteAcls(request) => {
                let settings = &self.config.settings;
                api::acls::delete(settings, controller, ticket, &request, effects);
            }
            RequestKind::AlterUserScramCredentials(request) => {
                api::scram::alter(controller, ticket, &request, effects);
            }
            RequestKind::AlterPartitionReassignments(request) => {
                api::reassignments::alter(controller, ticket, &request, effects);
            }
            RequestKind::ListPartitionReassignments(request) => {
                api::reassignments::list(controller, ticket, &request, effects);
            }
            _ => effects.answer(ticket, Answer::Close),
        }
    }

    #[allow(clippy::too_many_lines)] // one arm a request
    fn ask_broker(&mut self, now: Instant, call: Call) {
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        let (site, effects) = (standing.site, &mut self.effects);
        if let RequestKind::DescribeCluster(request) = &call.request.body {
            let controller = self.quorum.leader();
            let version = call.request.version;
            let answer = api::describe_cluster::handle(
                self.config.roles,
                version,
                &self.image,
                controller,
                request,
            );
            return effects.reply(call.ticket, answer);
        }
        let Some(broker) = &mut self.broker else {
            return effects.answer(call.ticket, Answer::Close);
        };
        let Some(Call { ticket, request }) = broker.admit(call) else { return };
        let Request { version, client, mut body, .. } = *request;
        self.topic_ids.name(&self.image, (ticket, version), &mut body);
        match body {
            body if api::coordination::is_for_coordinators(&body) => {
                let query = Query { ticket, version, client, body };
                broker.coordinate_verified(site, query, effects);
            }
            RequestKind::FindCoordinator(request) => {
                let answer = api::find_coordinator::handle(
                    broker, site, version, &request, effects,
                );
                effects.reply(ticket, answer);
            }
            RequestKind::InitProducerId(_) => {
                effects.reply(ticket, api::init_producer_id::handle(broker, site));
            }
            RequestKind::WriteTxnMarkers(request) => {
                api::write_txn_markers::handle(broker, site, ticket, &request, effects);
            }
            body if api::admin::is_for_controller(&body) => {
                broker.forward(now, ticket, version, body);
            }
            RequestKind::DescribeAcls(request) => {
                effects.reply(ticket, api::acls::describe(site, &request));
            }
            RequestKind::DescribeConfigs(request) => {
                let answer = api::describe_configs::handle(site, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::Produce(request) => {
                broker.produce(site, ticket, version, request, effects);
            }
            RequestKind::Fetch(request) => {
                api::fetch::handle(broker, site, ticket, version, request, effects);
            }
            RequestKind::ListOffsets(request) => {
                let answer =
                    api::list_offsets::handle(broker, site, version, &request, effects);
                effects.reply(ticket, answer);
            }
            RequestKind::OffsetForLeaderEpoch(request) => {
                let answer = api::offset_for_leader_epoch::handle(broker, site, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::DescribeUserScramCredentials(request) => {
                effects.reply(ticket, api::scram::describe(site.image, &request));
            }
            RequestKind::DescribeLogDirs(request) => {
                let volume = self.volume;
                let answer =
                    api::describe_log_dirs::handle(broker, site, volume, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::DescribeProducers(request) => {
                let answer = api::describe_producers::handle(broker, site, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::ListConfigResources(request) => {
                let image = site.image;
                let answer = api::list_config_resources::handle(image, version, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::DeleteRecords(request) => {
                api::delete_records::handle(broker, site, ticket, &request, effects);
            }
            RequestKind::DescribeTopicPartitions(request) => {
                let answer = api::describe_topic_partitions::handle(site.image, &request);
                effects.reply(ticket, answer);
            }
            RequestKind::Metadata(request) => {
                api::metadata::create_wished(broker, site, &request);
                let answer = api::metadata::handle(site.image, &request, version);
                effects.reply(ticket, answer);
            }
            RequestKind::SaslHandshake(_) | RequestKind::SaslAuthenticate(_) => {
                effects.reply(ticket, api::sasl::out_of_place(&body));
            }
            _ => effects.answer(ticket, Answer::Close),
        }
    }
}

/// What becomes of an answer whose controller was deposed before it was committed.
pub(super) fn deposed(reply: ResponseKind) -> ResponseKind {
    let code = ErrorCode::NotController.code();
    match reply {
        ResponseKind::AlterPartition(_) => {
            AlterPartitionResponse::default().with_error_code(code).into()
        }
        ResponseKind::BrokerRegistration(_) => {
            let response = BrokerRegistrationResponse::default().with_broker_epoch(-1);
            response.with_error_code(code).into()
        }
        ResponseKind::BrokerHeartbeat(_) => {
            BrokerHeartbeatResponse::default().with_error_code(code).into()
        }
        ResponseKind::AllocateProducerIds(_) => {
            api::allocate_producer_ids::refused(ErrorCode::NotController).into()
        }
        other => api::admin::deposed(other),
    }
}
