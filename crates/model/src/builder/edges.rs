//! From a connection as configured to edges between known ends.

use crate::builder::ids::Known;
use crate::builder::{EdgeConfig, MOST_EDGES};
use crate::{Diagnostic, Edge, EdgeId, End};

/// Every edge; a replicated base id stands for all of its replicas.
pub(super) fn resolve(
    configs: &[EdgeConfig],
    known: &Known,
    found: &mut Vec<Diagnostic>,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    for config in configs {
        let source = known.ends(&config.source, config.origin.part("source"));
        let target = known.ends(&config.target, config.origin.part("target"));
        match (source, target) {
            (Ok(sources), Ok(targets)) => {
                if edges.len() + sources.len() * targets.len() > MOST_EDGES {
                    found.push(too_many(config));
                    return edges;
                }
                connect_all(config, &sources, &targets, &mut edges);
            }
            (source, target) => {
                found.extend(
                    [source.err(), target.err()].into_iter().flatten().map(|e| *e),
                );
            }
        }
    }
    edges
}

fn connect_all(
    config: &EdgeConfig,
    sources: &[End],
    targets: &[End],
    edges: &mut Vec<Edge>,
) {
    // A base id connected to itself is a mesh: each pair once, and nobody dials itself.
    let is_mesh = config.source == config.target && sources.len() > 1;
    for (i, source) in sources.iter().enumerate() {
        for target in targets.iter().skip(if is_mesh { i + 1 } else { 0 }) {
            edges.push(Edge {
                id: EdgeId(edges.len()),
                source: source.clone(),
                target: target.clone(),
                protocol: config.protocol.clone(),
                kind: config.kind.clone(),
                label: config.label.clone(),
                layer: config.layer.clone(),
                style: config.style.clone(),
                color: config.color.clone(),
                origin: config.origin.clone(),
            });
        }
    }
}

fn too_many(config: &EdgeConfig) -> Diagnostic {
    let message = format!("the topology has more than {MOST_EDGES} edges");
    Diagnostic::error("too-many-edges", message, config.origin.whole)
        .at("the limit is passed here")
        .help("connect groups instead of every process in them")
}
