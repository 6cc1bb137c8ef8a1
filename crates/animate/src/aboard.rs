//! What a packet in the air is, in words, for those who ask.

use topomotion_trace::{Loss, Time, Travel};

use crate::reading::{Fate, Flight};
use crate::stage::Stage;
use crate::ways::{Origin, Way};

/// The kind of everything that is shown small or folded.
pub(crate) const ROUTINE: &str = "routine";
/// How many of the things that a message speaks about are told one by one.
const PARTS_MAX: usize = 12;

/// Something in the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aboard {
    /// What it is for, in a word.
    pub kind: &'static str,
    /// From which process to which.
    pub ends: [String; 2],
    /// Along which of the scene's routes, if it goes along one.
    pub route: Option<usize>,
    /// Size on the wire, bytes.
    pub bytes: u64,
    /// How many messages it stands for.
    pub messages: usize,
    /// What is told of it; the first line names it.
    pub lines: Vec<String>,
}

/// One message.
pub(crate) fn packet(
    flight: &Flight<'_>,
    kind: &'static str,
    way: &Way,
    stage: &Stage,
) -> Aboard {
    let packet = flight.packet;
    let (from, to) = (stage.name(&packet.from), stage.name(&packet.to));
    let travel = match packet.travel {
        Travel::Request => " request",
        Travel::Response(_) => " response",
        Travel::Scripted => "",
    };
    let api = if packet.api.is_empty() { "Message" } else { &*packet.api };
    let mut lines = vec![format!("{api}{travel}"), format!("way: {from} → {to}")];
    let parts: Vec<&str> =
        packet.detail.split(", ").filter(|part| !part.is_empty()).collect();
    let told = parts.iter().take(PARTS_MAX);
    lines.extend(told.map(|part| format!("says: {}", stage.with_names(part))));
    if parts.len() > PARTS_MAX {
        lines.push(format!("says: and {} more", parts.len() - PARTS_MAX));
    }
    if packet.records > 0 {
        lines.push(format!("records: {}", packet.records));
    }
    lines.extend(packet.error.as_ref().map(|error| format!("error: {error}")));
    if packet.bytes > 0 {
        lines.push(format!("size: {} bytes", packet.bytes));
    }
    // A script's flow has an order, and no clock.
    if packet.travel != Travel::Scripted || packet.bytes > 0 {
        lines.push(format!("left: {}", exact(flight.sent)));
        lines.push(ended(flight));
        lines.push(format!("number: #{}", packet.id.0));
        match (packet.travel, packet.cause) {
            (Travel::Response(request), _) => {
                lines.push(format!("answers: #{}", request.0));
            }
            (_, Some(cause)) => lines.push(format!("because of: #{}", cause.0)),
            (_, None) => {}
        }
    } else if let Fate::Lost(loss) = flight.fate {
        lines.push(format!("lost: {}", why(loss)));
    }
    Aboard {
        kind,
        ends: [packet.from.to_string(), packet.to.to_string()],
        route: route(way),
        bytes: packet.bytes.into(),
        messages: 1,
        lines,
    }
}

/// Many routine messages between two processes, drawn as one.
pub(crate) fn folded(flights: &[&Flight<'_>], way: &Way, stage: &Stage) -> Aboard {
    let bytes = flights.iter().map(|flight| u64::from(flight.packet.bytes)).sum();
    let mut lines = Vec::new();
    let mut ends = [String::new(), String::new()];
    if let [first, ..] = flights {
        let packet = first.packet;
        ends = [packet.from.to_string(), packet.to.to_string()];
        let (from, to) = (stage.name(&packet.from), stage.name(&packet.to));
        lines.push(format!("{}, routine", packet.api));
        lines.push(format!("way: {from} ⇄ {to}"));
        lines.push(format!("messages: {}, answers included", flights.len()));
        if bytes > 0 {
            lines.push(format!("size: {bytes} bytes together"));
        }
        let last = flights.iter().map(|flight| flight.end).max().unwrap_or(first.end);
        lines.push(format!("between: {} and {}", exact(first.sent), exact(last)));
    }
    Aboard {
        kind: ROUTINE,
        ends,
        route: route(way),
        bytes,
        messages: flights.len(),
        lines,
    }
}

fn route(way: &Way) -> Option<usize> {
    match way.origin {
        Origin::Drawn { route, .. } => Some(route),
        Origin::Found => None,
    }
}

fn ended(flight: &Flight<'_>) -> String {
    let micros = flight.end.0.saturating_sub(flight.sent.0);
    let later = format!("{}.{:03} ms later", micros / 1000, micros % 1000);
    match flight.fate {
        Fate::Arrived => format!("arrived: {}, {later}", exact(flight.end)),
        Fate::Lost(loss) => {
            format!("lost: {}, {later}: {}", exact(flight.end), why(loss))
        }
        Fate::Pending => "arrived: not before the end of the story".to_owned(),
    }
}

fn why(loss: Loss) -> &'static str {
    match loss {
        Loss::ReceiverDown => "its receiver was down",
        Loss::ConnectionBroken => "its connection broke",
        Loss::Partitioned => "the network was cut",
    }
}

/// Engine time to the microsecond.
pub(crate) fn exact(time: Time) -> String {
    format!("{}.{:06} s", time.0 / 1_000_000, time.0 % 1_000_000)
}

#[cfg(test)]
mod tests {
    use topomotion_trace::What;

    use super::*;
    use crate::fixture;
    use crate::reading::Reading;
    use crate::stage::Bands;
    use crate::ways::Ways;

    fn told(change: impl FnOnce(&mut topomotion_trace::Packet)) -> Vec<String> {
        let mut script = fixture::Script::default();
        script.packet("broker-2", "broker-1", "Fetch", 1_000, 2_512);
        let mut trace = script.trace();
        let sent = trace.events.iter_mut().find_map(|event| match &mut event.what {
            What::Sent(packet) => Some(packet),
            _ => None,
        });
        change(sent.expect("it was sent"));
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let flight = Reading::new(&trace).flights[0];
        let way = Ways::default().of(&stage.scene, flight.packet).unwrap();
        packet(&flight, "replicate", &way, &stage).lines
    }

    #[test]
    fn a_packet_tells_what_it_says_its_size_and_its_time() {
        let lines = told(|packet| {
            packet.travel = Travel::Request;
            packet.detail = "orders-0 offset 5 epoch 3, orders-1 offset 0".into();
            packet.bytes = 92;
        });
        let expected = [
            "Fetch request",
            "way: Broker 2 → Broker 1",
            "says: orders-0 offset 5 epoch 3",
            "says: orders-1 offset 0",
            "size: 92 bytes",
        ];
        assert_eq!(lines[..5], expected);
        assert!(lines[5].starts_with("left: ") && lines[6].starts_with("arrived: "));
        assert!(lines[6].ends_with(" ms later"), "{lines:?}");
    }

    #[test]
    fn a_message_about_many_things_names_the_first() {
        let lines = told(|packet| {
            let parts: Vec<String> = (0..20).map(|n| format!("t-{n} offset 1")).collect();
            packet.detail = parts.join(", ");
        });
        assert!(lines.contains(&"says: and 8 more".to_owned()), "{lines:?}");
    }
}
