//! One voter alone with its disk, its peers played by hand.

mod rig;

use rig::{fetch, granted, node, vote};
use topomotion_log::{Log, LogConfig, RecordRef, encode_batch};
use topomotion_quorum::{
    Quorum, QuorumConfig, QuorumOutput, ReplyToken, metadata_partition,
};
use topomotion_wire::messages::{RequestKind, ResponseKind, VoteResponse, vote_response};
use topomotion_wire::{
    Bytes, DiskOp, Files, FlushToken, Instant, LeaderEpoch, NodeId, Offset, QuorumEpoch,
    Random,
};

/// One voter of three, alone with its disk.
struct Alone {
    quorum: Quorum,
    cache: Files,
    durable: Files,
}

impl Alone {
    fn start(files: Files) -> Alone {
        let config = QuorumConfig::new(node(3), vec![node(1), node(2), node(3)]);
        let quorum = Quorum::recover(config, &files, Instant::ZERO, Random::new(1, 1));
        Alone { quorum: quorum.expect("readable"), cache: files.clone(), durable: files }
    }

    /// Asks for a vote. `None` if the answer has not left.
    fn ask(&mut self, candidate: i32, epoch: i32, disk: FlushSpeed) -> Option<bool> {
        let request = vote(candidate, epoch);
        self.quorum.handle_request(Instant::ZERO, ReplyToken(1), &request);
        let mut answer = None;
        while let Some(output) = self.quorum.poll() {
            match output {
                QuorumOutput::Reply { response, .. } => answer = Some(granted(&response)),
                QuorumOutput::Disk(DiskOp::Replace { file, bytes }) => {
                    self.cache.insert(file, bytes);
                }
                QuorumOutput::Disk(DiskOp::Flush { token, .. }) => {
                    assert_eq!(answer, None, "RAFT-1: the disk comes first");
                    if disk == FlushSpeed::Done {
                        self.durable = self.cache.clone();
                        self.quorum.handle_flushed(Instant::ZERO, token);
                    }
                }
                _ => {}
            }
        }
        answer
    }
}

#[derive(PartialEq, Eq)]
enum FlushSpeed {
    Done,
    Stuck,
}

#[test]
fn no_vote_is_granted_twice_across_a_restart() {
    let mut voter = Alone::start(Files::new());
    assert_eq!(voter.ask(1, 5, FlushSpeed::Done), Some(true));
    assert_eq!(voter.ask(2, 5, FlushSpeed::Done), Some(false));
    let mut again = Alone::start(voter.durable);
    assert_eq!(again.quorum.epoch(), QuorumEpoch(5));
    assert_eq!(again.ask(2, 5, FlushSpeed::Done), Some(false), "K2");
    assert_eq!(again.ask(1, 5, FlushSpeed::Done), Some(true), "the same answer again");
    assert_eq!(again.ask(2, 4, FlushSpeed::Done), Some(false), "an older epoch");
    assert_eq!(again.ask(2, 6, FlushSpeed::Done), Some(true), "a newer one");
}

#[test]
fn a_vote_that_is_not_on_disk_has_not_been_heard_of() {
    let mut voter = Alone::start(Files::new());
    assert_eq!(voter.ask(1, 5, FlushSpeed::Stuck), None);
    let mut again = Alone::start(voter.durable);
    assert_eq!(
        again.ask(2, 5, FlushSpeed::Done),
        Some(true),
        "nobody knows of the first"
    );
}

/// Everything that the member wants, flushes answered at once.
fn drain(quorum: &mut Quorum, now: Instant) -> Vec<QuorumOutput> {
    let mut outputs = Vec::new();
    while let Some(output) = quorum.poll() {
        match output {
            QuorumOutput::Disk(DiskOp::Flush { token, .. }) => {
                quorum.handle_flushed(now, token);
            }
            output => outputs.push(output),
        }
    }
    outputs
}

fn ballot(epoch: i32) -> ResponseKind {
    let partition = vote_response::PartitionData::default()
        .with_leader_id((-1).into())
        .with_leader_epoch(epoch)
        .with_vote_granted(true);
    let topic = vote_response::TopicData::default().with_partitions(vec![partition]);
    ResponseKind::Vote(VoteResponse::default().with_topics(vec![topic]))
}

/// Raft, figure 8: what is left of an older epoch may be on a majority and still be
/// overwritten, as long as nothing of the current epoch is.
#[test]
fn records_of_an_older_epoch_are_not_committed_by_counting() {
    let mut old = Log::new(metadata_partition(), LogConfig::default());
    for value in [b"a", b"b"] {
        let record = RecordRef { value: Some(value), ..RecordRef::default() };
        old.append_as_leader(encode_batch([record]), LeaderEpoch(1)).expect("good");
    }
    let mut files = Files::new();
    while let Some(op) = old.poll_disk() {
        if let DiskOp::Append { file, bytes } = op {
            let content = files.remove(&file).unwrap_or_default();
            files.insert(file, [&content[..], &bytes[..]].concat().into());
        }
    }
    let config = QuorumConfig::new(node(3), vec![node(1), node(2), node(3)]);
    let quorum = Quorum::recover(config, &files, Instant::ZERO, Random::new(1, 1));
    let mut quorum = quorum.expect("readable");
    let now = quorum.deadline().expect("an election is due");
    quorum.tick(now);
    drain(&mut quorum, now);
    quorum.handle_response(now, node(1), &ballot(1));
    drain(&mut quorum, now);
    quorum.handle_response(now, node(1), &ballot(2));
    drain(&mut quorum, now);
    assert!(quorum.is_leader());
    assert_eq!(quorum.log().end_offset(), Offset(3), "its own first record is at 2");

    let fetched = |quorum: &mut Quorum, end, last_epoch| {
        quorum.handle_request(now, ReplyToken(1), &fetch(1, 2, end, last_epoch));
        let outputs = drain(quorum, now);
        outputs.iter().any(|output| matches!(output, QuorumOutput::Elected { .. }))
    };
    assert!(!fetched(&mut quorum, 2, 1));
    assert_eq!(quorum.high_watermark(), Offset(0), "both old records are on two voters");
    assert!(fetched(&mut quorum, 3, 2));
    assert_eq!(quorum.high_watermark(), Offset(3), "RAFT-4");
}

#[test]
fn a_single_voter_commits_nothing_before_its_disk_has_it() {
    let config = QuorumConfig::new(node(1), vec![node(1)]);
    let now = Instant::ZERO;
    let quorum = Quorum::recover(config, &Files::new(), now, Random::new(1, 1));
    let mut quorum = quorum.expect("fresh");
    let pending = |quorum: &mut Quorum| {
        let mut tokens: Vec<FlushToken> = Vec::new();
        while let Some(output) = quorum.poll() {
            if let QuorumOutput::Disk(DiskOp::Flush { token, .. }) = output {
                tokens.push(token);
            }
        }
        tokens
    };
    let tokens = pending(&mut quorum);
    assert!(tokens.iter().all(|token| Quorum::owns(*token)));
    assert!(!Quorum::owns(FlushToken(1)), "the owner has tokens of its own");
    tokens.into_iter().for_each(|token| quorum.handle_flushed(now, token));
    let first = quorum.append(now, &[Bytes::from_static(b"x")]).expect("it leads");
    let second = quorum.append(now, &[Bytes::from_static(b"y")]).expect("it leads");
    let tokens = pending(&mut quorum);
    assert_eq!(quorum.high_watermark(), first.base);
    quorum.handle_flushed(now, tokens[0]);
    assert_eq!(quorum.high_watermark(), first.end, "the second is not on disk yet");
    quorum.handle_flushed(now, tokens[1]);
    assert_eq!(quorum.high_watermark(), second.end);
}

#[test]
fn a_pre_vote_changes_nothing_whatever_it_names() {
    let mut voter = Alone::start(Files::new());
    let mut request = vote(1, 9);
    if let RequestKind::Vote(vote) = &mut request {
        vote.topics[0].partitions[0].pre_vote = true;
    }
    voter.quorum.handle_request(Instant::ZERO, ReplyToken(1), &request);
    let outputs = drain(&mut voter.quorum, Instant::ZERO);
    let yes = |output: &QuorumOutput| matches!(output, QuorumOutput::Reply { response, .. } if granted(response));
    assert!(outputs.iter().any(yes));
    assert!(!outputs.iter().any(|output| matches!(output, QuorumOutput::Disk(_))));
    assert_eq!(voter.quorum.epoch(), QuorumEpoch(0), "K13");
}

#[test]
fn a_member_stops_rather_than_cut_what_was_committed() {
    let config = QuorumConfig::new(node(3), vec![node(1), node(2), node(3)]);
    let quorum = Quorum::recover(config, &Files::new(), Instant::ZERO, Random::new(1, 1));
    let (mut quorum, now) = (quorum.expect("fresh"), Instant::ZERO);
    quorum.handle_request(now, ReplyToken(1), &rig::begin(1, 1));
    drain(&mut quorum, now);
    let records = encode_batch([RecordRef { value: Some(b"a"), ..RecordRef::default() }]);
    let mut leader = Log::new(metadata_partition(), LogConfig::default());
    leader.append_as_leader(records, LeaderEpoch(1)).expect("good");
    let read = leader.read(Offset(0), Offset(1), 1 << 20).expect("in range");
    quorum.handle_response(now, node(1), &rig::fetched(1, 1, 1, read.to_bytes()));
    drain(&mut quorum, now);
    assert_eq!(quorum.high_watermark(), Offset(1));
    quorum.handle_response(now, node(1), &rig::diverging(1, 1, 0));
    let outputs = drain(&mut quorum, now);
    assert!(
        outputs.iter().any(|output| matches!(output, QuorumOutput::Fatal { .. })),
        "K8"
    );
    assert_eq!(quorum.deadline(), None);
    assert_eq!(quorum.log().end_offset(), Offset(1));
}

#[test]
fn an_answer_out_of_nowhere_is_ignored() {
    let mut voter = Alone::start(Files::new());
    let _: NodeId = voter.quorum.node();
    voter.quorum.handle_response(Instant::ZERO, node(1), &rig::diverging(1, 0, 0));
    voter.quorum.handle_unreachable(Instant::ZERO, node(2));
    assert_eq!(voter.quorum.log().end_offset(), Offset(0));
}
