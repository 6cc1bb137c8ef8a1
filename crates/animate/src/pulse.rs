//! Pulsing connections: while nothing is sent, they all throb together.
//!
//! The halo that they always have grows and shrinks in four steps. Steps, not a smooth
//! change, keep the CPU of a page and the size of a GIF small; that all do it together keeps it
//! to two sprites, however many there are. Readers who want no motion see the halo alone.

use topomotion_scene::{
    Item, Layer, Millis, Paint, PathCommand, Point, Primitive, Scene, Sprite, Stroke,
    Window,
};

use crate::paint::{shaft, stroke};
use crate::theme::Paints;
use crate::tokens::{HALO, HALO_THROB, THROB_MS};

/// Opacity of one step.
const STEP: f32 = 0.07;
/// From a node's border to the halo, px: nothing of it lies over the node.
const CLEAR: f64 = 7.0;

/// Whether a connection pulses.
pub(crate) fn pulses(kind: Option<&str>) -> bool {
    kind == Some("pulse")
}

/// The throbs of a film of this length in which something flies in the `busy` windows.
pub(crate) fn throb(
    scene: &Scene,
    paints: &mut Paints,
    busy: &[Window],
    end: u32,
) -> Vec<Sprite> {
    let starts = starts(busy, end);
    let steps = [
        ((HALO + HALO_THROB) / 2.0, THROB_MS / 4, THROB_MS),
        (HALO_THROB, THROB_MS / 2, THROB_MS * 3 / 4),
    ];
    let sprites = steps.map(|(width, from, to)| {
        let windows = starts
            .iter()
            .map(|at| Window { start: Millis(at + from), end: Millis(at + to) });
        let primitives = halos(scene, paints, width);
        let item = Item { class: "throb".into(), id: None, name: None, primitives };
        Sprite { item, layer: Layer::Edges, windows: windows.collect(), motion: None }
    });
    let is_seen = |sprite: &Sprite| {
        !sprite.windows.is_empty() && !sprite.item.primitives.is_empty()
    };
    sprites.into_iter().filter(is_seen).collect()
}

/// The halos, those of one look as one path.
fn halos(scene: &Scene, paints: &mut Paints, wider: f64) -> Vec<Primitive> {
    let mut looks: Vec<(Stroke, Vec<PathCommand>)> = Vec::new();
    for route in scene.routes.iter().filter(|route| pulses(route.kind.as_deref())) {
        let own = stroke(route, paints);
        let paint = Paint { opacity: STEP, ..own.paint };
        let look = Stroke { paint, width: own.width + wider, dash: Vec::new() };
        let mut route = route.clone();
        if let [first, second, ..] = route.points.as_mut_slice() {
            *first = towards(*first, *second, CLEAR);
        }
        let line = shaft(&route);
        match looks.iter_mut().find(|(known, _)| *known == look) {
            Some((_, lines)) => lines.extend(line),
            None => looks.push((look, line)),
        }
    }
    let path =
        |(look, commands)| Primitive::Path { commands, fill: None, stroke: Some(look) };
    looks.into_iter().map(path).collect()
}

/// The point `by` px on the way from `a` to `b`, at most half way.
fn towards(a: Point, b: Point, by: f64) -> Point {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = (dx * dx + dy * dy).sqrt();
    let part = if length > 0.0 { (by / length).min(0.5) } else { 0.0 };
    Point::new(a.x + dx * part, a.y + dy * part)
}

/// When a throb begins: on a fixed beat, wherever the whole of it is quiet.
fn starts(busy: &[Window], end: u32) -> Vec<u32> {
    let beats = (0..end / THROB_MS).map(|beat| beat * THROB_MS);
    let is_quiet = |at: &u32| {
        let ends = at + THROB_MS;
        !busy.iter().any(|window| window.start.0 < ends && *at < window.end.0)
    };
    beats.filter(is_quiet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Theme, fixture};

    #[test]
    fn nothing_throbs_while_something_flies() {
        let busy = [Window { start: Millis(2000), end: Millis(5000) }];
        assert_eq!(starts(&busy, 10_000), [0, 6400, 8000]);
        assert!(starts(&[], 1500).is_empty());
    }

    #[test]
    fn all_pulsing_connections_share_two_sprites() {
        let mut scene = fixture::scene();
        let mut paints = Paints::new(&Theme::default());
        for route in &mut scene.routes {
            route.kind = None;
        }
        assert!(throb(&scene, &mut paints, &[], 9000).is_empty());
        for route in scene.routes.iter_mut().take(2) {
            route.kind = Some("pulse".into());
            route.protocol = Some("kafka".into());
        }
        let sprites = throb(&scene, &mut paints, &[], 9000);
        assert_eq!(sprites.len(), 2);
        assert!(sprites.iter().all(|sprite| sprite.item.primitives.len() == 1));
        assert!(sprites[0].windows.iter().zip(&sprites[1].windows).all(
            |(wide, narrow)| { wide.start < narrow.start && narrow.end < wide.end }
        ));
    }
}
