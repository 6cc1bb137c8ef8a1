//! The last step of the builder: from drafts to a topology, collecting every mistake.

use std::collections::BTreeMap;

use crate::builder::ids::Known;
use crate::builder::{Draft, GroupDraft, MOST_PROCESSES, PlayDraft, Sizing};
use crate::builder::{TopologyBuilder, cluster, edges, processes};
use crate::{Diagnostic, Group, GroupId, Member, Origin, Placement};
use crate::{Scenario, ScenarioId, Severity, Size, Span, Topology};

/// A group without `autoResize` that names only one of its extents gets this for the other.
const GROUP_SIZE: Size = Size { width: 400.0, height: 200.0 };

pub(super) fn assemble(
    builder: TopologyBuilder,
) -> Result<(Topology, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut found = builder.diagnostics.clone();
    let mut topology = Topology {
        title: builder.title.clone(),
        description: builder.description.clone(),
        placement: builder.placement,
        direction: builder.direction,
        cluster: builder.cluster.clone(),
        ..Topology::default()
    };
    let members = place_processes(&builder, &mut topology, &mut found);
    place_groups(&builder, &members, &mut topology, &mut found);
    check_positions(&builder, &mut found);

    let known = Known::new(&topology);
    topology.edges = edges::resolve(&builder.edges, &known, &mut found);
    if let Some(cluster) = &topology.cluster {
        cluster::check(cluster, &known, &mut found);
    }
    let scenarios = play(builder.plays, &topology, &known, &mut found);
    topology.scenarios = scenarios;

    match found.iter().any(|one| one.severity == Severity::Error) {
        true => Err(found),
        false => Ok((topology, found)),
    }
}

/// Spells out every process; gives, for each draft, what stands in its row.
fn place_processes(
    builder: &TopologyBuilder,
    topology: &mut Topology,
    found: &mut Vec<Diagnostic>,
) -> Vec<Vec<Member>> {
    let mut seen = BTreeMap::new();
    let mut members = Vec::new();
    for draft in &builder.processes {
        let config = &draft.config;
        let group = draft
            .group
            .map(|index| GroupId::from(builder.groups[index].config.id.as_str()));
        let expanded = processes::expand(config, group, builder.placement, found);
        if topology.processes.len() + expanded.len() > MOST_PROCESSES {
            let message =
                format!("the topology has more than {MOST_PROCESSES} processes");
            found.push(
                Diagnostic::error("too-many-processes", message, config.origin.whole)
                    .at("the limit is passed here")
                    .help("draw a part of it, or one process for many"),
            );
            break;
        }
        members.push(
            expanded.iter().map(|process| Member::Process(process.id.clone())).collect(),
        );
        for process in expanded {
            let given = Given::new("process", process.id.as_str(), &process.origin);
            if given.is_new(&mut seen, found) {
                topology.processes.push(process);
            }
        }
    }
    members
}

fn place_groups(
    builder: &TopologyBuilder,
    members: &[Vec<Member>],
    topology: &mut Topology,
    found: &mut Vec<Diagnostic>,
) {
    let mut seen = BTreeMap::new();
    let row = |drafts: &[Draft]| -> Vec<Member> {
        let mut row = Vec::new();
        for draft in drafts {
            match *draft {
                Draft::Group(index) => {
                    let id = builder.groups[index].config.id.as_str();
                    row.push(Member::Group(GroupId::from(id)));
                }
                Draft::Process(index) => {
                    row.extend(members.get(index).into_iter().flatten().cloned());
                }
            }
        }
        row
    };
    for draft in &builder.groups {
        let given = Given::new("group", &draft.config.id, &draft.config.origin);
        if stands_in_itself(builder, draft) {
            let message =
                format!("group `{}` would stand inside itself", draft.config.id);
            found.push(
                Diagnostic::error("group-in-itself", message, given.span)
                    .at("a group around it has this id already")
                    .help("give the inner group an id of its own"),
            );
        } else if given.is_new(&mut seen, found) {
            let rows: Vec<_> = draft.rows.iter().map(|drafts| row(drafts)).collect();
            topology.groups.push(group(builder, draft, rows));
        }
    }
    topology.rows =
        Some(row(&builder.members)).into_iter().filter(|row| !row.is_empty()).collect();
}

fn stands_in_itself(builder: &TopologyBuilder, draft: &GroupDraft) -> bool {
    let mut parent = draft.parent;
    while let Some(index) = parent {
        if builder.groups[index].config.id == draft.config.id {
            return true;
        }
        // A parent was made before its child, so this walk ends.
        parent = builder.groups[index].parent;
    }
    false
}

fn group(builder: &TopologyBuilder, draft: &GroupDraft, rows: Vec<Vec<Member>>) -> Group {
    let config = &draft.config;
    let asked = config.width.is_some() || config.height.is_some();
    let size = Size {
        width: config.width.unwrap_or(GROUP_SIZE.width),
        height: config.height.unwrap_or(GROUP_SIZE.height),
    };
    Group {
        id: GroupId::from(config.id.as_str()),
        label: config.label.clone().unwrap_or_else(|| config.id.clone()),
        parent: draft
            .parent
            .map(|index| GroupId::from(builder.groups[index].config.id.as_str())),
        rows: rows.into_iter().filter(|row| !row.is_empty()).collect(),
        size: (asked && draft.sizing == Sizing::AsAsked).then_some(size),
        position: config.position.filter(|_| builder.placement == Placement::Manual),
        style: config.style.clone(),
        color: config.color.clone(),
        layer: config.layer.clone(),
        description: config.description.clone(),
        origin: config.origin.clone(),
    }
}

/// Positions under automatic placement are ignored: one warning says so for all of them.
fn check_positions(builder: &TopologyBuilder, found: &mut Vec<Diagnostic>) {
    if builder.placement == Placement::Manual {
        return;
    }
    let groups =
        builder.groups.iter().map(|draft| (&draft.config.position, &draft.config.origin));
    let processes = builder
        .processes
        .iter()
        .map(|draft| (&draft.config.position, &draft.config.origin));
    let mut placed = groups.chain(processes).filter(|(position, _)| position.is_some());
    let Some((_, origin)) = placed.next() else { return };
    let others = match placed.count() {
        0 => String::new(),
        count => format!(", here and in {count} other places"),
    };
    let message = format!("the position is ignored: the layout is automatic{others}");
    found.push(
        Diagnostic::warning("position-ignored", message, origin.part("x"))
            .at("ignored")
            .help("say `new TopologyBuilder(false)` to place things by hand"),
    );
}

fn play(
    plays: Vec<PlayDraft>,
    topology: &Topology,
    known: &Known,
    found: &mut Vec<Diagnostic>,
) -> Vec<Scenario> {
    let mut seen = BTreeMap::new();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for play in plays {
        let made = match play {
            PlayDraft::Flow(flow) => flow.resolve(topology, known, found),
            PlayDraft::Run(run) => vec![run.resolve(topology, known, found)],
        };
        for mut scenario in made {
            let given = Given::new("scenario", scenario.id.as_str(), &scenario.origin);
            if scenario.origin == Origin::default() {
                // Steps before any `scenario()` have no id of their own: take a free one.
                scenario.id = free_id(&scenario.id, &seen);
                seen.insert(scenario.id.to_string(), None);
                scenarios.push(scenario);
            } else if given.is_new(&mut seen, found) {
                scenarios.push(scenario);
            }
        }
    }
    scenarios
}

fn free_id(id: &ScenarioId, seen: &BTreeMap<String, Option<Span>>) -> ScenarioId {
    let numbered = (2..).map(|number| format!("{id}-{number}"));
    let mut candidates = std::iter::once(id.to_string()).chain(numbered);
    let free = candidates.find(|candidate| !seen.contains_key(candidate));
    free.map_or_else(|| id.clone(), ScenarioId::from)
}

/// An id at the place where it was given.
struct Given<'a> {
    what: &'static str,
    id: &'a str,
    span: Option<Span>,
    whole: Option<Span>,
}

impl<'a> Given<'a> {
    fn new(what: &'static str, id: &'a str, origin: &Origin) -> Given<'a> {
        Given { what, id, span: origin.part("id"), whole: origin.whole }
    }

    /// Whether a front end has reported an error inside this call already: then the id is
    /// empty because it could not be read.
    fn is_about(&self, found: &Diagnostic) -> bool {
        let Some((whole, at)) = self.whole.zip(found.span) else { return false };
        found.severity == Severity::Error
            && whole.file == at.file
            && whole.start <= at.start
            && at.end <= whole.end.max(whole.start)
    }

    /// Whether nobody has the id yet; reports it otherwise.
    fn is_new(
        &self,
        seen: &mut BTreeMap<String, Option<Span>>,
        found: &mut Vec<Diagnostic>,
    ) -> bool {
        let Given { what, id, span, .. } = self;
        if id.trim().is_empty() {
            if found.iter().any(|one| self.is_about(one)) {
                return false;
            }
            found.push(
                Diagnostic::error("empty-id", format!("a {what} has an empty id"), *span)
                    .at("an id needs at least one character"),
            );
            return false;
        }
        if let Some(first) = seen.get(*id) {
            found.push(
                Diagnostic::error(
                    "duplicate-id",
                    format!("two {} have the id `{id}`", plural(what)),
                    *span,
                )
                .at("taken already")
                .label(*first, "first given here")
                .help(format!("give each {what} an id of its own")),
            );
            return false;
        }
        seen.insert((*id).to_owned(), *span);
        true
    }
}

fn plural(what: &str) -> &str {
    match what {
        "process" => "processes",
        "group" => "groups",
        _ => "scenarios",
    }
}
