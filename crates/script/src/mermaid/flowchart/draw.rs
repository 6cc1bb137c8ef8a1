//! From a chart to the topology builder: ids are resolved, styles are laid upon one another.
//!
//! Subgraphs come first, each with what stands in it, then nodes that stand alone: the order
//! in which a YAML document says the same.

use std::collections::BTreeSet;

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, GroupRef, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Diagnostic, Origin, nearest};

use super::chart::{Chart, Line, Link, Mention, Stroke, Tip, Vertex};
use super::styles::Style;
use crate::mermaid::scan::Findings;

/// So many names are compared with a misspelt one.
const COMPARED: usize = 200;

/// Draws the chart.
pub(super) fn draw(
    chart: &Chart,
    builder: &mut TopologyBuilder,
    findings: &mut Findings,
) {
    builder.title = builder.title.take().or_else(|| chart.title.clone());
    builder.description = chart.description.clone();
    check_classes(chart, findings);
    groups(chart, builder, findings);
    for vertex in chart.vertices.iter().filter(|vertex| vertex.home.is_none()) {
        if !chart.subgraph_places.contains_key(&vertex.id) {
            builder.create_process(process(vertex, chart, findings));
        }
    }
    for link in &chart.links {
        if let Some(edge) = edge(link, chart, findings) {
            builder.connect(edge);
        }
    }
}

fn check_classes(chart: &Chart, findings: &mut Findings) {
    let mut told = BTreeSet::new();
    for (class, span) in &chart.used {
        if !chart.classes.contains_key(class) && told.insert(class) {
            let message = format!("no class is called `{class}`");
            let warning = Diagnostic::warning("unknown-class", message, Some(*span));
            findings.add(
                match nearest(
                    class,
                    chart.classes.keys().map(String::as_str).take(COMPARED),
                ) {
                    Some(near) => warning.help(format!("did you mean `{near}`?")),
                    None => warning
                        .help(format!("define it: `classDef {class} fill:#dae8fc`")),
                },
            );
        }
    }
}

/// Makes every group with its members. A parent is opened before its children.
fn groups(chart: &Chart, builder: &mut TopologyBuilder, findings: &mut Findings) {
    let roots =
        chart.subgraphs.iter().enumerate().filter(|(_, one)| one.parent.is_none());
    // What is still to be made, the next one last; no recursion, whatever the depth.
    let mut ahead: Vec<(Option<GroupRef>, Mention)> =
        roots.map(|(place, _)| (None, Mention::Subgraph(place))).collect();
    ahead.reverse();
    while let Some((parent, mention)) = ahead.pop() {
        match mention {
            Mention::Vertex(place) => {
                let vertex = &chart.vertices[place];
                if let Some(parent) = parent {
                    builder.group(parent).add_process(process(vertex, chart, findings));
                }
            }
            Mention::Subgraph(place) => {
                let config = group(chart, place);
                let made = match parent {
                    Some(parent) => builder.group(parent).add_group(config),
                    None => builder.create_group(config),
                };
                let mentions = chart.subgraphs[place].mentions.iter().rev();
                let members = mentions.filter(|one| is_member(chart, place, one));
                ahead.extend(members.map(|member| (Some(made), *member)));
            }
        }
    }
}

fn is_member(chart: &Chart, subgraph: usize, mention: &Mention) -> bool {
    match mention {
        Mention::Subgraph(_) => true,
        Mention::Vertex(place) => {
            let vertex = &chart.vertices[*place];
            vertex.home == Some(subgraph)
                && !chart.subgraph_places.contains_key(&vertex.id)
        }
    }
}

fn group(chart: &Chart, place: usize) -> GroupConfig {
    let subgraph = &chart.subgraphs[place];
    let style = styled(chart, &subgraph.classes, &subgraph.style, Fallback::Nothing);
    GroupConfig {
        label: Some(subgraph.label.clone()),
        color: style.color(),
        style: style.is_dashed.then(|| "dashed".to_owned()),
        origin: Origin { whole: Some(subgraph.span), parts: Vec::new() },
        ..GroupConfig::new(&subgraph.id)
    }
}

/// What lies below every class.
#[derive(Clone, Copy)]
enum Fallback {
    /// The class `default`, which is for nodes.
    Default,
    Nothing,
}

fn styled(chart: &Chart, classes: &[String], own: &Style, fallback: Fallback) -> Style {
    let mut style = match fallback {
        Fallback::Default => chart.classes.get("default").cloned().unwrap_or_default(),
        Fallback::Nothing => Style::default(),
    };
    for class in classes.iter().filter_map(|class| chart.classes.get(class)) {
        style.lay(class);
    }
    style.lay(own);
    style
}

fn process(vertex: &Vertex, chart: &Chart, findings: &mut Findings) -> ProcessConfig {
    let style = styled(chart, &vertex.classes, &vertex.style, Fallback::Default);
    if style.is_dashed {
        let why = "a dashed border means a process that is outside one's own hands";
        findings.lost("the dashed border of a node", why, vertex.whole);
    }
    let mut parts = vec![("id".to_owned(), vertex.id_at)];
    parts.extend(vertex.label_at.map(|at| ("label".to_owned(), at)));
    ProcessConfig {
        label: vertex.label.clone(),
        shape: vertex.shape,
        icon: vertex.icon.map(str::to_owned),
        color: style.color(),
        description: vertex.details.clone(),
        origin: Origin { whole: Some(vertex.whole), parts },
        ..ProcessConfig::new(&vertex.id)
    }
}

/// The connection that a link means; `None` for one that only pushes nodes about.
fn edge(link: &Link, chart: &Chart, findings: &mut Findings) -> Option<EdgeConfig> {
    let Stroke { line, from, to, label, span, .. } = &link.stroke;
    if *line == Line::Invisible {
        let why = "it only pushes nodes about, and the layout here is another";
        if let Some(span) = span {
            findings.lost("an invisible link", why, *span);
        }
        return None;
    }
    // `A <-- B` would be read from its far end; Mermaid has no such link.
    let kind = match (from, to) {
        _ if link.is_animated => Some("pulse"),
        (Tip::Bare, Tip::Arrow) => None,
        (_, Tip::Bare) => Some("line"),
        (Tip::Bare, Tip::Circle) => Some("circle"),
        (Tip::Bare, Tip::Cross) => Some("cross"),
        (_, Tip::Arrow) => Some("both"),
        (_, Tip::Circle) => Some("circles"),
        (_, Tip::Cross) => Some("crosses"),
    };
    let mut look = chart.link_style.clone();
    look.lay(&link.style);
    let style = match line {
        _ if look.is_dashed => Some("dashed"),
        Line::Dotted => Some("dotted"),
        Line::Thick => Some("thick"),
        Line::Solid | Line::Invisible => look.is_thick.then_some("thick"),
    };
    let (source, target) = (&link.source, &link.target);
    let mut parts =
        vec![("source".to_owned(), source.1), ("target".to_owned(), target.1)];
    parts.extend(label.iter().map(|(_, at)| ("label".to_owned(), *at)));
    Some(EdgeConfig {
        kind: kind.map(str::to_owned),
        label: label.as_ref().map(|(text, _)| text.clone()),
        style: style.map(str::to_owned),
        color: look.color(),
        origin: Origin { whole: *span, parts },
        ..EdgeConfig::new(&source.0, &target.0)
    })
}
