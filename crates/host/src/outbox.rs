//! What is on its way to one client: bytes that its socket has not taken yet.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use tokio::sync::Notify;

use crate::wire::Wire;

/// How many pieces of frames are handed to the socket in one call.
const PIECES_PER_WRITE: usize = 16;
/// What a piece costs beside its bytes, about: a hundred thousand short answers are not short.
const BESIDE: usize = 128;

/// One client's socket, and what it has not taken yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    wire: Wire,
    waiting: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    state: Cell<State>,
    /// There is something to write, or nothing ever again.
    pub(crate) written: Notify,
    /// The reader may look again.
    pub(crate) heard: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// What is waiting still goes out, then the connection is closed.
    Closing,
    Closed,
}

impl Outbox {
    pub(crate) fn new(wire: Wire) -> Outbox {
        Outbox {
            wire,
            waiting: RefCell::default(),
            bytes: Cell::new(0),
            state: Cell::new(State::Open),
            written: Notify::new(),
            heard: Notify::new(),
        }
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// What is kept because the socket has not taken it yet, in bytes.
    pub(crate) fn backlog(&self) -> usize {
        self.bytes.get() + self.waiting.borrow().len() * BESIDE
    }

    /// Sends a frame, in one piece or in several: at once if the socket takes it, else when it
    /// does.
    pub(crate) fn send(&self, frame: Vec<Bytes>) {
        if self.state.get() != State::Open {
            return;
        }
        let mut frame = VecDeque::from(frame);
        if self.bytes.get() == 0 {
            match self.wire.try_write_vectored(&slices(&frame)) {
                Ok(taken) => advance(&mut frame, taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.abandon(),
            }
        }
        if !frame.is_empty() {
            let left: usize = frame.iter().map(Bytes::len).sum();
            self.bytes.set(self.bytes.get() + left);
            self.waiting.borrow_mut().append(&mut frame);
            self.written.notify_one();
        } else if self.wire.is_behind() {
            self.written.notify_one();
        }
    }

    /// Nothing more is sent; what is waiting still goes out.
    pub(crate) fn close(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Closing);
        }
        self.written.notify_one();
        self.heard.notify_one();
    }

    /// Nobody is there any more.
    pub(crate) fn abandon(&self) {
        self.state.set(State::Closed);
        self.waiting.borrow_mut().clear();
        self.bytes.set(0);
        self.written.notify_one();
        self.heard.notify_one();
    }

    /// Whether requests are still read.
    pub(crate) fn is_open(&self) -> bool {
        self.state.get() == State::Open
    }

    /// Hands to the socket what waits for it, until the connection ends.
    pub(crate) async fn write_all(&self) {
        loop {
            if self.bytes.get() == 0 && !self.wire.is_behind() {
                if self.state.get() != State::Open {
                    self.wire.say_goodbye();
                    return self.abandon();
                }
                self.written.notified().await;
                continue;
            }
            let is_gone = self.wire.socket().writable().await.is_err();
            if is_gone || self.wire.catch_up().is_err() || self.write_some().is_err() {
                return self.abandon();
            }
            self.heard.notify_one();
        }
    }

    fn write_some(&self) -> io::Result<()> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() {
            return Ok(());
        }
        let taken = match self.wire.try_write_vectored(&slices(&waiting)) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        self.bytes.set(self.bytes.get() - taken);
        advance(&mut waiting, taken);
        Ok(())
    }
}

/// What is handed to the socket in one call.
fn slices(waiting: &VecDeque<Bytes>) -> Vec<IoSlice<'_>> {
    waiting.iter().take(PIECES_PER_WRITE).map(|piece| IoSlice::new(piece)).collect()
}

/// Takes out what the socket has taken.
fn advance(waiting: &mut VecDeque<Bytes>, taken: usize) {
    let mut taken = taken;
    while let Some(first) = waiting.front_mut() {
        let part = taken.min(first.len());
        first.advance(part);
        taken -= part;
        if !first.is_empty() {
            break;
        }
        waiting.pop_front();
    }
}
