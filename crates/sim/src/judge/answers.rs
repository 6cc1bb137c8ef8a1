//! What conditions ask of the cluster: who leads, who follows, and every number.

use std::sync::Arc;

use topomotion_model::{Comparison, Count, PartitionName, ProcessId, ReplicaSet, Term};
use topomotion_trace::BrokerLiveness;

use super::{Observer, Registration, Replica, equality, same};
use crate::bind::METADATA;

impl Observer {
    pub(super) fn registered(
        &self,
        partition: &PartitionName,
    ) -> Result<&Registration, String> {
        let found = self.registrations.get(&*partition.to_string());
        found.ok_or_else(|| format!("{partition} does not exist"))
    }

    pub(super) fn leader(
        &self,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: Option<&ProcessId>,
    ) -> Result<(), String> {
        let leader = self.registered(partition)?.leader.as_deref();
        if equality(comparison, leader == wanted.map(ProcessId::as_str)) {
            return Ok(());
        }
        Err(match leader {
            Some(leader) => format!("{leader} leads {partition}"),
            None => format!("nobody leads {partition}"),
        })
    }

    pub(super) fn replicas(
        &self,
        set: ReplicaSet,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: &[ProcessId],
    ) -> Result<(), String> {
        let registration = self.registered(partition)?;
        let none = Vec::new();
        let (found, noun) = match set {
            ReplicaSet::Isr => (&registration.isr, "the ISR"),
            ReplicaSet::Elr => {
                let elr = self.elr.get(&*partition.to_string());
                (elr.unwrap_or(&none), "the ELR")
            }
            ReplicaSet::Assigned => (&registration.replicas, "the replica set"),
        };
        same(found, comparison, wanted)
            .map_err(|is| format!("{noun} of {partition} is {is}"))
    }

    pub(super) fn active(
        &self,
        comparison: Comparison,
        wanted: Option<&ProcessId>,
    ) -> Result<(), String> {
        let controller = self.controller().map(|process| &**process);
        if equality(comparison, controller == wanted.map(ProcessId::as_str)) {
            return Ok(());
        }
        Err(match controller {
            Some(controller) => format!("{controller} is the active controller"),
            None => "no controller is active".to_owned(),
        })
    }

    pub(super) fn fenced(&self, broker: &ProcessId) -> Result<(), String> {
        match self.brokers.get(broker.as_str()) {
            Some(BrokerLiveness::Fenced) => Ok(()),
            Some(BrokerLiveness::Unfenced) => Err(format!("{broker} is unfenced")),
            Some(BrokerLiveness::ControlledShutdown) => {
                Err(format!("{broker} is unfenced and shutting down"))
            }
            None => Err(format!("{broker} is not registered")),
        }
    }

    pub(super) fn was_told(
        &self,
        process: &ProcessId,
        error: &str,
    ) -> Result<(), String> {
        if self.told.contains(&(process.0.clone(), error.to_owned())) {
            return Ok(());
        }
        let others = self.told.iter().filter(|(who, _)| **who == *process.as_str());
        let others: Vec<&str> = others.map(|(_, error)| error.as_str()).collect();
        Err(match others[..] {
            [] => format!("{process} was told of no error"),
            _ => format!("{process} was told {}", others.join(", ")),
        })
    }

    /// A number that belongs to no single partition, or to a client.
    pub(crate) fn count(&self, of: &Count) -> Result<i64, String> {
        let partitions = |wanted: fn(&Registration) -> bool| {
            let found = self.registrations.values().filter(|it| wanted(it)).count();
            i64::try_from(found).unwrap_or(i64::MAX)
        };
        match of {
            Count::UnderReplicated => Ok(partitions(|it| {
                it.leader.is_some() && it.isr.len() < it.replicas.len()
            })),
            Count::Offline => Ok(partitions(|it| it.leader.is_none())),
            Count::QuorumEpoch => Ok(i64::from(self.quorum_epoch)),
            Count::Partitions(topic) => {
                Ok(self.sizes.get(topic.as_str()).copied().unwrap_or(0))
            }
            Count::Position(reader, partition) => {
                let place = (reader.0.clone(), Arc::from(partition.to_string()));
                let position = self.positions.get(&place).copied().flatten();
                position.ok_or_else(|| format!("{reader} has no position in {partition}"))
            }
            Count::RecordsRead(reader) => {
                Ok(self.read.get(reader.as_str()).copied().unwrap_or(0))
            }
            Count::Generation(group) => self.groups.generation(group),
            Count::Members(group) => Ok(self.groups.members(group)),
            Count::Owned(process) => Ok(self.groups.owned_count(process.as_str())),
            Count::Committed(group, partition) => {
                let committed = self.committed(group, &partition.to_string());
                committed.ok_or_else(|| format!("{group} has committed no {partition}"))
            }
            Count::Lag(group, topic) => self.lag(group, topic),
            Count::ProducerEpoch(process) => self.groups.producer_epoch(process.as_str()),
            Count::ReadTwice(who) => Ok(self.groups.read_twice(who)),
            Count::Holds(process, name) => {
                let held = self.held.get(&(process.0.clone(), Arc::from(name.as_str())));
                let none = || format!("{process} holds nothing, or is down");
                held.copied().flatten().ok_or_else(none)
            }
        }
    }

    /// A number that a partition has.
    pub(crate) fn number(
        &self,
        term: Term,
        partition: &PartitionName,
        replica: Option<&ProcessId>,
    ) -> Result<i64, String> {
        if let (Some(process), METADATA) = (replica, &*partition.topic) {
            let at = self.replica(process.as_str(), &partition.to_string());
            return match term {
                Term::HighWatermark => Ok(at.high_watermark),
                Term::LogStart => Ok(at.log_start),
                Term::LogEnd => Ok(at.log_end),
                Term::LeaderEpoch | Term::IsrSize | Term::LastStable => {
                    Err(format!("{partition} has no ISR: a quorum commits it"))
                }
            };
        }
        let registration = self.registered(partition)?;
        let leader_of = || {
            let leader = registration.leader.as_deref();
            let replica = replica.map(ProcessId::as_str).or(leader);
            let replica = replica.ok_or_else(|| format!("nobody leads {partition}"))?;
            Ok::<Replica, String>(self.replica(replica, &partition.to_string()))
        };
        Ok(match term {
            Term::HighWatermark => leader_of()?.high_watermark,
            Term::LogStart => leader_of()?.log_start,
            Term::LogEnd => leader_of()?.log_end,
            Term::LeaderEpoch => i64::from(registration.leader_epoch),
            Term::LastStable => {
                let leader = registration.leader.as_deref();
                let process = replica.map(ProcessId::as_str).or(leader);
                let told = process.and_then(|process| {
                    self.groups.last_stable(process, &partition.to_string())
                });
                // Where no transaction was, it is the high watermark.
                told.unwrap_or(leader_of()?.high_watermark)
            }
            Term::IsrSize => i64::try_from(registration.isr.len()).unwrap_or(i64::MAX),
        })
    }
}
