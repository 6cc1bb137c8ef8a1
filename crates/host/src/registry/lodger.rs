//! A client that lives in the process of the brokers: what has happened to it, until it looks.

use std::cell::RefCell;
use std::collections::VecDeque;

use tokio::sync::{Notify, oneshot};
use topomotion_wire::{HttpRequest, Input};

/// What has happened to it.
#[derive(Debug)]
pub(super) enum News {
    /// On a connection to a broker.
    Input(Input),
    /// Somebody asks it something, and waits for status and body.
    Call(HttpRequest, oneshot::Sender<(u16, String)>),
}

/// A client within the process.
#[derive(Debug, Default)]
pub(crate) struct Lodger {
    inbox: RefCell<VecDeque<News>>,
    /// There is news.
    pub(super) stirred: Notify,
}

impl Lodger {
    /// Tells it what has happened on one of its connections.
    pub(crate) fn tell(&self, input: Input) {
        self.push(News::Input(input));
    }

    /// Asks it something.
    pub(super) fn ask(&self, request: HttpRequest) -> oneshot::Receiver<(u16, String)> {
        let (answer, answered) = oneshot::channel();
        self.push(News::Call(request, answer));
        answered
    }

    pub(super) fn take(&self) -> Option<News> {
        self.inbox.borrow_mut().pop_front()
    }

    fn push(&self, news: News) {
        self.inbox.borrow_mut().push_back(news);
        self.stirred.notify_one();
    }
}
