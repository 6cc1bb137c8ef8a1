//! E: where a group is, and where it should be.

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "out-of-range",
        title: "The offset is gone: reset to the earliest",
        tell: "A reader comes back to an offset that retention has deleted. \
               OFFSET_OUT_OF_RANGE; it goes on with the first record there is.",
        billing: Billing::OnDemand,
        script: |cast| out_of_range(cast, Reset::Earliest),
    },
    Entry {
        id: "out-of-range-latest",
        title: "The offset is gone: reset to the latest",
        tell: "With auto.offset.reset=latest a reader whose offset is gone skips what is \
               left as well.",
        billing: Billing::OnDemand,
        script: |cast| out_of_range(cast, Reset::Latest),
    },
    Entry {
        id: "out-of-range-none",
        title: "The offset is gone: no reset",
        tell: "With auto.offset.reset=none the application is told, and must say itself \
               where to go on.",
        billing: Billing::OnDemand,
        script: |cast| out_of_range(cast, Reset::None),
    },
    Entry {
        id: "consumer-lag",
        title: "Lag grows, and drains",
        tell: "Lag is what is written but not committed by the group. It grows while \
               readers are slower than writers, and while there are none.",
        billing: Billing::OnDemand,
        script: consumer_lag,
    },
    Entry {
        id: "group-states",
        title: "A group's states: stable, empty, dead",
        tell: "A group without members is empty and keeps its offsets; deleted, it is dead \
               and has none.",
        billing: Billing::OnDemand,
        script: group_states,
    },
];

/// What `auto.offset.reset` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reset {
    Earliest,
    Latest,
    None,
}

fn out_of_range(cast: &Cast<'_>, reset: Reset) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let word = match reset {
        Reset::Earliest => "earliest",
        Reset::Latest => "latest",
        Reset::None => "none",
    };
    let script = Script::new()
        .setting("consumer.auto.offset.reset", word)
        .client(reader, format!("seek {name} to 0"))
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-1") })
        .wait_until(format!("position({reader}, {name}) == 3"))
        .caption(format!("{reader} stops at offset 3 for a while."))
        .client(reader, format!("pause {name}"))
        .wait(600)
        .send(cast, Sent { count: 5, ..Sent::one(cast, "order-2") })
        .caption("Meanwhile the records before 6 are deleted, as retention does.")
        .admin(format!("delete-records {name} before 6"))
        .wait_until(format!("log-start({name}) == 6"))
        .caption("It asks for offset 3: OFFSET_OUT_OF_RANGE.")
        .client(reader, format!("resume {name}"))
        .wait_until(format!("told({reader}, OFFSET_OUT_OF_RANGE)"));
    Ok(match reset {
        Reset::Earliest => script
            .caption("earliest: on with the first record there is. 3 to 5 are not seen.")
            .wait_until(format!("position({reader}, {name}) == 8"))
            .expect(format!("records-read({reader}) == 5")),
        Reset::Latest => script
            .caption(
                "latest: behind the last one. 6 and 7 are there, and not read either.",
            )
            .wait_until(format!("position({reader}, {name}) == 8"))
            .expect(format!("records-read({reader}) == 3")),
        Reset::None => script
            .caption("none: it reads no further until the application decides.")
            .produce(cast, "order-3")
            .wait(1_000)
            .expect(format!("records-read({reader}) == 3"))
            .caption("It does: back to the earliest.")
            .client(reader, format!("seek {name} to earliest"))
            .wait_until(format!("position({reader}, {name}) == 9"))
            .expect(format!("records-read({reader}) == 6")),
    })
}

fn consumer_lag(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let name = cast.name();
    let mut script = Script::new()
        .groups()
        .setting("consumer.max.poll.records", "2")
        .setting("consumer.auto.commit.interval.ms", "1000")
        .caption("Each record takes a second to work on.");
    for member in &members {
        script = script.client(member, "work 1000 ms per record");
    }
    Ok(script
        .caption("Six at once: the log grows, the committed offset does not.")
        .send(cast, Sent { count: 6, ..Sent::one(cast, "order-1") })
        .expect(format!("lag({group}, {name}) == 6"))
        .caption("Two for each poll; each poll commits those before.")
        .wait_until(format!("lag({group}, {name}) <= 4"))
        .wait_until(format!("lag({group}, {name}) <= 2"))
        .wait_until(format!("lag({group}, {name}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn group_states(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let name = cast.name();
    let mut script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .caption("Stable: everybody knows what is theirs.")
        .admin(format!("describe-group {group}"))
        .expect(format!("group({group}) == stable"))
        .produce(cast, "order-1")
        .wait(600)
        .caption("They close one by one, and commit as they do.");
    for member in &members {
        script = script.shutdown(member.as_str());
    }
    Ok(script
        .wait_until(format!("group({group}) == empty"))
        .expect(format!("members({group}) == 0"))
        .expect(format!("committed({group}, {name}) == 1"))
        .caption("Empty: nobody reads, so the lag only grows. The offsets stay.")
        .produce(cast, "order-2")
        .expect(format!("lag({group}, {name}) == 1"))
        .admin(format!("describe-group {group}"))
        .caption("Deleted, it is dead, and its offsets are gone with it.")
        .admin(format!("delete-group {group}"))
        .wait_until(format!("group({group}) == dead"))
        .expect(format!("lag({group}, {name}) == 2"))
        .admin(format!("describe-group {group}"))
        .expect_nothing_lost())
}
