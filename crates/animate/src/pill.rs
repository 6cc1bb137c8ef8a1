//! How a packet looks: a pill with the API's name, coloured by what it is for.
//!
//! A request is solid, a response is outlined, an error is red and crossed: told by form as
//! well as by colour. Routine is a small dot without words.

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect, Stroke};
use topomotion_trace::Travel;

use crate::draw::{self, Ink};
use crate::reading::Flight;
use crate::theme::Paints;
use crate::tokens::{PACKET_HEIGHT, TYPE_CHIP, TYPE_FINE, TYPE_PACKET};

/// Longest text on a pill, px.
const LONGEST: f64 = 110.0;

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Records to a leader.
    Produce,
    /// Records from a leader to another node.
    Replicate,
    /// Records to a client.
    Fetch,
    /// Who is who: metadata, registrations, heartbeats.
    Control,
    /// Votes.
    Quorum,
    /// A scripted packet.
    Plain,
}

impl Kind {
    /// What the flight is for; `between_nodes` says whether neither end is a client.
    pub fn of(flight: &Flight<'_>, between_nodes: impl Fn() -> bool) -> Kind {
        if flight.packet.travel == Travel::Scripted {
            return Kind::Plain;
        }
        match &*flight.packet.api {
            "Produce" => Kind::Produce,
            "Fetch" if between_nodes() => Kind::Replicate,
            "Fetch" | "ListOffsets" | "OffsetFetch" | "OffsetCommit" => Kind::Fetch,
            "Vote" | "BeginQuorumEpoch" | "EndQuorumEpoch" | "FetchSnapshot" => {
                Kind::Quorum
            }
            _ => Kind::Control,
        }
    }

    /// The kind in a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Produce => "produce",
            Kind::Replicate => "replicate",
            Kind::Fetch => "consume",
            Kind::Control => "control",
            Kind::Quorum => "quorum",
            Kind::Plain => "message",
        }
    }

    /// The name of its colour.
    pub fn color(self) -> &'static str {
        match self {
            Kind::Produce => "packet-produce",
            Kind::Replicate => "packet-replicate",
            Kind::Fetch => "packet-fetch",
            Kind::Control => "packet-control",
            Kind::Quorum => "packet-quorum",
            Kind::Plain => "packet-plain",
        }
    }
}

/// Which way a pill goes, and how it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Solid.
    Request,
    /// Outlined.
    Response,
    /// Red.
    Failing,
}

/// The form of a flight that arrives.
pub(crate) fn form(flight: &Flight<'_>) -> Form {
    match (&flight.packet.error, flight.is_response()) {
        (Some(_), _) => Form::Failing,
        (None, true) => Form::Response,
        (None, false) => Form::Request,
    }
}

/// The API's name, short enough for a pill.
pub(crate) fn label(flight: &Flight<'_>) -> String {
    let api = match &*flight.packet.api {
        "BrokerHeartbeat" | "ControllerHeartbeat" => "Heartbeat",
        "BrokerRegistration" | "ControllerRegistration" => "Register",
        "AlterPartition" => "AlterIsr",
        "DescribeCluster" => "Describe",
        "BeginQuorumEpoch" => "BeginEpoch",
        "EndQuorumEpoch" => "EndEpoch",
        "OffsetsForLeaderEpoch" => "LeaderEpoch",
        "InitProducerId" => "InitId",
        "FindCoordinator" => "FindCoord",
        other => other,
    };
    shortened(api)
}

/// Words, short enough for a pill.
pub(crate) fn shortened(text: &str) -> String {
    topomotion_text::ellipsize(draw::face(FontFace::SemiBold), TYPE_PACKET, text, LONGEST)
}

/// A packet, drawn around the origin.
pub(crate) fn pill(
    kind: Kind,
    form: Form,
    label: &str,
    records: u32,
    paints: &Paints,
) -> Item {
    let (color, fill, text, border) = match form {
        Form::Request => {
            (kind.color(), kind.color().to_owned(), "packet-text".to_owned(), "page")
        }
        Form::Response => {
            let color = kind.color();
            (color, format!("{color}-soft"), format!("{color}-ink"), color)
        }
        Form::Failing => {
            ("packet-error", "packet-error".into(), "packet-text".into(), "page")
        }
    };
    let ink = Ink::new(FontFace::SemiBold, TYPE_PACKET, paints.solid(&text));
    let count = if records > 0 { format!("{records}") } else { String::new() };
    let small =
        Ink::new(FontFace::SemiBold, TYPE_FINE, paints.solid(&format!("{color}-ink")));
    let chip = if records > 0 { (small.width(&count) + 8.0).max(14.0) } else { 0.0 };
    let words = ink.width(label);
    if label.is_empty() && records == 0 {
        return bead(color, paints);
    }
    let inner = words + if records > 0 { chip + 5.0 } else { 0.0 };
    let width = (inner + 16.0 - if records > 0 { 4.0 } else { 0.0 }).max(PACKET_HEIGHT);
    let place = draw::around(Point::default(), width, PACKET_HEIGHT);
    let stroke = Some(paints.stroke(border, 1.5));
    let mut primitives = vec![
        draw::rect(place, PACKET_HEIGHT / 2.0, Some(paints.solid(&fill)), stroke),
        ink.line(label, Point::new(place.x + 8.0, 3.9), Anchor::Start),
    ];
    if records > 0 {
        let spot = Rect::new(place.right() - chip - 4.0, -7.0, chip, 14.0);
        let soft = paints.solid(&format!("{color}-soft"));
        let ring = (form == Form::Response).then(|| paints.stroke(color, 1.0));
        primitives.push(draw::rect(spot, 7.0, Some(soft), ring));
        let base = Point::new(spot.center().x, 3.4);
        primitives.push(small.line(&count, base, Anchor::Middle));
    }
    Item { class: "packet".into(), id: None, name: None, primitives }
}

/// A packet without words.
fn bead(color: &str, paints: &Paints) -> Item {
    let rim = Some(paints.stroke("page", 1.5));
    let primitives =
        vec![draw::circle(Point::default(), 7.0, Some(paints.solid(color)), rim)];
    Item { class: "packet".into(), id: None, name: None, primitives }
}

/// A routine packet: small, dimmed, without words.
pub(crate) fn dot(kind: Kind, form: Form, paints: &Paints) -> Item {
    let paint = paints.faint(kind.color(), 0.5);
    let primitive = match form {
        Form::Request => draw::circle(Point::default(), 3.5, Some(paint), None),
        Form::Response | Form::Failing => {
            let line = Stroke { paint, width: 1.5, dash: Vec::new() };
            draw::circle(Point::default(), 3.0, None, Some(line))
        }
    };
    Item { class: "routine".into(), id: None, name: None, primitives: vec![primitive] }
}

/// Many routine packets folded into one: dimmed, with their number.
pub(crate) fn breath(label: &str, count: usize, paints: &Paints) -> Item {
    let ink = Ink::new(FontFace::Regular, TYPE_CHIP, paints.solid("muted"));
    let text = format!("{label} ×{count}");
    let place = draw::around(Point::default(), ink.width(&text) + 14.0, 16.0);
    let fill = Some(paints.faint("page", 0.85));
    let stroke = Some(paints.stroke("hairline", 1.0));
    let primitives = vec![
        draw::rect(place, 8.0, fill, stroke),
        ink.line(&text, Point::new(0.0, 3.5), Anchor::Middle),
    ];
    Item { class: "routine".into(), id: None, name: None, primitives }
}

/// The cross where a packet died.
pub(crate) fn cross(paints: &Paints) -> Item {
    let line = |name: &str, width| paints.stroke(name, width);
    let arm =
        |a: f64, b: f64| [Point::new(-6.0 * a, -6.0 * b), Point::new(6.0 * a, 6.0 * b)];
    let mut primitives: Vec<Primitive> = Vec::new();
    for (color, width) in [("page", 6.0), ("packet-error", 3.0)] {
        primitives.push(draw::polyline(&arm(1.0, 1.0), line(color, width)));
        primitives.push(draw::polyline(&arm(-1.0, 1.0), line(color, width)));
    }
    Item { class: "loss".into(), id: None, name: None, primitives }
}

/// Half the width of what an item draws around the origin.
pub(crate) fn half_width(item: &Item) -> f64 {
    let reach = |primitive: &Primitive| match primitive {
        Primitive::Rect { rect, .. } => rect.right(),
        Primitive::Circle { radius, .. } => *radius,
        Primitive::Path { .. } | Primitive::Text { .. } => 6.0,
    };
    item.primitives.iter().map(reach).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn text_stays_inside_its_pill() {
        let paints = Paints::new(&Theme::default());
        for (label, records) in
            [("Fetch", 0), ("Produce", 3), ("Produce", 12345), ("", 2)]
        {
            let item = pill(Kind::Produce, Form::Request, label, records, &paints);
            let half = half_width(&item);
            for primitive in &item.primitives {
                let Primitive::Text { at, anchor, width, .. } = primitive else {
                    continue;
                };
                let left =
                    if *anchor == Anchor::Middle { at.x - width / 2.0 } else { at.x };
                assert!(left > -half && left + width < half, "{label} {records}");
            }
        }
    }
}
