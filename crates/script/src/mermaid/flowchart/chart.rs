//! A flowchart as it was read: plain data, ids not yet resolved.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::{Diagnostic, Shape, Span};

use super::styles::Style;
use crate::mermaid::scan::Findings;

/// As many links as a topology may have edges, and one more to tell that there are too many.
const MOST_LINKS: usize = topomotion_model::builder::MOST_EDGES + 1;

/// Everything that a flowchart says.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// In order of their first mention.
    pub vertices: Vec<Vertex>,
    places: BTreeMap<String, usize>,
    /// In order; `linkStyle` counts them.
    pub links: Vec<Link>,
    /// In order of their opening.
    pub subgraphs: Vec<Subgraph>,
    /// Subgraphs by id.
    pub subgraph_places: BTreeMap<String, usize>,
    /// `classDef`
    pub classes: BTreeMap<String, Style>,
    /// Classes that were used, and where first.
    pub used: Vec<(String, Span)>,
    /// `linkStyle default`
    pub link_style: Style,
    /// Ids of links: `e1@-->`.
    pub link_ids: BTreeMap<String, Vec<usize>>,
    /// `accTitle`, `title`
    pub title: Option<String>,
    /// `accDescr`
    pub description: Option<String>,
}

/// A node.
#[derive(Debug)]
pub(super) struct Vertex {
    pub id: String,
    /// What stands in it; the id if `None`.
    pub label: Option<String>,
    pub shape: Shape,
    pub icon: Option<&'static str>,
    pub details: Option<String>,
    pub classes: Vec<String>,
    pub style: Style,
    /// The subgraph it stands in.
    pub home: Option<usize>,
    /// Its first mention, or where its label was given.
    pub whole: Span,
    pub id_at: Span,
    pub label_at: Option<Span>,
}

/// What a line of a link looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Line {
    #[default]
    Solid,
    Dotted,
    Thick,
    /// `~~~`
    Invisible,
}

/// What stands at one end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tip {
    #[default]
    Bare,
    Arrow,
    Circle,
    Cross,
}

/// The part of a link that is written between its ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stroke {
    pub line: Line,
    pub from: Tip,
    pub to: Tip,
    pub label: Option<(String, Span)>,
    pub id: Option<String>,
    pub span: Option<Span>,
}

/// A link between two ends.
#[derive(Debug)]
pub(super) struct Link {
    pub source: (String, Span),
    pub target: (String, Span),
    pub stroke: Stroke,
    pub style: Style,
    pub is_animated: bool,
}

/// What a subgraph mentions, in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mention {
    Vertex(usize),
    Subgraph(usize),
}

/// A subgraph.
#[derive(Debug)]
pub(super) struct Subgraph {
    pub id: String,
    pub label: String,
    pub parent: Option<usize>,
    pub mentions: Vec<Mention>,
    /// So many mentions were taken in when it was closed last.
    pub settled: usize,
    /// The vertices among the mentions.
    pub mentioned: BTreeSet<usize>,
    pub classes: Vec<String>,
    pub style: Style,
    pub span: Span,
}

impl Chart {
    /// The vertex with this id, made if nobody mentioned it before.
    pub(super) fn vertex(&mut self, id: &str, whole: Span, id_at: Span) -> usize {
        if let Some(&place) = self.places.get(id) {
            return place;
        }
        let place = self.vertices.len();
        self.vertices.push(Vertex {
            id: id.to_owned(),
            label: None,
            shape: Shape::Default,
            icon: None,
            details: None,
            classes: Vec::new(),
            style: Style::default(),
            home: None,
            whole,
            id_at,
            label_at: None,
        });
        self.places.insert(id.to_owned(), place);
        place
    }

    /// The vertex with this id, if it was mentioned.
    pub(super) fn known(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Links every source with every target.
    pub(super) fn link(
        &mut self,
        sources: &[(String, Span)],
        targets: &[(String, Span)],
        stroke: &Stroke,
        findings: &mut Findings,
    ) {
        for source in sources {
            for target in targets {
                if self.links.len() >= MOST_LINKS {
                    findings.add(too_many(stroke.span));
                    return;
                }
                if let Some(id) = &stroke.id {
                    let places = self.link_ids.entry(id.clone()).or_default();
                    places.push(self.links.len());
                }
                self.links.push(Link {
                    source: source.clone(),
                    target: target.clone(),
                    stroke: stroke.clone(),
                    style: Style::default(),
                    is_animated: false,
                });
            }
        }
    }
}

fn too_many(span: Option<Span>) -> Diagnostic {
    let message = format!("the flowchart has more than {} links", MOST_LINKS - 1);
    Diagnostic::error("too-many-edges", message, span)
        .at("the limit is passed here")
        .help("link subgraphs instead of every node in them")
}
