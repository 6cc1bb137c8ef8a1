//! Who is on which connection, and what is to be put into which answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::ConnectionId;
use topomotion_wire::messages::ResponseKind;

use super::judge::{Judge, Verdict};
use super::refusal::merge;
use crate::metadata::MetadataImage;
use crate::net::{Answer, Call, Ticket};

/// Whoever is at the far end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// `User:name`; `User:ANONYMOUS` where nobody has to log in.
    pub principal: Arc<str>,
    /// The address.
    pub host: Arc<str>,
}

/// What stands between clients and handlers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    guests: BTreeMap<ConnectionId, Guest>,
    notes: BTreeMap<Ticket, Note>,
}

/// What is to be done to an answer.
#[derive(Debug, Clone)]
struct Note {
    /// These refusals belong into it.
    add: Option<Box<ResponseKind>>,
    /// Only what this guest may see may stay.
    hide: Option<Guest>,
}

impl Gate {
    /// Somebody is known on a connection, from now on.
    pub(crate) fn introduce(&mut self, connection: ConnectionId, guest: Guest) {
        self.guests.insert(connection, guest);
    }

    /// Who has asked, if anybody was introduced there.
    pub(crate) fn guest(&self, ticket: Ticket) -> Option<&Guest> {
        let Ticket::Remote { connection, .. } = ticket else { return None };
        self.guests.get(&connection)
    }

    /// A connection is gone.
    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        if self.guests.remove(&connection).is_some() {
            self.notes.retain(|ticket, _| {
                !matches!(ticket, Ticket::Remote { connection: it, .. } if *it == connection)
            });
        }
    }

    /// What of a request may go on; or the answer to it.
    pub(crate) fn admit(
        &mut self,
        image: &MetadataImage,
        super_users: &[Arc<str>],
        mut call: Call,
    ) -> Result<Call, (Ticket, Answer)> {
        let Ticket::Remote { connection, .. } = call.ticket else { return Ok(call) };
        let Some(guest) = self.guests.get(&connection) else { return Ok(call) };
        let judge = Judge { image, super_users, guest };
        match judge.judge(&mut call.request) {
            Verdict::Pass => {}
            Verdict::Amend { add, hide } => {
                let hide = hide.then(|| guest.clone());
                self.notes.insert(call.ticket, Note { add, hide });
            }
            Verdict::Refuse(answer) => return Err((call.ticket, answer)),
        }
        Ok(call)
    }

    /// The answer as its guest may have it.
    pub(crate) fn amend(
        &mut self,
        image: &MetadataImage,
        super_users: &[Arc<str>],
        ticket: Ticket,
        answer: Answer,
    ) -> Answer {
        if self.notes.is_empty() {
            return answer;
        }
        let Some(note) = self.notes.remove(&ticket) else { return answer };
        let Answer::Reply(mut body) = answer else { return answer };
        if let Some(guest) = &note.hide {
            Judge { image, super_users, guest }.hide(&mut body);
        }
        match note.add {
            Some(refusals) => Answer::Reply(Box::new(merge(*body, *refusals))),
            None => Answer::Reply(body),
        }
    }
}
