//! Outputs in order, with a gate: what others get to see waits until everything written
//! before it is flushed (RAFT-1).

use std::collections::{BTreeSet, VecDeque};

use topomotion_wire::{DiskOp, FileName, FlushToken};

use crate::QuorumOutput;

/// Set in every flush token of a quorum, so that the owner's own are never taken for one.
const TOKEN_MARK: u64 = 1 << 63;

#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    ready: VecDeque<QuorumOutput>,
    /// Each with the flush it waits for.
    held: VecDeque<(FlushToken, QuorumOutput)>,
    outstanding: BTreeSet<FlushToken>,
    tokens: u64,
}

pub(crate) fn is_ours(token: FlushToken) -> bool {
    token.0 & TOKEN_MARK != 0
}

impl Outbox {
    /// For the owner alone: goes out at once.
    pub(crate) fn push(&mut self, output: QuorumOutput) {
        self.ready.push_back(output);
    }

    /// For others: goes out when everything written so far is durable.
    pub(crate) fn push_guarded(&mut self, output: QuorumOutput) {
        match self.outstanding.last() {
            None => self.ready.push_back(output),
            Some(&token) => self.held.push_back((token, output)),
        }
    }

    /// Asks for `file` to be flushed.
    pub(crate) fn flush(&mut self, file: FileName) -> FlushToken {
        let token = FlushToken(TOKEN_MARK | self.tokens);
        self.tokens += 1;
        self.outstanding.insert(token);
        self.ready.push_back(QuorumOutput::Disk(DiskOp::Flush { file, token }));
        token
    }

    /// Lets out what has waited long enough.
    pub(crate) fn flushed(&mut self, token: FlushToken) {
        self.outstanding.remove(&token);
        let first = self.outstanding.first().copied();
        let free = |waits: FlushToken| first.is_none_or(|first| waits < first);
        while self.held.front().is_some_and(|(waits, _)| free(*waits)) {
            self.ready.extend(self.held.pop_front().map(|(_, output)| output));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<QuorumOutput> {
        self.ready.pop_front()
    }

    /// Says nothing more to anybody.
    pub(crate) fn silence(&mut self) {
        self.held.clear();
        self.ready.retain(|output| matches!(output, QuorumOutput::Disk(_)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::NodeId;

    fn message(to: i32) -> QuorumOutput {
        QuorumOutput::Disconnect { from: NodeId(to) }
    }

    fn drain(outbox: &mut Outbox) -> Vec<QuorumOutput> {
        let mut all = Vec::new();
        while let Some(output) = outbox.pop() {
            if !matches!(output, QuorumOutput::Disk(_)) {
                all.push(output);
            }
        }
        all
    }

    #[test]
    fn nothing_leaves_before_what_was_written_before_it_is_durable() {
        let mut outbox = Outbox::default();
        outbox.push_guarded(message(0));
        let first = outbox.flush(FileName::from("a"));
        outbox.push_guarded(message(1));
        let second = outbox.flush(FileName::from("b"));
        outbox.push_guarded(message(2));
        assert_eq!(drain(&mut outbox), [message(0)]);
        outbox.flushed(second);
        assert_eq!(drain(&mut outbox), [], "the first flush is still under way");
        outbox.flushed(first);
        assert_eq!(drain(&mut outbox), [message(1), message(2)]);
    }
}
