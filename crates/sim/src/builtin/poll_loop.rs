//! A: a consumer from within, poll by poll.

use topomotion_model::ProcessId;

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[Entry {
    id: "poll-loop",
    title: "Inside a consumer: the poll loop",
    tell: "poll() joins the group, learns where to begin, fetches ahead, hands records on; \
           the application works, commits, and polls again.",
    billing: Billing::OnDemand,
    script: poll_loop,
}];

fn poll_loop(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, reader) = loner(cast)?;
    let name = cast.name();
    Ok(Script::new()
        .groups()
        .setting("consumer.enable.auto.commit", "false")
        .setting("consumer.max.poll.records", "2")
        .caption("The first poll(): who coordinates the group? Join it.")
        .start(reader.as_str())
        .client(reader, "work 300 ms per record")
        .wait_until(format!("owns({reader}, {name})"))
        .caption("The partitions are known. Where did the group leave off? Nowhere yet.")
        .wait_until(format!("position({reader}, {name}) == 0"))
        .caption("One fetch to each leader waits there for records, up to 500 ms.")
        .wait(600)
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-1") })
        .caption("Three came at once. poll() hands two of them on: max.poll.records.")
        .wait_until(format!("records-read({reader}) == 2"))
        .caption("While the application works, another thread sends the heartbeats.")
        .wait_until(format!("records-read({reader}) == 3"))
        .caption("The third was there already: this poll() asked nobody.")
        .wait(400)
        .caption("commit: 3 is the next offset to read, not the last one that was.")
        .client(reader, "commit")
        .wait_until(format!("committed({group}, {name}) == 3"))
        .expect(format!("lag({group}, {name}) == 0"))
        .expect(format!("read-twice({reader}) == 0"))
        .expect_nothing_lost())
}

/// A consumer that is alone in its group, and so reads all of the topic.
pub(super) fn loner<'a>(cast: &Cast<'a>) -> Result<(&'a str, &'a ProcessId), String> {
    let (largest, members) = cast.group(1)?;
    if members.len() == 1 {
        return Ok((largest, members[0]));
    }
    let readers = &cast.plan.consumers;
    let is_alone =
        |group: &str| readers.iter().filter(|reader| reader.group == group).count() == 1;
    let mut others = cast.other_groups(largest).into_iter();
    others.find(|(group, _)| is_alone(group)).ok_or_else(|| {
        let topic = &cast.topic.name;
        format!("It needs a consumer of {topic} that is alone in its group.")
    })
}
