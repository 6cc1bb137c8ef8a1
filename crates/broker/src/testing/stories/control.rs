//! The controller: who decides, and when it changes.

use topomotion_wire::messages::alter_partition_request::{
    BrokerState, PartitionData, TopicData,
};
use topomotion_wire::messages::{
    AlterPartitionRequest, BrokerHeartbeatRequest, ResponseKind,
};
use topomotion_wire::{ErrorCode, NodeId, Rule};

use super::*;

/// Asks the active controller for an ISR in broker 1's name; tells the error of the whole
/// and of the partition.
fn alter(rig: &mut Rig, epochs: (i32, i32), isr: &[i32], sender: i32) -> (i16, i16) {
    alter_seen(rig, epochs, isr, sender, None)
}

/// The same, of a leader that saw one member in an older incarnation.
fn alter_seen(
    rig: &mut Rig,
    epochs: (i32, i32),
    isr: &[i32],
    sender: i32,
    older: Option<(i32, i64)>,
) -> (i16, i16) {
    let active = active_controller(rig);
    let image = rig.node(active).image().clone();
    let epoch = |id: i32| image.broker(NodeId(id)).map_or(-1, |it| it.epoch.0);
    let member = |&id: &i32| {
        let state = BrokerState::default().with_broker_id(BrokerId(id));
        let seen = older.filter(|(older, _)| *older == id).map(|(_, epoch)| epoch);
        state.with_broker_epoch(seen.unwrap_or(epoch(id)))
    };
    let data = PartitionData::default()
        .with_leader_epoch(epochs.0)
        .with_partition_epoch(epochs.1)
        .with_new_isr_with_epochs(isr.iter().map(member).collect());
    let topic_id = image.topic("orders").unwrap().id.0;
    let topic = TopicData::default().with_topic_id(topic_id).with_partitions(vec![data]);
    let request = AlterPartitionRequest::default()
        .with_broker_id(BrokerId(sender))
        .with_broker_epoch(epoch(sender))
        .with_topics(vec![topic]);
    let response = rig.call(active, 3, request);
    let ResponseKind::AlterPartition(response) = response else { panic!("{response:?}") };
    let partition = response.topics.first().and_then(|topic| topic.partitions.first());
    (response.error_code, partition.map_or(0, |it| it.error_code))
}

#[test]
fn a_proposed_isr_is_checked_in_order() {
    let mut rig = three_brokers(1, &[]);
    rig.crash(3);
    rig.run_until("broker 3 to be fenced", |rig| isr(rig, 1) == [1, 2]);
    let before = rig.node(101).image().clone();
    let refused = |error: ErrorCode| (0, error.code());
    let checks = [
        ((1, 1), &[1][..], 1, ErrorCode::NotController),
        ((0, 9), &[1], 1, ErrorCode::NotController),
        ((-1, 1), &[1], 1, ErrorCode::FencedLeaderEpoch),
        ((0, 1), &[2], 2, ErrorCode::InvalidRequest),
        ((0, 0), &[1], 1, ErrorCode::InvalidUpdateVersion),
        ((0, 1), &[2], 1, ErrorCode::InvalidRequest),
        ((0, 1), &[1, 1], 1, ErrorCode::InvalidRequest),
        ((0, 1), &[1, 9], 1, ErrorCode::InvalidRequest),
        ((0, 1), &[1, 2, 3], 1, ErrorCode::IneligibleReplica),
    ];
    for (epochs, isr, sender, error) in checks {
        assert_eq!(
            alter(&mut rig, epochs, isr, sender),
            refused(error),
            "{epochs:?} {isr:?}"
        );
    }
    assert_eq!(*rig.node(101).image(), before, "a refused change leaves no trace (R17)");
    assert_eq!(alter(&mut rig, (0, 1), &[1], 1), (0, 0));
    assert!(rig.marks.contains(&Rule::Ctl1));
}

#[test]
fn a_sender_of_an_older_incarnation_is_refused_as_a_whole() {
    let mut rig = three_brokers(1, &[]);
    let request =
        AlterPartitionRequest::default().with_broker_id(BrokerId(1)).with_broker_epoch(0);
    let ResponseKind::AlterPartition(response) = rig.call(101, 3, request) else {
        panic!()
    };
    assert_eq!(response.error_code, ErrorCode::StaleBrokerEpoch.code());
    let request = BrokerHeartbeatRequest::default().with_broker_id(BrokerId(9));
    let ResponseKind::BrokerHeartbeat(response) = rig.call(101, 1, request) else {
        panic!()
    };
    assert_eq!(response.error_code, ErrorCode::BrokerIdNotRegistered.code());
}

#[test]
fn a_standby_controller_decides_nothing() {
    let mut rig = three_brokers(3, &[]);
    let active = active_controller(&rig);
    let standby = (101..=103).find(|id| *id != active).unwrap();
    let response = rig.call(standby, 7, topic("other", &[1], &[]));
    let ResponseKind::CreateTopics(response) = response else { panic!("{response:?}") };
    assert_eq!(response.topics[0].error_code, ErrorCode::NotController.code());
}

#[test]
fn another_controller_takes_over_and_the_data_goes_on() {
    let mut rig = three_brokers(3, &[("min.insync.replicas", "2")]);
    let old = active_controller(&rig);
    rig.crash(old);
    assert_eq!(produce_to(&mut rig, 1, -1, &["meanwhile"]), (0, 0));
    rig.run_until("a successor", |rig| {
        rig.nodes().any(|(_, node)| node.is_active_controller())
    });
    rig.run_for(15_000);
    let active = rig.node(active_controller(&rig)).image().active_brokers().count();
    assert_eq!(active, 3, "everyone got a fresh session and keeps it (CTL-9)");
    let response = rig.call(2, 7, topic("other", &[2, 3], &[]));
    let ResponseKind::CreateTopics(response) = response else { panic!("{response:?}") };
    assert_eq!(response.topics[0].error_code, 0);
    rig.start(old);
    rig.run_for(5_000);
    let offsets: Vec<_> = rig.nodes().map(|(_, node)| node.metadata_offset()).collect();
    assert!(offsets.windows(2).all(|pair| pair[0] == pair[1]), "{offsets:?}");
    let images: Vec<_> = rig.nodes().map(|(_, node)| node.image().clone()).collect();
    assert!(images.windows(2).all(|pair| pair[0] == pair[1]), "K10");
}

#[test]
fn a_controller_without_a_majority_answers_nobody() {
    let mut rig = three_brokers(3, &[]);
    let active = active_controller(&rig);
    (101..=103).filter(|id| *id != active).for_each(|id| rig.crash(id));
    let connection = rig.connect(1);
    let request = topic("other", &[1], &[]).with_timeout_ms(5_000);
    rig.ask(connection, 7, request);
    rig.run_for(6_000);
    let response = &rig.inbox(connection).responses[0];
    let ResponseKind::CreateTopics(response) = response else { panic!("{response:?}") };
    assert_eq!(response.topics[0].error_code, ErrorCode::RequestTimedOut.code());
    assert_eq!(rig.node(1).image().topic("other"), None);
    assert_eq!(produce_to(&mut rig, 1, -1, &["still"]), (0, 0), "the data plane goes on");
}

#[test]
fn the_last_member_of_an_isr_waits_for_nobody_but_itself() {
    let mut rig = three_brokers(1, &[]);
    rig.settings.elr = crate::Elr::Off;
    rig.crash(101);
    rig.start(101);
    rig.run_for(2_000);
    rig.crash(2);
    rig.crash(3);
    rig.run_until("both to be fenced", |rig| isr(rig, 1) == [1]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["alone"]), (0, 0));
    rig.crash(1);
    rig.run_for(10_000);
    let state = registrations(&rig).pop().unwrap();
    assert_eq!((state.leader, state.isr), (None, vec![NodeId(1)]), "CTL-7");
    rig.start(2);
    rig.start(3);
    settle(&mut rig);
    assert_eq!(registrations(&rig).pop().unwrap().leader, None, "2 and 3 are behind");
    rig.start(1);
    rig.run_until("everyone in sync", |rig| {
        rig.node(1).replica(&orders()).is_some_and(|view| view.isr.len() == 3)
    });
    assert_eq!(rig.replica(1, &orders()).leader_epoch.0, 2);
    rig.run_for(1_000);
    assert_eq!((offsets(&rig, 2).0, offsets(&rig, 3).0), (1, 1));
}

#[test]
fn the_whole_cluster_restarts_from_its_disks() {
    let mut rig = three_brokers(3, &[("min.insync.replicas", "2")]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a", "b"]), (0, 0));
    rig.run_for(6_000);
    let all: Vec<i32> = rig.nodes().map(|(id, _)| id).collect();
    all.iter().for_each(|&id| rig.crash(id));
    rig.run_for(1_000);
    all.iter().for_each(|&id| rig.start(id));
    settle(&mut rig);
    rig.run_until("everyone in sync", |rig| {
        (1..=3).any(|id| {
            let view = rig.node(id).replica(&orders());
            view.is_some_and(|it| it.isr.len() == 3 && it.high_watermark.0 == 2)
        })
    });
}

/// The errors of an ISR with a fenced member, and of one whose member has been restarted since
/// its leader saw it.
fn admissions(admission: crate::IsrAdmission) -> (i16, i16) {
    let mut rig = three_brokers(1, &[]);
    rig.settings.isr_admission = admission;
    rig.crash(101);
    rig.start(101);
    rig.run_for(2_000);
    let epoch = |rig: &Rig| rig.node(101).image().broker(NodeId(3)).unwrap().epoch.0;
    let old = epoch(&rig);
    rig.crash(3);
    rig.run_until("broker 3 to be fenced", |rig| isr(rig, 1) == [1, 2]);
    let epochs = |rig: &Rig| {
        let state = rig.node(101).image().partition(&orders()).unwrap();
        (state.leader_epoch.0, state.partition_epoch.0)
    };
    let now = epochs(&rig);
    let (_, fenced) = alter(&mut rig, now, &[1, 2, 3], 1);
    rig.start(3);
    settle(&mut rig);
    rig.run_until("broker 3 in sync", |rig| isr(rig, 1).len() == 3);
    rig.run_for(200);
    let now = epochs(&rig);
    let (_, restarted) = alter_seen(&mut rig, now, &[1, 2, 3], 1, Some((3, old)));
    (fenced, restarted)
}

#[test]
fn each_era_lets_fewer_replicas_into_the_isr() {
    let refused = ErrorCode::IneligibleReplica.code();
    let anyone = admissions(crate::IsrAdmission::Anyone);
    assert_eq!(anyone, (0, 0), "a dead broker counts as in sync (R5)");
    let active = admissions(crate::IsrAdmission::Active);
    assert_eq!(active, (refused, 0), "a wiped disk counts as in sync (B19, R16)");
    let same = admissions(crate::IsrAdmission::SameIncarnation);
    assert_eq!(same, (refused, refused));
}
