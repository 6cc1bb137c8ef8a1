//! A story being written down: what the families of stories share.

use topomotion_model::{Acks, Awaits, Condition, Origin, ProcessId, Run, Step, StepKind};

use super::cast::Cast;

/// How long a story waits for anything, in ms of engine time.
pub(super) const PATIENCE_MS: u64 = 60_000;

/// A story being written down. A caption belongs to the next step.
#[derive(Debug, Default)]
pub(super) struct Script {
    run: Run,
    caption: Option<String>,
    /// Why it cannot be written.
    wrong: Option<String>,
}

/// What a step sends, where it is not one record with acks=all.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub key: Option<String>,
    /// `None` lets the key decide.
    pub partition: Option<u32>,
    pub acks: Acks,
    pub count: u32,
    pub awaits: Awaits,
}

// Every family of stories calls for others of these.
#[allow(dead_code)]
impl Script {
    pub fn new() -> Script {
        Script::default()
    }

    /// The run, or a sentence that says why there is none. Unless the story is about groups,
    /// consumers are given their partitions by hand, and no coordinator takes part.
    pub fn finish(mut self) -> Result<Run, String> {
        let by_hand = || "assign".to_owned();
        self.run.settings.entry("consumer.membership".to_owned()).or_insert_with(by_hand);
        match self.wrong {
            None => Ok(self.run),
            Some(wrong) => Err(wrong),
        }
    }

    fn push(mut self, kind: StepKind) -> Script {
        let caption = self.caption.take();
        self.run.steps.push(Step { kind, caption, origin: Origin::default() });
        self
    }

    /// Any step.
    pub fn then(self, kind: StepKind) -> Script {
        self.push(kind)
    }

    /// The words under the picture during the next step.
    pub fn caption(mut self, text: impl Into<String>) -> Script {
        self.caption = Some(text.into());
        self
    }

    /// A setting for this run alone; `producer.` and `consumer.` go before a client's.
    pub fn setting(mut self, name: &str, value: &str) -> Script {
        self.run.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Consumers are in groups as Kafka's are: their coordinator gives them their partitions.
    /// Whoever has no committed offset begins with the first record.
    pub fn groups(self) -> Script {
        self.setting("consumer.membership", "subscribe")
            .setting("consumer.auto.offset.reset", "earliest")
    }

    /// One record with acks=all to the partition of the story, and its answer.
    pub fn produce(self, cast: &Cast<'_>, key: &str) -> Script {
        self.produce_as(cast, key, Acks::All)
    }

    /// One record to the partition of the story, and its answer.
    pub fn produce_as(self, cast: &Cast<'_>, key: &str, acks: Acks) -> Script {
        let sent = Sent { acks, ..Sent::one(cast, key) };
        self.send(cast, sent)
    }

    /// One record with acks=all to the partition of the story; nothing waits for its answer.
    pub fn produce_unawaited(self, cast: &Cast<'_>, key: &str) -> Script {
        let sent = Sent { awaits: Awaits::Nothing, ..Sent::one(cast, key) };
        self.send(cast, sent)
    }

    /// Records of the cast's producer to its topic.
    pub fn send(self, cast: &Cast<'_>, sent: Sent) -> Script {
        self.push(StepKind::Produce {
            producer: cast.producer.process.clone(),
            topic: Some(cast.topic.name.clone()),
            key: sent.key,
            value: None,
            partition: sent.partition,
            acks: Some(sent.acks),
            count: sent.count,
            awaits: sent.awaits,
        })
    }

    /// A record to every partition of the topic, all at once, and their answers.
    pub fn one_to_each(mut self, cast: &Cast<'_>) -> Script {
        let count = u32::try_from(cast.topic.assignment.len()).unwrap_or(u32::MAX);
        for partition in 0..count {
            let awaits = match partition + 1 == count {
                true => Awaits::Answers,
                false => Awaits::Nothing,
            };
            let partition = Some(partition);
            let sent = Sent { partition, key: None, awaits, ..Sent::one(cast, "") };
            self = self.send(cast, sent);
        }
        self
    }

    pub fn crash(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Crash(ProcessId::from(process.into())))
    }

    /// Who was down, or was not there yet: a client that a story starts before anything else
    /// happens to it is absent at first.
    pub fn start(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Start(ProcessId::from(process.into())))
    }

    pub fn restart(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Restart(ProcessId::from(process.into())))
    }

    pub fn pause(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Pause(ProcessId::from(process.into())))
    }

    pub fn resume(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Resume(ProcessId::from(process.into())))
    }

    pub fn shutdown(self, process: impl Into<String>) -> Script {
        self.push(StepKind::Shutdown(ProcessId::from(process.into())))
    }

    /// Nothing passes between the two sides, either way.
    pub fn partition(self, left: &[&ProcessId], right: &[&ProcessId]) -> Script {
        let own = |side: &[&ProcessId]| side.iter().copied().cloned().collect();
        self.push(StepKind::Partition(own(left), own(right)))
    }

    /// Any fault: `power-loss broker-1`, `cut a > b`.
    pub fn fault(self, text: impl Into<String>) -> Script {
        self.push(StepKind::Fault(text.into()))
    }

    /// What an administrator asks: `grow orders to 6`.
    pub fn admin(self, text: impl Into<String>) -> Script {
        self.push(StepKind::Admin(text.into()))
    }

    /// A setting of one process alone: `group.instance.id` of `flink-1`.
    pub fn setting_of(self, process: &ProcessId, name: &str, value: &str) -> Script {
        self.setting(&format!("{process}.{name}"), value)
    }

    /// What a client is made to do: `seek orders-0 to earliest`, `begin`.
    pub fn client(self, process: &ProcessId, text: impl Into<String>) -> Script {
        self.push(StepKind::Client(process.clone(), text.into()))
    }

    pub fn heal(self) -> Script {
        self.push(StepKind::Heal)
    }

    pub fn wait(self, ms: u64) -> Script {
        self.push(StepKind::Wait(ms))
    }

    pub fn say(self, text: impl Into<String>) -> Script {
        self.push(StepKind::Say(text.into()))
    }

    /// Waits until this holds, for a minute at most.
    pub fn wait_until(mut self, condition: impl AsRef<str>) -> Script {
        match self.read(condition.as_ref()) {
            Some(condition) => {
                let timeout_ms = PATIENCE_MS;
                self.push(StepKind::WaitUntil { condition, timeout_ms })
            }
            None => self,
        }
    }

    /// Demands that this holds.
    pub fn expect(mut self, condition: impl AsRef<str>) -> Script {
        match self.read(condition.as_ref()) {
            Some(condition) => self.push(StepKind::Expect(condition)),
            None => self,
        }
    }

    /// Demands that every acknowledged record is still there.
    pub fn expect_nothing_lost(self) -> Script {
        self.push(StepKind::Expect(Condition::NoAcknowledgedRecordLost))
    }

    /// Names with spaces cannot stand in a condition.
    fn read(&mut self, text: &str) -> Option<Condition> {
        match Condition::parse(text) {
            Ok(condition) => Some(condition),
            Err(error) => {
                let wrong = format!("It cannot speak of `{text}`: {}.", error.message);
                self.wrong.get_or_insert(wrong);
                None
            }
        }
    }
}

impl Sent {
    /// One record with acks=all to the partition of the story, and its answer.
    pub fn one(cast: &Cast<'_>, key: &str) -> Sent {
        Sent {
            key: Some(key.to_owned()),
            partition: Some(cast.number()),
            acks: Acks::All,
            count: 1,
            awaits: Awaits::Answers,
        }
    }
}
