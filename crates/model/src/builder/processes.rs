//! From a process as configured to one process, or to its replicas.

use crate::builder::{MOST_REPLICAS, ProcessConfig};
use crate::names::{ICONS, unknown_value};
use crate::{Diagnostic, GroupId, Placement, Process, ProcessId};

/// The process, or its replicas `id-1 … id-n` with numbered labels.
pub(super) fn expand(
    config: &ProcessConfig,
    group: Option<GroupId>,
    placement: Placement,
    found: &mut Vec<Diagnostic>,
) -> Vec<Process> {
    if let Some(icon) = config.icon.as_deref().filter(|icon| !ICONS.contains(icon)) {
        let place = config.origin.part("icon");
        found.push(unknown_value("icon", icon, ICONS, place));
    }
    let one = process(config, group, placement);
    let Some(replicas) = config.replicas else { return vec![one] };
    if !(1..=MOST_REPLICAS).contains(&replicas) {
        found.push(bad_replicas(config, replicas));
        return vec![one];
    }
    (1..=replicas)
        .map(|number| Process {
            id: ProcessId::from(format!("{}-{number}", one.id)),
            label: format!("{} {number}", one.label),
            replica_of: Some(one.id.clone()),
            // One place cannot hold several boxes: only the first keeps it.
            position: one.position.filter(|_| number == 1),
            ..one.clone()
        })
        .collect()
}

fn bad_replicas(config: &ProcessConfig, replicas: i64) -> Diagnostic {
    let message = format!("`{}` cannot have {replicas} replicas", config.id);
    Diagnostic::error("replicas-out-of-range", message, config.origin.part("replicas"))
        .at(format!("must be between 1 and {MOST_REPLICAS}"))
        .help("leave `replicas` out for a single process")
}

fn process(
    config: &ProcessConfig,
    group: Option<GroupId>,
    placement: Placement,
) -> Process {
    let shards = config.shard_id.iter().flat_map(|shards| shards.split(','));
    Process {
        id: ProcessId::from(config.id.as_str()),
        label: config.label.clone().unwrap_or_else(|| config.id.clone()),
        group,
        state: config.state,
        shape: config.shape,
        icon: config.icon.clone(),
        replica_of: None,
        shards: shards
            .map(|shard| shard.trim().to_owned())
            .filter(|s| !s.is_empty())
            .collect(),
        shard_role: config.shard_role,
        color: config.color.clone(),
        external: config.external,
        capacity: config.capacity,
        description: config.description.clone(),
        layer: config.layer.clone(),
        role: config.role,
        kafka: config.kafka.clone(),
        position: config.position.filter(|_| placement == Placement::Manual),
        origin: config.origin.clone(),
    }
}
