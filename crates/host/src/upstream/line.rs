//! One client's connection, passed on to its broker.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use topomotion_broker::frames::{
    Broken, overhear_request, overhear_response, write_response,
};
use topomotion_wire::messages::{ApiKey, RequestKind, ResponseKind};
use topomotion_wire::{CorrelationId, Message};

use super::frame::{End, Frames, LENGTH};
use super::proxy::{ANSWER_MAX, Door, Proxy, dial};
use super::rewrite::{Address, redirect, temper};
use crate::connection::in_words;
use crate::watch::Parcel;

/// `socket.request.max.bytes`, Kafka's default.
const REQUEST_MAX: usize = 100 << 20;
/// Requests of one connection that wait for an answer; then it is not read.
const OPEN_MAX: usize = 1_000;

/// What the next answer on a connection is to.
#[derive(Debug)]
enum Open {
    Request {
        api: ApiKey,
        version: i16,
        correlation: CorrelationId,
        parcel: Parcel,
    },
    /// Part of a log-in that has no header.
    Token,
}

/// A connection while it lasts.
struct Line {
    proxy: Rc<Proxy>,
    door: Rc<Door>,
    link: usize,
    /// Who is at the near end, as it calls itself.
    client: RefCell<Arc<str>>,
    open: RefCell<VecDeque<Open>>,
    answered: Notify,
    /// After a handshake of version 0 a log-in's tokens come bare.
    is_logging_in: Cell<bool>,
}

/// Why a connection was given up, in words; None: one of its ends has closed it.
type Why = Option<String>;

/// Passes on what is said until one of the ends is gone.
pub(super) async fn serve(
    proxy: Rc<Proxy>,
    door: Rc<Door>,
    near: TcpStream,
    peer: SocketAddr,
) {
    let name = door.name.borrow().clone();
    let _ = near.set_nodelay(true);
    let far = match dial(&door.far).await {
        Ok(far) => far,
        Err(error) => {
            let Address { host, port } = &door.far;
            return proxy.say(&format!("{name} at {host}:{port}: {error}"));
        }
    };
    let line = Line {
        link: proxy.next_link(),
        proxy,
        door,
        client: RefCell::new(Arc::from("client")),
        open: RefCell::default(),
        answered: Notify::new(),
        is_logging_in: Cell::new(false),
    };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let mut asking = pin!(line.ask(near_in, far_out));
    let mut answering = pin!(line.answer(far_in, near_out));
    let why = poll_fn(|context| match asking.as_mut().poll(context) {
        Poll::Ready(why) => Poll::Ready(why),
        Poll::Pending => answering.as_mut().poll(context),
    });
    if let Some(why) = why.await {
        line.proxy.say(&format!("{name}: closed {peer}: {why}"));
    }
}

impl Line {
    /// Passes on what the client asks.
    async fn ask(&self, near: OwnedReadHalf, mut far: OwnedWriteHalf) -> Why {
        let mut frames = Frames::new(near, REQUEST_MAX);
        loop {
            let frame = match frames.next().await {
                Ok(frame) => frame,
                Err(end) => return told(end),
            };
            while self.open.borrow().len() >= OPEN_MAX {
                self.answered.notified().await;
            }
            let parcel = match self.hear(frame.slice(LENGTH..)) {
                Ok(parcel) => parcel,
                Err(broken) => return told(End::Broken(broken)),
            };
            if far.write_all(&frame).await.is_err() {
                return None;
            }
            parcel.into_iter().for_each(|it| self.proxy.arrived(it));
        }
    }

    /// Notes what is asked.
    fn hear(&self, frame: Bytes) -> Result<Option<Parcel>, Broken> {
        let key = frame.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes));
        let request = match overhear_request(frame) {
            Ok(request) => request,
            Err(_) if self.is_logging_in.get() => {
                self.open.borrow_mut().push_back(Open::Token);
                return Ok(None);
            }
            Err(broken) => return Err(broken),
        };
        self.is_logging_in.set(false);
        let (version, correlation) = (request.version, request.correlation);
        let api = ApiKey::try_from(key).map_err(|_| Broken::Api(key))?;
        let is_answered =
            !matches!(&request.body, RequestKind::Produce(it) if it.acks == 0);
        self.name(&request.client);
        let message = Message::from(request);
        let (client, broker) =
            (self.client.borrow().clone(), self.door.name.borrow().clone());
        let parcel = self.proxy.sent([&client, &broker], self.link, &message, None);
        if is_answered {
            let open = Open::Request { api, version, correlation, parcel };
            self.open.borrow_mut().push_back(open);
        }
        Ok(Some(parcel))
    }

    fn name(&self, id: &Arc<str>) {
        if id.is_empty() || **id == **self.client.borrow() {
            return;
        }
        let is_taken = self.proxy.is_broker(id);
        let name = if is_taken { format!("{id} (client)").into() } else { id.clone() };
        *self.client.borrow_mut() = name;
    }

    /// Passes on what the broker answers.
    async fn answer(&self, far: OwnedReadHalf, mut near: OwnedWriteHalf) -> Why {
        let mut frames = Frames::new(far, ANSWER_MAX);
        loop {
            let frame = match frames.next().await {
                Ok(frame) => frame,
                Err(end) => return told(end),
            };
            let (frame, parcel) = match self.hear_answer(frame) {
                Ok(heard) => heard,
                Err(why) => return Some(why),
            };
            self.answered.notify_one();
            if near.write_all(&frame).await.is_err() {
                return None;
            }
            parcel.into_iter().for_each(|it| self.proxy.arrived(it));
        }
    }

    /// Notes what is answered, and says what the client shall hear.
    fn hear_answer(&self, frame: Bytes) -> Result<(Bytes, Option<Parcel>), String> {
        let open = self.open.borrow_mut().pop_front();
        let (api, version, asked, cause) = match open {
            None => return Err("the broker answers what nobody asked".to_owned()),
            Some(Open::Token) => return Ok((frame, None)),
            Some(Open::Request { api, version, correlation, parcel }) => {
                (api, version, correlation, parcel)
            }
        };
        let strange =
            || format!("the broker's answer to {api:?} {version} does not parse");
        let response = overhear_response(api, version, frame.slice(LENGTH..));
        let mut response = response.ok_or_else(strange)?;
        if response.correlation != asked {
            return Err(format!("the broker's answer to {api:?} is to something else"));
        }
        if let (ResponseKind::SaslHandshake(it), 0) = (&response.body, version) {
            self.is_logging_in.set(it.error_code == 0);
        }
        let message = Message::from(response.clone());
        let (client, broker) =
            (self.client.borrow().clone(), self.door.name.borrow().clone());
        let parcel =
            self.proxy.sent([&broker, &client], self.link, &message, Some(cause));
        let is_tempered = temper(&mut response.body);
        let is_redirected = redirect(&mut response.body, |id, far| self.here(id, far));
        if !is_tempered && !is_redirected {
            return Ok((frame, Some(parcel)));
        }
        let frame = write_response(&response).ok_or_else(strange)?;
        Ok((frame, Some(parcel)))
    }

    /// Where a broker is to be found here.
    fn here(&self, id: i32, far: Address) -> Option<Address> {
        let told = format!("{}:{}", far.host, far.port);
        match self.proxy.door(Some(id), far) {
            Ok(port) => Some(Address { host: "127.0.0.1".into(), port }),
            Err(error) => {
                self.proxy.say(&format!("broker {id} at {told} is not heard: {error}"));
                None
            }
        }
    }
}

fn told(end: End) -> Why {
    match end {
        End::Gone => None,
        End::Broken(broken) => Some(in_words(broken)),
    }
}
