//! Applications on Kafka, as the settings of a consumer make them: what it does with every
//! record, and the producer and the topics that it needs for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_actors::{Guarantee, HandlerConfig, StreamConfig};
use topomotion_model::Acks;
use topomotion_wire::Duration;

use crate::ClusterPlan;
use crate::plan::{ConsumerPlan, ProducerPlan, TopicPlan};
use crate::settings::{Judgement, Owner};

const FAILS_ON: &str = "processing.fails.on";
const RETRIES: &str = "processing.retries";
const BACKOFF: &str = "processing.backoff.ms";
const RETRY_TOPIC: &str = "processing.retry.topic";
const DEAD_LETTERS: &str = "processing.dlq.topic";
const INPUT: &str = "processing.input.topic";
const OUTPUT: &str = "processing.output.topic";
const AUTO_COMMIT: &str = "enable.auto.commit";

const COUNTS: &str = "streams.count.topic";
const AT_LEAST: &str = "streams.filter";
const HAVING: &str = "streams.having";
const WINDOW: &str = "streams.window.ms";
const COMMIT: &str = "commit.interval.ms";
const GUARANTEE: &str = "processing.guarantee";

const STREAM: [&str; 6] = [COUNTS, AT_LEAST, HAVING, WINDOW, COMMIT, GUARANTEE];

const HANDLER: [&str; 7] =
    [FAILS_ON, RETRIES, BACKOFF, RETRY_TOPIC, DEAD_LETTERS, INPUT, OUTPUT];

/// What is to be said of a consumer's setting, if it concerns its application.
pub(crate) fn check(owner: Owner, name: &str, value: &str) -> Option<Judgement> {
    let is_known = HANDLER.contains(&name) || STREAM.contains(&name);
    if owner != Owner::Consumer || !is_known {
        return None;
    }
    let number = value.parse::<u32>().is_ok();
    Some(match name {
        RETRIES | BACKOFF | WINDOW | COMMIT if number => Judgement::Good,
        RETRIES | BACKOFF | WINDOW | COMMIT => {
            Judgement::Bad("write a whole number".to_owned())
        }
        GUARANTEE if !matches!(value, "at_least_once" | EXACTLY_ONCE) => {
            Judgement::Bad(format!("write at_least_once or {EXACTLY_ONCE}"))
        }
        AT_LEAST if at_least(value).is_none() => {
            Judgement::Bad("write a field and a number: `amount >= 10`".to_owned())
        }
        HAVING if having(value).is_none() => {
            Judgement::Bad("write the least count: `count >= 3`".to_owned())
        }
        RETRY_TOPIC | DEAD_LETTERS | INPUT | OUTPUT | COUNTS if !is_topic(value) => {
            Judgement::Bad("write the name of a topic".to_owned())
        }
        _ => Judgement::Good,
    })
}

/// Whether a topic may have this name.
fn is_topic(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=249).contains(&name.len())
        && name.chars().all(legal)
        && !matches!(name, "." | "..")
}

const EXACTLY_ONCE: &str = "exactly_once_v2";

fn at_least(text: &str) -> Option<(Arc<str>, i64)> {
    let (field, limit) = text.split_once(">=")?;
    let field = field.trim();
    (!field.is_empty()).then_some(())?;
    Some((field.into(), limit.trim().parse().ok()?))
}

/// `count >= 3`
fn having(text: &str) -> Option<u64> {
    let (field, least) = at_least(text)?;
    (&*field == "count").then_some(())?;
    u64::try_from(least).ok()
}

/// What a consumer with these settings counts; nothing without a topic for the counts.
pub(crate) fn stream(
    group: &str,
    settings: &BTreeMap<String, String>,
) -> Option<StreamConfig> {
    let output = settings.get(COUNTS)?;
    let ms = |name: &str| settings.get(name)?.parse::<u32>().ok();
    let ms = |name: &str| ms(name).map(|ms| Duration::from_millis(u64::from(ms)));
    let guarantee = match settings.get(GUARANTEE).is_some_and(|it| it == EXACTLY_ONCE) {
        true => Guarantee::ExactlyOnce,
        false => Guarantee::AtLeastOnce,
    };
    // The defaults of Kafka Streams.
    let interval = match guarantee {
        Guarantee::AtLeastOnce => Duration::from_millis(30_000),
        Guarantee::ExactlyOnce => Duration::from_millis(100),
    };
    Some(StreamConfig {
        at_least: settings.get(AT_LEAST).and_then(|it| at_least(it)),
        commit_interval: ms(COMMIT).unwrap_or(interval),
        having: settings.get(HAVING).and_then(|it| having(it)),
        window: ms(WINDOW),
        output: output.as_str().into(),
        changelog: changelog(group, output).into(),
        guarantee,
    })
}

/// As Kafka Streams names it: `flink-stream-counts-changelog`.
fn changelog(group: &str, store: &str) -> String {
    format!("{group}-{store}-changelog")
}

/// What a consumer with these settings does with records that it fails on.
pub(crate) fn handler(settings: &BTreeMap<String, String>) -> Option<HandlerConfig> {
    let text = |name: &str| settings.get(name).map(|value| value.as_str().into());
    HANDLER.iter().any(|name| settings.contains_key(*name)).then(|| {
        let plain = HandlerConfig::default();
        let number = |name: &str| settings.get(name)?.parse::<u32>().ok();
        let backoff = number(BACKOFF).map(|ms| Duration::from_millis(u64::from(ms)));
        HandlerConfig {
            fails_on: text(FAILS_ON),
            retries: number(RETRIES).unwrap_or(plain.retries),
            backoff: backoff.unwrap_or(plain.backoff),
            retry_topic: text(RETRY_TOPIC),
            dead_letters: text(DEAD_LETTERS),
            output: text(OUTPUT),
        }
    })
}

/// Gives each application what it needs: it commits by itself, writes, and reads its retry
/// topic; the topics that it names are there.
pub(crate) fn equip(plan: &mut ClusterPlan) {
    let readers = plan.consumers.iter();
    let readers = readers.filter(|one| handler(&one.settings).is_some());
    let readers: BTreeSet<usize> = readers
        .filter_map(|one| plan.consumers.iter().position(|it| it.process == one.process))
        .collect();
    equip_streams(plan);
    for index in readers {
        let Some(reader) = plan.consumers.get_mut(index) else { continue };
        let off = || "false".to_owned();
        reader.settings.entry(AUTO_COMMIT.to_owned()).or_insert_with(off);
        let named = |name: &str| reader.settings.get(name).cloned();
        let (retry, dead) = (named(RETRY_TOPIC), named(DEAD_LETTERS));
        let output = named(OUTPUT);
        let source = reader.topics().first().map(|&topic| topic.to_owned());
        if let Some(retry) = &retry {
            subscribe(reader, retry);
        }
        let reader = reader.clone();
        let Some(source) = source else { continue };
        for topic in retry.into_iter().chain(dead.clone()).chain(output.clone()) {
            add_topic(plan, &topic, &source, 1);
        }
        add_producer(plan, &reader, output.or(dead).unwrap_or(source));
    }
    for reader in &mut plan.consumers {
        // Who reads another topic than the picture says reads nothing else.
        if let Some(input) = reader.settings.get(INPUT).cloned()
            && let Some(topic) = plan.topics.iter().find(|topic| topic.name == input)
        {
            let partitions = 0..topic.assignment.len();
            let all = partitions
                .filter_map(|at| Some((input.clone(), i32::try_from(at).ok()?)));
            reader.assignment = all.collect();
            reader.subscription = vec![input];
        }
    }
}

/// The same for what counts: its changelog is compacted and has as many partitions as what
/// it reads.
fn equip_streams(plan: &mut ClusterPlan) {
    for index in 0..plan.consumers.len() {
        let Some(reader) = plan.consumers.get_mut(index) else { continue };
        let Some(config) = stream(&reader.group, &reader.settings) else { continue };
        let is_exact = config.guarantee == Guarantee::ExactlyOnce;
        let mut set = |name: &str, value: &str| {
            let value = || value.to_owned();
            reader.settings.entry(name.to_owned()).or_insert_with(value);
        };
        set(AUTO_COMMIT, "false");
        if is_exact {
            set("isolation.level", "read_committed");
        }
        let reader = reader.clone();
        let Some(source) = reader.topics().first().map(|&topic| topic.to_owned()) else {
            continue;
        };
        let partitions = plan.topic(&source).map_or(1, |topic| topic.assignment.len());
        add_topic(plan, &config.changelog, &source, partitions);
        add_topic(plan, &config.output, &source, partitions);
        let changelog =
            plan.topics.iter_mut().find(|topic| *topic.name == *config.changelog);
        if let Some(changelog) = changelog {
            let compact = || "compact".to_owned();
            changelog.settings.entry("cleanup.policy".to_owned()).or_insert_with(compact);
        }
        add_producer(plan, &reader, config.output.to_string());
        let own = plan.producers.iter_mut().find(|one| one.process == reader.process);
        if let (Some(own), true) = (own, is_exact) {
            let id = || format!("{}-{}", reader.group, reader.process);
            own.settings.entry("transactional.id".to_owned()).or_insert_with(id);
        }
    }
}

fn subscribe(reader: &mut ConsumerPlan, topic: &str) {
    let mut topics: Vec<String> =
        reader.topics().iter().map(|&known| known.to_owned()).collect();
    if !topics.iter().any(|known| known == topic) {
        topics.push(topic.to_owned());
        reader.subscription = topics;
    }
}

fn add_producer(plan: &mut ClusterPlan, reader: &ConsumerPlan, topic: String) {
    if plan.producers.iter().any(|one| one.process == reader.process) {
        return;
    }
    plan.producers.push(ProducerPlan {
        process: reader.process.clone(),
        bootstrap: reader.bootstrap.clone(),
        acks: Acks::All,
        topic,
        settings: BTreeMap::new(),
    });
}

/// A topic with so many partitions that are where those of another are, if it is not there.
fn add_topic(plan: &mut ClusterPlan, name: &str, like: &str, partitions: usize) {
    if plan.topic(name).is_some() {
        return;
    }
    let Some(like) = plan.topic(like) else { return };
    let assignment = like.assignment.iter().cycle().take(partitions).cloned().collect();
    let settings = like.settings.clone();
    plan.topics.push(TopicPlan { name: name.to_owned(), assignment, settings });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_an_application_is_checked_by_kind() {
        let judged = |name, value| check(Owner::Consumer, name, value);
        assert_eq!(judged(RETRIES, "3"), Some(Judgement::Good));
        assert!(matches!(judged(BACKOFF, "soon"), Some(Judgement::Bad(_))));
        assert!(matches!(judged(DEAD_LETTERS, "a b"), Some(Judgement::Bad(_))));
        assert_eq!(judged(HAVING, "count >= 3"), Some(Judgement::Good));
        assert!(matches!(judged(HAVING, "amount >= 3"), Some(Judgement::Bad(_))));
        assert_eq!(judged("fetch.min.bytes", "1"), None);
        assert_eq!(check(Owner::Producer, RETRIES, "3"), None);
    }

    #[test]
    fn a_consumer_without_such_settings_is_no_application() {
        assert_eq!(handler(&BTreeMap::new()), None);
        let settings = BTreeMap::from([(RETRIES.to_owned(), "5".to_owned())]);
        assert_eq!(handler(&settings).map(|it| it.retries), Some(5));
    }
}
