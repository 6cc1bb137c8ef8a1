//! What the words on a connection say of the traffic over it.

/// Verbs of who writes records.
pub(crate) const PRODUCES: &[&str] = &["produce", "produces", "send", "publish", "write"];
/// Verbs of who reads them.
pub(crate) const CONSUMES: &[&str] =
    &["fetch", "consume", "consumes", "poll", "subscribe"];
/// Words of copying among equals.
pub(crate) const REPLICATES: &[&str] =
    &["replicate", "replicates", "replication", "replica", "isr"];

/// Words that may stand between the verb and the topic.
const PARTICLES: &[&str] = &["to", "into", "in", "on", "the", "a", "topic"];
/// Words after a verb that tell how or how much, not where to.
const NO_TOPICS: &[&str] = &[
    "record",
    "records",
    "message",
    "messages",
    "data",
    "batch",
    "batches",
    "with",
    "via",
    "kafka",
    "acks",
    "async",
    "idempotent",
    "transactional",
    "keyed",
    "request",
    "and",
    "then",
    "partition",
    "partitions",
];

/// Whether one of these words stands in the text.
pub(crate) fn has_word(text: &str, wanted: &[&str]) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| is_one(word, wanted))
}

/// The topic that a label says is written to: `payments` in `produce payments acks=all`.
pub fn produced_topic(label: &str) -> Option<&str> {
    let mut words = label.split_whitespace();
    words.find(|word| is_one(word, PRODUCES))?;
    let name = words.find(|word| !is_one(word, PARTICLES))?;
    let name = name.trim_matches(['`', '"', '\'', ',', ':']);
    (is_topic_name(name) && !is_one(name, NO_TOPICS)).then_some(name)
}

/// The topic and the partition that a badge names: `payments-0`. A badge such as `p0` or
/// `shard 2` gives the partition alone.
pub fn partition_on_badge(badge: &str) -> Option<(Option<&str>, usize)> {
    let stem = badge.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = badge[stem.len()..].parse().ok()?;
    let topic = stem.trim_end_matches(['-', '/', '#', ':', ' ', '.']);
    let is_named = topic.len() < stem.len()
        && is_topic_name(topic)
        && !is_one(topic, &["partition", "shard", "replica", "part", "topic"]);
    Some((is_named.then_some(topic), number))
}

/// A name that Kafka takes, that is a word, and not the short form of a partition.
fn is_topic_name(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_short = name.trim_end_matches(|c: char| c.is_ascii_digit()).len() < 2;
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_legal)
        && !is_short
}

fn is_one(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_the_topic_behind_its_verb() {
        assert_eq!(produced_topic("produce payments acks=all"), Some("payments"));
        assert_eq!(produced_topic("Publish to the topic orders.v1"), Some("orders.v1"));
        for label in [
            "produce",
            "produce acks=all",
            "produce p0",
            "produce (acks=1)",
            "send 10 records",
            "write records",
            "fetch payments",
        ] {
            assert_eq!(produced_topic(label), None, "{label}");
        }
    }

    #[test]
    fn a_badge_names_a_partition_and_perhaps_its_topic() {
        assert_eq!(partition_on_badge("payments-0"), Some((Some("payments"), 0)));
        assert_eq!(partition_on_badge("p12"), Some((None, 12)));
        assert_eq!(partition_on_badge("shard-2"), Some((None, 2)));
        assert_eq!(partition_on_badge("s-1"), Some((None, 1)));
        assert_eq!(
            partition_on_badge("rs0"),
            Some((None, 0)),
            "a replica set of its own"
        );
        assert_eq!(partition_on_badge("hot"), None);
    }
}
