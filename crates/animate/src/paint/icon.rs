//! The icons that scripts name, as strokes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use topomotion_scene::{Paint, PathCommand, Point, Primitive, Rect, Stroke};

/// Side of the box in which the icons are drawn.
const BOX: f64 = 24.0;
/// Their stroke there.
const LINE: f64 = 2.0;

fn table() -> &'static BTreeMap<String, Vec<String>> {
    static TABLE: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../../../assets/icons/icons.json");
        serde_json::from_str(text).unwrap_or_default()
    })
}

/// The icon called `name` in `place`; nothing if there is none.
pub(crate) fn icon(name: &str, place: Rect, paint: Paint) -> Vec<Primitive> {
    let scale = place.width.min(place.height) / BOX;
    let corner = Point::new(
        place.center().x - BOX * scale / 2.0,
        place.center().y - BOX * scale / 2.0,
    );
    let stroke = Stroke { paint, width: LINE * scale, dash: Vec::new() };
    let paths = table().get(name).map(Vec::as_slice).unwrap_or_default();
    let commands = paths.iter().flat_map(|path| read(path, corner, scale)).collect();
    if paths.is_empty() {
        return Vec::new();
    }
    vec![Primitive::Path { commands, fill: None, stroke: Some(stroke) }]
}

/// The commands of a path of absolute `M L C Q Z`; what cannot be read ends it.
fn read(path: &str, corner: Point, scale: f64) -> Vec<PathCommand> {
    let mut words = path.split_ascii_whitespace();
    let mut commands = Vec::new();
    while let Some(word) = words.next() {
        let (letter, first) = word.split_at_checked(1).unwrap_or((word, ""));
        let mut pending = (!first.is_empty()).then_some(first);
        let mut point = || {
            let x: f64 = pending.take().or_else(|| words.next())?.parse().ok()?;
            let y: f64 = words.next()?.parse().ok()?;
            Some(Point::new(corner.x + x * scale, corner.y + y * scale))
        };
        let command = match letter {
            "M" => point().map(PathCommand::Move),
            "L" => point().map(PathCommand::Line),
            "Q" => point().zip(point()).map(|(a, b)| PathCommand::Quad(a, b)),
            "C" => match (point(), point(), point()) {
                (Some(a), Some(b), Some(c)) => Some(PathCommand::Cubic(a, b, c)),
                _ => None,
            },
            "Z" => Some(PathCommand::Close),
            _ => None,
        };
        let Some(command) = command else { break };
        commands.push(command);
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_can_be_read_to_its_end() {
        assert!(table().len() > 25);
        for (name, paths) in table() {
            for path in paths {
                let letters = path.chars().filter(char::is_ascii_uppercase).count();
                let read = read(path, Point::default(), 1.0);
                assert_eq!(read.len(), letters, "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_icon_is_nothing() {
        let paint = Paint { swatch: 0, opacity: 1.0 };
        assert!(icon("no-such", Rect::new(0.0, 0.0, 24.0, 24.0), paint).is_empty());
    }
}
