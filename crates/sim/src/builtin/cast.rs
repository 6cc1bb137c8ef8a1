//! Who plays: a partition to tell a story about, with who stands where.

use topomotion_model::{Acks, PartitionName, ProcessId};

use crate::{ClusterPlan, ConsumerPlan, NodeRole, ProducerPlan, TopicPlan};

/// A partition to tell a story about, with who stands where.
#[derive(Debug)]
pub(super) struct Cast<'a> {
    pub plan: &'a ClusterPlan,
    /// Who sends: one that asks for acks=all, if there is one.
    pub producer: &'a ProducerPlan,
    /// Where it sends to.
    pub topic: &'a TopicPlan,
    /// Which of its partitions: the one that the picture's edge leads to.
    pub partition: usize,
}

// Every family of stories calls for others of these.
#[allow(dead_code)]
impl<'a> Cast<'a> {
    pub fn find(plan: &'a ClusterPlan) -> Result<Cast<'a>, String> {
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
        Ok(Cast { plan, producer, topic, partition })
    }

    /// The partition's name, to stand in conditions and lines: `orders-0`.
    pub fn name(&self) -> PartitionName {
        PartitionName { topic: self.topic.name.clone(), partition: self.number() }
    }

    pub fn number(&self) -> u32 {
        u32::try_from(self.partition).unwrap_or(0)
    }

    /// The replicas' processes, leader first.
    pub fn replicas(&self) -> Vec<&'a ProcessId> {
        let none = Vec::new();
        let ids = self.topic.assignment.get(self.partition).unwrap_or(&none);
        ids.iter().filter_map(|&id| self.plan.process_of(id)).collect()
    }

    /// The replicas' processes, leader first; at least so many.
    pub fn replicas_at_least(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        let replicas = self.replicas();
        if replicas.len() >= count {
            return Ok(replicas);
        }
        let (name, found) = (self.name(), replicas.len());
        Err(match (count, found) {
            (2, 1) => format!("It needs a second replica: {name} has only one."),
            _ => format!("It needs {count} replicas: {name} has {found}."),
        })
    }

    /// Who leads at first.
    pub fn leader(&self) -> Result<&'a ProcessId, String> {
        Ok(self.replicas_at_least(1)?[0])
    }

    /// Who follows at first; at least so many.
    pub fn followers(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        Ok(self.replicas_at_least(count + 1)?.split_off(1))
    }

    /// Who reads the partition.
    pub fn consumer(&self) -> Result<&'a ConsumerPlan, String> {
        let number = i32::try_from(self.partition).unwrap_or(0);
        let wanted = (self.topic.name.clone(), number);
        let mut readers = self.plan.consumers.iter();
        readers.find(|reader| reader.assignment.contains(&wanted)).ok_or_else(|| {
            let name = self.name();
            format!("It needs a consumer of {name}: a process that dials a broker.")
        })
    }

    /// A group that reads the topic, the one with the most members first in the picture's
    /// order, and its members: at least so many.
    pub fn group(&self, count: usize) -> Result<(&'a str, Vec<&'a ProcessId>), String> {
        let reads = |one: &&ConsumerPlan| one.topics().contains(&&*self.topic.name);
        let mut groups: Vec<(&str, Vec<&ProcessId>)> = Vec::new();
        for reader in self.plan.consumers.iter().filter(reads) {
            match groups.iter_mut().find(|(group, _)| *group == reader.group) {
                Some((_, members)) => members.push(&reader.process),
                None => groups.push((&reader.group, vec![&reader.process])),
            }
        }
        // The first of the largest.
        let largest = groups.into_iter().rev().max_by_key(|(_, members)| members.len());
        let topic = &self.topic.name;
        match largest {
            Some((group, members)) if members.len() >= count => Ok((group, members)),
            Some((group, members)) => Err(format!(
                "It needs a group of {count} consumers of {topic}: {group} has {}.",
                members.len()
            )),
            None => Err(format!(
                "It needs a consumer of {topic}: a process that dials a broker."
            )),
        }
    }

    /// Consumers of the topic outside this group, each the first of its own.
    pub fn other_groups(&self, group: &str) -> Vec<(&'a str, &'a ProcessId)> {
        let mut found: Vec<(&str, &ProcessId)> = Vec::new();
        for reader in &self.plan.consumers {
            let is_new = found.iter().all(|(known, _)| *known != reader.group);
            let reads = reader.topics().contains(&&*self.topic.name);
            if reader.group != group && is_new && reads {
                found.push((&reader.group, &reader.process));
            }
        }
        found
    }

    /// All partitions of the topic, for conditions: `orders-0`, `orders-1`; at least so many.
    pub fn partitions(&self, count: usize) -> Result<Vec<PartitionName>, String> {
        let all = self.topic.assignment.len();
        let name =
            |partition| PartitionName { topic: self.topic.name.clone(), partition };
        match all >= count {
            true => Ok((0..).take(all).map(name).collect()),
            false => Err(format!(
                "It needs {count} partitions of {}: there are {all}.",
                self.topic.name
            )),
        }
    }

    /// All brokers, in the picture's order; at least so many.
    pub fn brokers(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        let brokers: Vec<&ProcessId> =
            self.plan.brokers().map(|node| &node.process).collect();
        match brokers.len() {
            found if found >= count => Ok(brokers),
            found => Err(format!("It needs {count} brokers: there are {found}.")),
        }
    }

    /// Brokers that hold no replica of the partition; at least so many.
    pub fn spare_brokers(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        let replicas = self.replicas();
        let mut spare = self.brokers(0)?;
        spare.retain(|broker| !replicas.contains(broker));
        match spare.len() {
            found if found >= count => Ok(spare),
            found => Err(format!(
                "It needs {count} brokers without a replica of {}: there are {found}.",
                self.name()
            )),
        }
    }

    /// Who votes in the metadata quorum; at least so many. Who leads it is known only while
    /// the run plays: `@controller`.
    pub fn voters(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        let voters: Vec<&ProcessId> =
            self.plan.voters().map(|node| &node.process).collect();
        match voters.len() {
            found if found >= count => Ok(voters),
            found => Err(format!("It needs {count} controllers: there are {found}.")),
        }
    }

    /// Voters that are no brokers, so that the data goes on without them.
    pub fn pure_voters(&self, count: usize) -> Result<Vec<&'a ProcessId>, String> {
        let pure = self.plan.voters().filter(|node| node.role == NodeRole::Controller);
        let pure: Vec<&ProcessId> = pure.map(|node| &node.process).collect();
        match pure.len() {
            found if found >= count => Ok(pure),
            found => Err(format!(
                "It needs {count} controllers that are no brokers: there are {found}."
            )),
        }
    }

    /// `min.insync.replicas` of the topic.
    pub fn least(&self) -> usize {
        let least = self.topic.settings.get("min.insync.replicas");
        let least = least.or_else(|| self.plan.settings.get("min.insync.replicas"));
        least.and_then(|value| value.parse().ok()).unwrap_or(1)
    }

    /// Whether the cluster can go on without this broker.
    pub fn survives(&self, leader: &ProcessId) -> Result<(), String> {
        let node = self.plan.node(leader);
        let votes = node.is_some_and(|node| node.role == NodeRole::Combined);
        if votes && self.plan.voters().count() < 3 {
            return Err(format!(
                "It needs a controller that outlives `{leader}`: add one, or two more \
                 brokers."
            ));
        }
        let least = self.least();
        if self.replicas().len().saturating_sub(1) < least {
            return Err(format!(
                "It needs a replica to spare: without `{leader}` the ISR of {} is below \
                 min.insync.replicas={least}.",
                self.name()
            ));
        }
        Ok(())
    }
}

/// `a, b` as it stands between the braces of a set.
pub(super) fn list(processes: &[&ProcessId]) -> String {
    let names: Vec<&str> = processes.iter().map(|process| process.as_str()).collect();
    names.join(", ")
}
