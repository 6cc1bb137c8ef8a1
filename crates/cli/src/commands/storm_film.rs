//! The picture of a run that has no script: its cluster, drawn as it stands in the run file.

use topomotion_animate::Scheme;
use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Origin, Play, ProcessId, Run, Scenario, ScenarioId, Topology};
use topomotion_script::SourceMap;
use topomotion_sim::{Binding, ClusterPlan, NodeRole, RunFile};
use topomotion_studio::{Account, Dress, Played, Production};
use topomotion_verify::Judged;

use crate::failure::Failure;
use crate::output::Draft;
use crate::picture::{self, Look};
use crate::pipeline::scene;
use crate::terminal::Terminal;
use crate::terminal::print;

/// Draws what happened as an SVG film.
pub fn render(
    file: &RunFile,
    judged: Judged,
    output: &str,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if output != "-" && !output.ends_with(".svg") {
        return Err(Failure::usage(
            "a run is drawn as SVG: name a file that ends in .svg",
        ));
    }
    let id = ScenarioId::from(&*file.scenario);
    let title = match judged.violations.first() {
        Some(violation) => format!("{}: {}", violation.invariant, violation.text),
        None => file.scenario.clone(),
    };
    let scenario = Scenario {
        id,
        title,
        description: None,
        layer: None,
        play: Play::Run(Run::default()),
        origin: Origin::default(),
    };
    let production = Production {
        name: file.scenario.clone(),
        stem: file.scenario.clone(),
        sources: SourceMap::default(),
        topology: topology(&file.cluster)?,
        binding: Binding::of(file.cluster.clone()),
        dress: Dress::default(),
    };
    let stories = [Played { scenario, account: Account::Executed(Box::new(judged)) }];
    let film = production.film(&scene(&production, &stories, terminal), &stories);
    let drawn = picture::svg(&film, None, &Look::of(Scheme::Auto));
    if output == "-" {
        return print(&drawn);
    }
    let mut draft = Draft::begin(std::path::Path::new(output))?;
    draft.fill(drawn.as_bytes())?;
    draft.commit()
}

/// Brokers in one group, controllers in another, clients around them; edges for whoever may
/// dial whom.
fn topology(plan: &ClusterPlan) -> Result<Topology, Failure> {
    let mut builder = TopologyBuilder::default();
    let brokers: Vec<&ProcessId> = plan.brokers().map(|node| &node.process).collect();
    let voters = plan.nodes.iter().filter(|node| node.role == NodeRole::Controller);
    let voters: Vec<&ProcessId> = voters.map(|node| &node.process).collect();
    for (id, members) in [("brokers", &brokers), ("controllers", &voters)] {
        if !members.is_empty() {
            let group = builder.create_group(GroupConfig::new(id));
            for member in members.iter() {
                builder.group(group).add_process(ProcessConfig::new(member.as_str()));
            }
        }
    }
    let producers = plan.producers.iter().map(|one| (&one.process, "produce"));
    let consumers = plan.consumers.iter().map(|one| (&one.process, "fetch"));
    let clients: Vec<(&ProcessId, &str)> = producers.chain(consumers).collect();
    for (client, _) in &clients {
        builder.create_process(ProcessConfig::new(client.as_str()));
    }
    let mut connect = |from: &ProcessId, to: &ProcessId, label: &str| {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(from.as_str(), to.as_str())
        });
    };
    for (index, broker) in brokers.iter().enumerate() {
        brokers[..index].iter().for_each(|other| connect(broker, other, "replicate"));
        voters.iter().for_each(|voter| connect(broker, voter, "metadata"));
    }
    for (index, voter) in voters.iter().enumerate() {
        voters[..index].iter().for_each(|other| connect(voter, other, "vote"));
    }
    for (client, label) in &clients {
        brokers.iter().for_each(|broker| connect(client, broker, label));
    }
    let built = builder.build().map(|(topology, _)| topology);
    built.map_err(|_| Failure::message("the run's cluster cannot be drawn"))
}
