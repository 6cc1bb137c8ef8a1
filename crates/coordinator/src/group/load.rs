//! What a new coordinator reads from its partition: the groups as their records left them.

use std::sync::Arc;

use topomotion_wire::{Defect, Instant, Offset, TopicPartition};

use super::classic::ClassicGroup;
use super::commit::Groups;
use super::consumer::ConsumerGroup;
use super::group::{Group, Kind};
use super::offsets::Committed;
use super::records::{ClassicValue, Key, OffsetValue};
use crate::shard::{Control, Loaded, Stamp};

/// What a marker makes count: group, partition, offset.
pub(super) type Ended = Vec<(Arc<str>, TopicPartition, Offset)>;

/// What a transaction's end makes count, in every group.
pub(super) fn end(groups: &mut Groups, stamp: Stamp, control: Control) -> Ended {
    let ends = groups.iter_mut().flat_map(|(id, group)| {
        let ended = group.offsets.end(stamp, control).into_iter();
        ended.map(|(partition, offset)| (id.clone(), partition, offset))
    });
    ends.collect()
}

/// Takes in a record that the log holds. Those of other types are for later releases.
pub(super) fn replay(groups: &mut Groups, now: Instant, loaded: Loaded) {
    match loaded {
        Loaded::Marker { .. } => {}
        Loaded::Record { offset, transaction, key, value, .. } => {
            let Some(key) = Key::decode(&key) else { return };
            match (&key, value) {
                (Key::Offset { .. }, Some(value)) => {
                    let Some(value) = OffsetValue::decode(&value) else { return };
                    let committed = Committed { value, at: offset };
                    let group = groups.entry(key.group().clone()).or_insert_with(simple);
                    let Some(partition) = key.partition() else { return };
                    match transaction {
                        Some(stamp) => group.offsets.pend(stamp, partition, committed),
                        None => group.offsets.put(partition, Some(committed)),
                    }
                }
                (Key::Offset { .. }, None) => {
                    let group = groups.get_mut(key.group());
                    if let (Some(group), Some(partition)) = (group, key.partition()) {
                        group.offsets.put(partition, None);
                    }
                }
                (Key::Classic { .. }, value) => {
                    let value = value.and_then(|value| ClassicValue::decode(&value));
                    replay_classic(groups, now, &key, value);
                }
                (
                    Key::Epoch { .. }
                    | Key::Member { .. }
                    | Key::TargetEpoch { .. }
                    | Key::Target { .. }
                    | Key::Current { .. },
                    value,
                ) => replay_consumer(groups, &key, value.as_deref()),
            }
        }
    }
}

/// A group of which only offsets are known.
fn simple() -> Group {
    Group::new(Kind::Classic(ClassicGroup::new(-1)))
}

fn replay_classic(
    groups: &mut Groups,
    now: Instant,
    key: &Key,
    value: Option<ClassicValue>,
) {
    let group = groups.entry(key.group().clone()).or_insert_with(simple);
    match value {
        Some(value) => {
            let mut classic = ClassicGroup::from_value(value, now);
            if Defect::GenerationReset.is_sown() {
                classic.generation = 0;
            }
            group.kind = Kind::Classic(classic);
        }
        None => {
            if group.classic().is_some() {
                group.kind = simple().kind;
            }
        }
    }
}

fn replay_consumer(groups: &mut Groups, key: &Key, value: Option<&[u8]>) {
    let known = groups.get_mut(key.group());
    let group = match (known, value) {
        (Some(group), _) => group,
        (None, Some(_)) => groups.entry(key.group().clone()).or_insert_with(simple),
        (None, None) => return,
    };
    match (&mut group.kind, value) {
        (Kind::Consumer(_), None) if matches!(key, Key::Epoch { .. }) => {
            group.kind = simple().kind;
        }
        (Kind::Consumer(consumer), value) => consumer.replay(key, value),
        (Kind::Classic(_), Some(value)) => {
            let mut consumer = ConsumerGroup::default();
            consumer.replay(key, Some(value));
            group.kind = Kind::Consumer(consumer);
        }
        (Kind::Classic(_), None) => {}
    }
}
