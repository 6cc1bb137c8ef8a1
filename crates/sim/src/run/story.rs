//! Cutting the story out of everything that happened.
//!
//! The story begins at the curtain. Before it stands, at time 0, what the set-up left
//! behind: every state in the order in which it came about, the connections that are open,
//! and those packets that the story still refers to.

use std::collections::BTreeSet;

use topomotion_trace::{Event, PacketId, Time, Trace, Travel, What};

/// The story: the set-up's remains, the curtain, and what happened then.
pub(crate) fn tell(setup: &Trace, played: Trace) -> Trace {
    let needed = referred(&played.events);
    let at = Time(0);
    let kept = setup.events.iter().filter(|event| remains(&event.what, &needed));
    let mut events: Vec<Event> =
        kept.map(|event| Event { at, what: event.what.clone() }).collect();
    drop_closed(&mut events);
    events.push(Event { at, what: What::Curtain });
    events.extend(played.events);
    Trace { events }
}

/// Packets that the story speaks of, wherever they were sent.
pub(crate) fn referred<'a>(
    played: impl IntoIterator<Item = &'a Event>,
) -> BTreeSet<PacketId> {
    let mut found = BTreeSet::new();
    for event in played {
        match &event.what {
            What::Arrived(packet) | What::Lost(packet, _) => {
                found.insert(*packet);
            }
            What::Sent(packet) => {
                found.extend(packet.cause);
                if let Travel::Response(request) = packet.travel {
                    found.insert(request);
                }
            }
            _ => {}
        }
    }
    found
}

pub(crate) fn remains(what: &What, needed: &BTreeSet<PacketId>) -> bool {
    match what {
        What::Sent(packet) => needed.contains(&packet.id),
        What::Arrived(packet) | What::Lost(packet, _) => needed.contains(packet),
        What::State(_) | What::Opened { .. } | What::Closed { .. } => true,
        What::Curtain
        | What::Step { .. }
        | What::Mark { .. }
        | What::Deed { .. }
        | What::Fault(_)
        | What::Say { .. }
        | What::Flash { .. }
        | What::Verdict { .. } => false,
    }
}

/// Connections that closed before the story begins leave no trace in it.
pub(crate) fn drop_closed(events: &mut Vec<Event>) {
    let mut dropped = BTreeSet::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match &event.what {
            What::Opened { from, to } => open.push((index, format!("{from} {to}"))),
            What::Closed { from, to } => {
                dropped.insert(index);
                let name = format!("{from} {to}");
                if let Some(place) = open.iter().position(|(_, open)| *open == name) {
                    dropped.insert(open.remove(place).0);
                }
            }
            _ => {}
        }
    }
    let mut index = 0;
    events.retain(|_| {
        index += 1;
        !dropped.contains(&(index - 1))
    });
}
