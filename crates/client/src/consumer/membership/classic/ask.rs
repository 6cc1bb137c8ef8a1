//! What a member of a classic group asks: the requests themselves.

use topomotion_wire::messages::join_group_request::JoinGroupRequestProtocol;
use topomotion_wire::messages::leave_group_request::MemberIdentity;
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, RequestKind,
    SyncGroupRequest,
};
use topomotion_wire::{ClientDeed, Defect, Duration, JoinCause, LeaveCause, StrBytes};

use topomotion_assignor::Assignor;

use super::super::protocol::Subscription;
use super::super::{Ask, Question, Step};
use super::{Classic, Phase};
use crate::metadata::text;

/// The protocol type of consumers.
const CONSUMER: &str = "consumer";

/// A join may take the whole rebalance, and a little more for the way.
const JOIN_GRACE: Duration = Duration::from_millis(5_000);

impl Classic {
    fn ask(&mut self, what: Question, body: RequestKind, timeout: Option<Duration>) {
        let ask = Ask { what, life: self.life };
        self.steps.push_back(Step::Ask { ask, body: Box::new(body), timeout });
    }

    fn instance(&self) -> Option<StrBytes> {
        self.config.instance.as_deref().map(text)
    }

    fn group(&self) -> GroupId {
        GroupId(text(&self.config.id))
    }

    pub(super) fn ask_to_join(&mut self) {
        let cause = self.rejoin.unwrap_or(JoinCause::Rebalance);
        self.phase = Phase::Joining;
        self.told = self.topics.clone();
        let mut request = JoinGroupRequest::default();
        request.group_id = self.group();
        request.session_timeout_ms = ms(self.config.session_timeout);
        request.rebalance_timeout_ms = ms(self.config.max_poll_interval);
        request.member_id = text(&self.member);
        request.group_instance_id = self.instance();
        request.protocol_type = StrBytes::from_static_str(CONSUMER);
        let protocols = self.config.assignors.iter().map(|assignor| {
            let mut protocol = JoinGroupRequestProtocol::default();
            protocol.name = StrBytes::from_static_str(assignor.name());
            protocol.metadata = self.subscription(*assignor).encode();
            protocol
        });
        request.protocols = protocols.collect();
        request.reason = Some(text(&cause.to_string()));
        // An id that had to be given first is no news.
        if self.member.is_empty() || self.generation >= 0 {
            self.steps.push_back(Step::Deed(ClientDeed::Joins { cause }));
        }
        let timeout = self.common.request_timeout;
        let timeout = timeout.max(self.config.max_poll_interval + JOIN_GRACE);
        self.ask(Question::Join, RequestKind::JoinGroup(request), Some(timeout));
    }

    fn subscription(&self, assignor: Assignor) -> Subscription {
        Subscription {
            topics: self.topics.clone(),
            owned: self.owned.iter().cloned().collect(),
            generation: self.generation,
            rack: None,
            remembered: match assignor {
                Assignor::Sticky => self.remembered.clone(),
                Assignor::Range
                | Assignor::RoundRobin
                | Assignor::CooperativeSticky
                | Assignor::Uniform => None,
            },
        }
    }

    /// Asks for its share; the leader says with it what everybody's is.
    pub(super) fn ask_for_share(
        &mut self,
        assignor: &str,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) {
        self.phase = Phase::Syncing;
        let mut request = SyncGroupRequest::default();
        request.group_id = self.group();
        request.generation_id = self.generation;
        request.member_id = text(&self.member);
        request.group_instance_id = self.instance();
        request.protocol_type = Some(StrBytes::from_static_str(CONSUMER));
        request.protocol_name = Some(text(assignor));
        request.assignments = assignments;
        let timeout = self.common.request_timeout.max(self.config.max_poll_interval);
        self.ask(Question::Sync, RequestKind::SyncGroup(request), Some(timeout));
    }

    pub(super) fn ask_whether_all_is_well(&mut self) {
        let mut request = HeartbeatRequest::default();
        request.group_id = self.group();
        request.generation_id = self.generation;
        request.member_id = text(&self.member);
        request.group_instance_id = self.instance();
        self.ask(Question::Heartbeat, RequestKind::Heartbeat(request), None);
    }

    /// A static member goes without a word: it may be back before its session ends (GRP-7).
    pub(super) fn say_goodbye(&mut self, cause: LeaveCause) {
        let is_static =
            self.config.instance.is_some() && !Defect::StaticAsDynamic.is_sown();
        if is_static || self.member.is_empty() {
            return;
        }
        self.steps.push_back(Step::Deed(ClientDeed::Leaves { cause }));
        let mut identity = MemberIdentity::default();
        identity.member_id = text(&self.member);
        identity.group_instance_id = self.instance();
        identity.reason = Some(text(&cause.to_string()));
        let mut request = LeaveGroupRequest::default();
        request.group_id = self.group();
        request.members = vec![identity];
        self.ask(Question::Leave, RequestKind::LeaveGroup(request), None);
    }
}

fn ms(span: Duration) -> i32 {
    i32::try_from(span.as_millis()).unwrap_or(i32::MAX)
}
