//! D5 and D6: an application that reads one topic and writes another.

use topomotion_model::ProcessId;

use super::super::cast::Cast;
use super::super::script::Script;
use super::{id_of, of_transactions, write};

/// Who reads and writes, and where to.
struct Pipeline<'a> {
    worker: &'a ProcessId,
    group: &'a str,
    output: String,
}

impl<'a> Pipeline<'a> {
    fn find(cast: &Cast<'a>) -> Result<Pipeline<'a>, String> {
        let reader = cast.consumer()?;
        let (worker, group) = (&reader.process, &*reader.group);
        let mut topics = cast.plan.topics.iter().map(|topic| &topic.name);
        let other = topics.find(|name| **name != cast.topic.name);
        let output = other.cloned().unwrap_or_else(|| format!("{}-out", cast.topic.name));
        Ok(Pipeline { worker, group, output })
    }

    /// One record to work on, and where to write to.
    fn begun(&self, cast: &Cast<'_>) -> Script {
        let (worker, output) = (self.worker, &self.output);
        let mut script = of_transactions()
            .groups()
            .setting("consumer.enable.auto.commit", "false")
            .setting("consumer.partition.assignment.strategy", "range")
            .setting_of(worker, "transactional.id", &id_of(cast));
        if cast.plan.topic(output).is_none() {
            let copies = cast.replicas().len();
            script = script
                .caption("What comes out needs a topic")
                .admin(format!("create-topic {output} partitions=1 replicas={copies}"))
                .wait_until(format!("leader({output}-0) != none"));
        }
        script
            .caption("A record comes in")
            .produce(cast, "order-123")
            .wait_until(format!("records-read({worker}) == 1"))
    }

    /// What was read is worked on; what comes of it and the offset are one transaction.
    fn work(&self, script: Script, caption: &str) -> Script {
        let (worker, output) = (self.worker, &self.output);
        let script = script.caption(caption).client(worker, "begin");
        write(script, worker, (output, 0), "payment-123")
            .caption("How far it has read goes into the transaction too")
            .client(worker, "send-offsets")
            .wait(100)
    }
}

pub(in super::super) fn exactly_once(cast: &Cast<'_>) -> Result<Script, String> {
    let pipeline = Pipeline::find(cast)?;
    let (name, id) = (cast.name(), id_of(cast));
    let Pipeline { worker, group, output } = &pipeline;
    let script = pipeline.begun(cast);
    Ok(pipeline
        .work(script, "It writes what comes of it, in a transaction")
        .expect(format!("transaction({id}) == ongoing"))
        .expect(format!("last-stable({output}-0) == 0"))
        .expect(format!("lag({group}, {name}) == 1"))
        .caption("Answered once PrepareCommit is replicated; the markers follow")
        .client(worker, "commit-transaction")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .caption("Record and offset count, both")
        .wait_until(format!("committed({group}, {name}) == 1"))
        .wait_until(format!("last-stable({output}-0) == 2"))
        .expect(format!("log-end({output}-0) == 2"))
        .expect_nothing_lost())
}

pub(in super::super) fn transaction_abort(cast: &Cast<'_>) -> Result<Script, String> {
    let pipeline = Pipeline::find(cast)?;
    let (name, id) = (cast.name(), id_of(cast));
    let Pipeline { worker, group, output } = &pipeline;
    let script = pipeline.begun(cast);
    Ok(pipeline
        .work(script, "It writes, and finds that something is wrong")
        .caption("Abort: the record stays where it is, and a marker says that it does not count")
        .client(worker, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until(format!("last-stable({output}-0) == 2"))
        .expect(format!("lag({group}, {name}) == 1"))
        .caption("The offset does not count either: it goes back and reads again")
        .client(worker, format!("seek {name} to 0"))
        .wait_until(format!("records-read({worker}) == 2"))
        .expect(format!("log-end({output}-0) == 2"))
        .expect_nothing_lost())
}
