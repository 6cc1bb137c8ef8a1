//! The scenarios that every fitting cluster can play.

use topomotion_model::{Scenario, ScenarioId};

use crate::Binding;

/// One built-in scenario, made for one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Builtin {
    /// Its id, such as `leader-election`.
    pub id: ScenarioId,
    /// Its title.
    pub title: &'static str,
    /// The scenario, or a sentence that says what the topology lacks for it.
    pub fit: Result<Scenario, String>,
}

/// Every built-in scenario, fitting or not.
pub fn builtins(binding: &Binding) -> Vec<Builtin> {
    let _ = binding;
    Vec::new()
}

/// Those built-in scenarios that fit the cluster.
pub fn builtin_scenarios(binding: &Binding) -> Vec<Scenario> {
    builtins(binding).into_iter().filter_map(|builtin| builtin.fit.ok()).collect()
}
