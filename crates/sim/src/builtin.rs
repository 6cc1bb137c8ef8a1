//! The scenarios that every fitting cluster can play.
//!
//! They are ordinary runs, built from the binding: nothing in the runner knows them.

use topomotion_model::{
    Acks, Awaits, Comparison, Condition, Origin, PartitionName, Play, ProcessId,
    ReplicaSet, Run, Scenario, ScenarioId, Step, StepKind, Term,
};

use crate::{Binding, Bound, ClusterPlan, NodeRole, ProducerPlan, TopicPlan};

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

/// How long a leader election may take in engine time.
const ELECTION_MS: u64 = 60_000;

/// Every built-in scenario, fitting or not.
pub fn builtins(binding: &Binding) -> Vec<Builtin> {
    let make = |id: &str, title: &'static str, tell: &str, steps: Steps| Builtin {
        id: id.into(),
        title,
        fit: match binding.bound() {
            Bound::Nothing(reason) => Err(format!("It needs a Kafka cluster: {reason}.")),
            Bound::Cluster(plan) => steps(plan).map(|steps| Scenario {
                id: id.into(),
                title: title.to_owned(),
                description: Some(tell.to_owned()),
                layer: None,
                play: Play::Run(Run { steps, ..Run::default() }),
                origin: Origin::default(),
            }),
        },
    };
    vec![
        make(
            "acks-all",
            "Producer acks=all: full acknowledgement chain",
            "The leader answers once every in-sync replica has fetched the record.",
            acks_all,
        ),
        make(
            "leader-election",
            "Broker failure: leader election",
            "The leader of a partition dies; a follower in the ISR takes over and nothing \
             that was acknowledged is lost.",
            leader_election,
        ),
    ]
}

/// Those built-in scenarios that fit the cluster.
pub fn builtin_scenarios(binding: &Binding) -> Vec<Scenario> {
    builtins(binding).into_iter().filter_map(|builtin| builtin.fit.ok()).collect()
}

type Steps = fn(&ClusterPlan) -> Result<Vec<Step>, String>;

/// A partition to tell a story about, with who stands where.
struct Stage<'a> {
    plan: &'a ClusterPlan,
    producer: &'a ProducerPlan,
    topic: &'a TopicPlan,
    partition: usize,
}

impl<'a> Stage<'a> {
    fn find(plan: &'a ClusterPlan) -> Result<Stage<'a>, String> {
        let asks_all = |producer: &&ProducerPlan| producer.acks == Acks::All;
        let producers = &plan.producers;
        let producer = producers.iter().find(asks_all).or(producers.first());
        let producer =
            producer.ok_or("It needs a producer: a process that dials a broker.")?;
        let topic = plan.topic(&producer.topic).ok_or("It needs a topic.")?;
        // The partition that the picture's edge leads to makes the shortest story.
        let dialled = plan.node(&producer.bootstrap).map(|node| node.id);
        let led = |replicas: &Vec<i32>| replicas.first().copied() == dialled;
        let partition = topic.assignment.iter().position(led).unwrap_or(0);
        let replicas = topic.assignment.get(partition).map_or(0, Vec::len);
        if replicas < 2 {
            let name = &topic.name;
            return Err(format!(
                "It needs a second replica: {name}-{partition} has only one."
            ));
        }
        Ok(Stage { plan, producer, topic, partition })
    }

    fn name(&self) -> PartitionName {
        let partition = u32::try_from(self.partition).unwrap_or(0);
        PartitionName { topic: self.topic.name.clone(), partition }
    }

    /// The replicas' processes, leader first.
    fn replicas(&self) -> Vec<ProcessId> {
        let ids = &self.topic.assignment[self.partition];
        ids.iter().filter_map(|&id| self.plan.process_of(id)).cloned().collect()
    }

    fn produce(&self, key: &str) -> Step {
        step(StepKind::Produce {
            producer: self.producer.process.clone(),
            topic: Some(self.topic.name.clone()),
            key: Some(key.to_owned()),
            value: None,
            partition: Some(self.name().partition),
            acks: Some(Acks::All),
            count: 1,
            awaits: Awaits::Answers,
        })
    }

    fn number(&self, term: Term, comparison: Comparison, value: i64) -> Step {
        let partition = self.name();
        step(StepKind::Expect(Condition::Number {
            term,
            partition,
            replica: None,
            comparison,
            value,
        }))
    }
}

fn step(kind: StepKind) -> Step {
    Step { kind, caption: None, origin: Origin::default() }
}

fn acks_all(plan: &ClusterPlan) -> Result<Vec<Step>, String> {
    let stage = Stage::find(plan)?;
    let replicas = i64::try_from(stage.replicas().len()).unwrap_or(i64::MAX);
    Ok(vec![
        stage.produce("order-123"),
        stage.number(Term::HighWatermark, Comparison::AtLeast, 1),
        stage.number(Term::IsrSize, Comparison::Equal, replicas),
        step(StepKind::Expect(Condition::NoAcknowledgedRecordLost)),
    ])
}

fn leader_election(plan: &ClusterPlan) -> Result<Vec<Step>, String> {
    let stage = Stage::find(plan)?;
    let replicas = stage.replicas();
    let [leader, successor, ..] = &replicas[..] else {
        return Err("It needs a second replica.".to_owned());
    };
    let partition = stage.name();
    survivable(plan, &stage, leader)?;
    let mut isr = replicas[1..].to_vec();
    isr.sort();
    let leads = |process: &ProcessId| Condition::Leader {
        partition: partition.clone(),
        comparison: Comparison::Equal,
        process: Some(process.clone()),
    };
    let comparison = Comparison::Equal;
    let condition = Condition::Replicas {
        set: ReplicaSet::Isr,
        partition: partition.clone(),
        comparison,
        processes: isr,
    };
    Ok(vec![
        stage.produce("order-123"),
        step(StepKind::Crash(leader.clone())),
        step(StepKind::WaitUntil {
            condition: leads(successor),
            timeout_ms: ELECTION_MS,
        }),
        stage.produce("order-124"),
        step(StepKind::Expect(Condition::NoAcknowledgedRecordLost)),
        step(StepKind::Expect(leads(successor))),
        step(StepKind::Expect(condition)),
        stage.number(Term::HighWatermark, Comparison::AtLeast, 2),
    ])
}

/// Whether the cluster can go on without this broker.
fn survivable(
    plan: &ClusterPlan,
    stage: &Stage<'_>,
    leader: &ProcessId,
) -> Result<(), String> {
    let votes = plan.node(leader).is_some_and(|node| node.role == NodeRole::Combined);
    if votes && plan.voters().count() < 3 {
        return Err(format!(
            "It needs a controller that outlives `{leader}`: add one, or two more brokers."
        ));
    }
    let least = stage.topic.settings.get("min.insync.replicas");
    let least = least.or_else(|| plan.settings.get("min.insync.replicas"));
    let least: usize = least.and_then(|value| value.parse().ok()).unwrap_or(1);
    let left = stage.replicas().len() - 1;
    if left < least {
        let name = stage.name();
        return Err(format!(
            "It needs a replica to spare: without `{leader}` the ISR of {name} is below \
             min.insync.replicas={least}."
        ));
    }
    Ok(())
}
