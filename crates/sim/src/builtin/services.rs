//! G7 to G15: services that work with events.

use topomotion_model::{Acks, Awaits, ProcessId, StepKind};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::plan::ActorKind;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "order-fan-out",
        title: "One order, many services",
        tell: "Every group reads all of a topic, at its own pace. One that is down holds \
               nobody up, and finds everything when it comes back.",
        billing: Billing::OnDemand,
        script: order_fan_out,
    },
    Entry {
        id: "burst",
        title: "A burst of logs: the topic is the buffer",
        tell: "Writers are as fast as the brokers, readers as fast as their work. What lies \
               between them is lag, and it is worked off later.",
        billing: Billing::OnDemand,
        script: burst,
    },
    Entry {
        id: "fraud-alert",
        title: "Fraud: three payments of one card in a minute",
        tell: "A stream task counts payments by card and minute, and writes an alert when \
               there are three of one card.",
        billing: Billing::OnDemand,
        script: fraud_alert,
    },
    Entry {
        id: "task-worker",
        title: "A consumer inside a task, and one of its own",
        tell: "A task that begins joins the group, one that ends leaves it: every task is two \
               rebalances for everybody. A service of its own joins once.",
        billing: Billing::OnDemand,
        script: task_worker,
    },
    Entry {
        id: "correlation-id",
        title: "A correlation id through four services",
        tell: "Nobody calls anybody, so no call stack tells what belongs together. A header \
               does, if every service passes it on.",
        billing: Billing::OnDemand,
        script: correlation_id,
    },
    Entry {
        id: "outbox",
        title: "The outbox: a row and its event, or neither",
        tell: "To write to a database and then to Kafka can end between the two. One \
               transaction writes the row and the event; Connect carries it over.",
        billing: Billing::OnDemand,
        script: outbox,
    },
];

fn order_fan_out(cast: &Cast<'_>) -> Result<Script, String> {
    let (first, _) = cast.group(1)?;
    let name = cast.name();
    let others = cast.other_groups(first);
    let mut late = others.iter().filter(|(group, _)| {
        cast.plan.consumers.iter().filter(|one| one.group == *group).count() == 1
    });
    let (slow, member) = late.next().ok_or_else(|| {
        let topic = &cast.topic.name;
        format!("It needs a second group of {topic}, of one consumer.")
    })?;
    let all = [first].into_iter().chain(others.iter().map(|(group, _)| *group));
    let mut script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting("consumer.auto.commit.interval.ms", "1000")
        .caption("One order. Its producer knows none of those who will read it.")
        .produce(cast, "order-123");
    for group in all.clone() {
        script = script.wait_until(format!("committed({group}, {name}) == 1"));
    }
    script = script
        .caption(format!("{member} is taken down for a new version."))
        .shutdown(member.as_str())
        .produce(cast, "order-124");
    for group in all.filter(|group| group != slow) {
        script = script.wait_until(format!("lag({group}, {name}) == 0"));
    }
    Ok(script
        .caption(format!("The others are done. {slow} has only fallen behind: lag 1."))
        .expect(format!("lag({slow}, {name}) == 1"))
        .caption("It comes back and goes on where it had committed.")
        .start(member.as_str())
        .wait_until(format!("lag({slow}, {name}) == 0"))
        .expect(format!("read-twice({slow}) == 0"))
        .expect_nothing_lost())
}

fn burst(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let topic = &cast.topic.name;
    let name = cast.name();
    let mut script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting("consumer.max.poll.records", "5")
        .setting("consumer.auto.commit.interval.ms", "1000")
        .caption("The dashboard's readers take 200 ms for each line.");
    for member in &members {
        script = script.client(member, "work 200 ms per record");
    }
    script = script
        .send(cast, Sent { count: 5, ..Sent::one(cast, "line") })
        .say(format!("Acknowledged in {{latency}} ms; lag {{lag({group}, {topic})}}."))
        .wait_until(format!("lag({group}, {name}) == 0"))
        .caption("Something breaks, and every server says so: 40 lines at once.")
        .send(cast, Sent { count: 40, ..Sent::one(cast, "error") })
        .say(format!(
            "Acknowledged in {{latency}} ms all the same. Lag {{lag({group}, {topic})}}."
        ))
        .expect(format!("lag({group}, {name}) == 40"))
        .wait_until(format!("lag({group}, {name}) <= 25"))
        .say(format!(
            "Lag {{lag({group}, {topic})}}: nothing is dropped, it is only late."
        ))
        .wait_until(format!("lag({group}, {name}) <= 10"))
        .say(format!("Lag {{lag({group}, {topic})}}."));
    Ok(script
        .wait_until(format!("lag({group}, {name}) == 0"))
        .caption("Worked off. The writers never waited for the readers.")
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

const ALERTS: &str = "alerts";

/// A payment with a card.
fn payment(script: Script, cast: &Cast<'_>, card: &str, amount: u32) -> Script {
    script.then(StepKind::Produce {
        producer: cast.producer.process.clone(),
        topic: Some(cast.topic.name.clone()),
        key: Some(card.to_owned()),
        value: Some(format!(r#"{{"amount":{amount}}}"#)),
        partition: Some(cast.number()),
        acks: Some(Acks::All),
        count: 1,
        awaits: Awaits::Answers,
    })
}

fn fraud_alert(cast: &Cast<'_>) -> Result<Script, String> {
    let reader = cast.consumer()?;
    let task = &reader.process;
    let alerts = format!("{ALERTS}-{}", cast.number());
    let script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting_of(task, "streams.count.topic", ALERTS)
        .setting_of(task, "streams.window.ms", "60000")
        .setting_of(task, "streams.having", "count >= 3")
        .caption("Two payments with one card in one minute.");
    let script = payment(script, cast, "card-4711", 12);
    let script = payment(script, cast, "card-4711", 7);
    let script = script
        .wait_until(format!("holds({task}, card-4711) == 2"))
        .expect(format!("log-end({alerts}) == 0"))
        .caption("The third with the same card in the same minute.");
    Ok(payment(script, cast, "card-4711", 99)
        .wait_until(format!("log-end({alerts}) == 1"))
        .caption("An alert, with the count of three: it waits in a topic for who cares.")
        .wait(500)
        .expect(format!("log-end({alerts}) == 1"))
        .expect_nothing_lost())
}

fn task_worker(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let (service, task) = (members[0], members[members.len() - 1]);
    let last = cast.partitions(members.len())?.pop().map(|it| it.partition);
    let topic = &cast.topic.name;
    let all = members.len();
    let rebalanced = |script: Script, members: usize| {
        script
            .wait_until(format!("members({group}) == {members}"))
            .wait_until(format!("group({group}) == stable"))
            .wait(200)
    };
    let script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .caption(format!(
            "{task} consumes in a task. Its time is over: it leaves, and everybody starts \
             anew."
        ))
        .shutdown(task.as_str());
    let script = rebalanced(script, all - 1)
        .caption("A worker takes the next task: it joins, and everybody starts anew.")
        .start(task.as_str());
    Ok(rebalanced(script, all)
        .say(format!(
            "Generation {{generation({group})}}. {service} has stopped reading for each of \
             them, and did nothing."
        ))
        .caption("This one takes too long. A hard time limit kills it: nobody says goodbye.")
        .crash(task.as_str())
        .send(cast, Sent { partition: last, ..Sent::one(cast, "order-123") })
        .caption("For 45 s (session.timeout.ms) nobody reads its partitions.")
        .wait(40_000)
        .expect(format!("members({group}) == {all}"))
        .expect(format!("lag({group}, {topic}) == 1"))
        .wait_until(format!("members({group}) == {}", all - 1))
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("A service of its own joins once, and stays.")
        .expect(format!("owned({service}) >= 1"))
        .expect(format!("generation({group}) == 4"))
        .expect_nothing_lost())
}

fn correlation_id(cast: &Cast<'_>) -> Result<Script, String> {
    let writer = &cast.producer.process;
    let first = &cast.consumer()?.process;
    let others = cast.plan.consumers.iter().map(|one| &one.process);
    let others: Vec<&ProcessId> = others.filter(|one| *one != first).take(2).collect();
    let [second, third] = others[..] else {
        return Err(
            "It needs three consumers: each is a service, and reads what the one \
                    before it wrote."
                .to_owned(),
        );
    };
    let name = cast.name();
    Ok(Script::new()
        .setting("consumer.auto.offset.reset", "earliest")
        .setting_of(first, "processing.output.topic", "payments")
        .setting_of(second, "processing.input.topic", "payments")
        .setting_of(second, "processing.output.topic", "parcels")
        .setting_of(third, "processing.input.topic", "parcels")
        .setting_of(third, "processing.output.topic", "mails")
        .caption(format!("{writer} is asked by a customer, and calls the request req-7."))
        .client(writer, "header correlation-id=req-7")
        .produce(cast, "order-123")
        .wait_until(format!("position({first}, {name}) == 1"))
        .caption(format!("{first} reads the order, and writes a payment: the same header."))
        .wait_until("log-end(payments-0) == 1")
        .caption(format!("{second} has never heard of {writer}. It passes the id on."))
        .wait_until("log-end(parcels-0) == 1")
        .wait_until("log-end(mails-0) == 1")
        .caption(
            "Four services, one id: whoever looks for req-7 in their logs finds the whole \
             way.",
        )
        .wait(600)
        .expect(format!("read-twice({third}) == 0"))
        .expect_nothing_lost())
}

fn outbox(cast: &Cast<'_>) -> Result<Script, String> {
    let of = |wanted: fn(&ActorKind) -> bool| {
        cast.plan.actors.iter().find(|one| wanted(&one.kind)).map(|one| &one.process)
    };
    let worker = of(|kind| matches!(kind, ActorKind::Connect { database: Some(_), .. }));
    let (Some(worker), Some(database)) =
        (worker, of(|kind| *kind == ActorKind::Database))
    else {
        return Err("It needs a Connect worker (`role: 'connect'`) with an edge of \
                    `protocol: 'postgresql'` to a database."
            .to_owned());
    };
    let (service, name) = (&cast.producer.process, cast.name());
    let events = format!("{database}.outbox-0");
    Ok(Script::new()
        .setting("connect.table.include.list", "outbox")
        .caption(format!("Two writes: {service} writes the order to {database} …"))
        .client(database, "insert orders 1 total=5")
        .wait_until(format!("holds({database}, orders) == 1"))
        .caption("… and dies before it has told Kafka.")
        .crash(service.as_str())
        .wait(300)
        .caption("An order of which nobody will ever hear.")
        .expect(format!("log-end({name}) == 0"))
        .caption("The outbox: the order and its event, two rows in one transaction.")
        .client(database, "insert orders 2 total=7; insert outbox 2 event=order-placed")
        .caption(format!(
            "{service} may be as dead as it likes: {worker} follows the log."
        ))
        .wait_until(format!("log-end({events}) == 1"))
        .expect(format!("holds({database}, orders) == 2"))
        .wait(500)
        .caption(format!(
            "A third order; the power fails before {database} has it on disk."
        ))
        .client(database, "insert orders 3 total=1; insert outbox 3 event=order-placed")
        .fault(format!("power-loss {database}"))
        .wait(500)
        .restart(database.as_str())
        .wait(2_000)
        .caption("Neither the row nor its event.")
        .expect(format!("holds({database}, orders) == 2"))
        .expect(format!("holds({database}, outbox) == 1"))
        .expect(format!("log-end({events}) == 1"))
        .expect_nothing_lost())
}
