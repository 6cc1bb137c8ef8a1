//! One invariant, one module, with an observer's model of its own.
//!
//! A checker sees every change of state as the trace tells it, every sight that only a judge
//! is shown, and every fault. It never calls the engine.

mod j10_sends;
mod j15_cycles;
mod j16_registers;
mod j1_offsets;
mod j4_histories;
mod k10_images;
mod k11_answers;
mod k12_contact;
mod k16_registrations;
mod k2_votes;
mod k3_epochs;
mod k4_progress;
mod k5_majority;
mod k6_metadata;
mod k7_completeness;
mod m1_groups;
mod m3_commits;
mod m4_owners;
mod m8_static;
mod p1_sequences;
mod p2_duplicates;
mod p3_states;
mod p4_ids;
mod r11_min_isr;
mod r15_epochs;
mod r16_expansion;
mod r17_proposer;
mod r18_refused;
mod r20_recovering;
mod r21_followers;
mod r22_unclean;
mod r23_dense;
mod r2_strong_isr;
mod r4_eligible;
mod r5_fenced;
mod r8_maximal_isr;
mod r9_watermark;
mod s1_indexes;
mod s2_retention;
mod s3_compaction;
mod s5_recovery;
mod t1_transitions;
mod t2_markers;
mod t4_fencing;
mod t5_hanging;
mod t6_stable;
mod t8_committed;
mod t9_pipelines;

use topomotion_sim::{ClusterPlan, Sight};
use topomotion_trace::{Fault, StateChange, Time};

use crate::court::Bench;
use crate::model::Model;

/// Watches one invariant, or a few that need the same memory.
pub(crate) trait Checker: std::fmt::Debug {
    /// A state has changed; the model has taken it in.
    fn see(&mut self, _model: &Model, _change: &StateChange, _bench: &mut Bench<'_>) {}

    /// Something was seen that the trace does not tell.
    fn witness(&mut self, _model: &Model, _sight: &Sight, _bench: &mut Bench<'_>) {}

    /// Something was done to the cluster.
    fn suffer(&mut self, _at: Time, _fault: &Fault) {}

    /// Time is about to move on: what happened together has happened.
    fn settle(&mut self, _model: &Model, _bench: &mut Bench<'_>) {}

    /// All is over: what is still to come does not.
    fn conclude(&mut self, _model: &Model, _bench: &mut Bench<'_>) {}
}

/// Every checker, for a run on this cluster if it is known.
pub(crate) fn all(plan: Option<&ClusterPlan>) -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(r2_strong_isr::StrongIsr),
        Box::new(r4_eligible::Eligible::new(plan)),
        Box::new(r5_fenced::Fenced::default()),
        Box::new(r8_maximal_isr::MaximalIsr),
        Box::new(r9_watermark::Watermarks::default()),
        Box::new(r11_min_isr::MinIsr::new(plan)),
        Box::new(r15_epochs::EpochCaches::default()),
        Box::new(r16_expansion::Expansion::default()),
        Box::new(r17_proposer::Proposer::default()),
        Box::new(r18_refused::Refusals::default()),
        Box::new(r20_recovering::Recovering::default()),
        Box::new(r21_followers::Followers::default()),
        Box::new(r22_unclean::Unclean::new(plan)),
        Box::new(r23_dense::Dense::default()),
        Box::new(k2_votes::Votes::default()),
        Box::new(k3_epochs::Epochs::default()),
        Box::new(k4_progress::Progress::default()),
        Box::new(k5_majority::Majority),
        Box::new(k6_metadata::MetadataLogs::default()),
        Box::new(k7_completeness::Completeness::default()),
        Box::new(k10_images::Images::default()),
        Box::new(k11_answers::Answers),
        Box::new(k12_contact::Contact::new(plan)),
        Box::new(k16_registrations::Registrations::default()),
        Box::new(j1_offsets::Offsets::default()),
        Box::new(j10_sends::Sends::new(plan)),
        Box::new(s1_indexes::Indexes),
        Box::new(s2_retention::Retention::default()),
        Box::new(s3_compaction::Compaction::new(plan)),
        Box::new(s5_recovery::Recovery::default()),
        Box::new(p1_sequences::Sequences),
        Box::new(p2_duplicates::Duplicates::default()),
        Box::new(p3_states::States::default()),
        Box::new(p4_ids::ProducerIds::default()),
        Box::new(t1_transitions::Transitions::default()),
        Box::new(t2_markers::Markers::default()),
        Box::new(t4_fencing::Fencing::default()),
        Box::new(t5_hanging::Hanging::new(plan)),
        Box::new(t6_stable::Stable::default()),
        Box::new(t8_committed::Committed::new(plan)),
        Box::new(t9_pipelines::Pipelines::new(plan)),
        Box::new(m1_groups::Groups::new(plan)),
        Box::new(m3_commits::Commits::default()),
        Box::new(m4_owners::Owners::default()),
        Box::new(m8_static::Static::new(plan)),
        Box::new(j15_cycles::Cycles::new(plan)),
        Box::new(j16_registers::Registers::default()),
        Box::new(j4_histories::Histories::new(plan)),
    ]
}
