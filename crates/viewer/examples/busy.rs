//! A film with very many packets in flight, as a bundle on standard output: what the player's speed is measured with.
//!
//! ```text
//! cargo run -p topomotion-viewer --example busy > busy.topo.json
//! ```
#![allow(clippy::print_stdout)]

use topomotion_scene::{
    Anchor, Animation, Chapter, FontFace, Item, Layer, Millis, Motion, Paint, Palette,
    Point, Primitive, Rect, Rgb, Size, Sprite, Stroke, Swatch, Transcript, Window,
};
use topomotion_viewer::Bundle;

const PACKETS: u32 = 500;
const LENGTH: u32 = 10_000;

fn ink(swatch: u16) -> Paint {
    Paint { swatch, opacity: 1.0 }
}

fn swatch(name: &str, light: Rgb, dark: Rgb) -> Swatch {
    Swatch { name: name.into(), light, dark }
}

fn node(row: u32, column: u32) -> Item {
    let rect = Rect::new(
        f64::from(column) * 200.0 + 30.0,
        f64::from(row) * 160.0 + 60.0,
        120.0,
        60.0,
    );
    let stroke = Some(Stroke { paint: ink(3), width: 1.5, dash: Vec::new() });
    let label = format!("Broker {}", row * 6 + column);
    let name = Some(format!("{label}, broker, running"));
    let text = Primitive::Text {
        at: Point::new(rect.center().x, rect.center().y + 5.0),
        anchor: Anchor::Middle,
        text: label,
        face: FontFace::SemiBold,
        size: 14.0,
        width: 62.0,
        paint: ink(1),
    };
    let frame = Primitive::Rect { rect, radius: 8.0, fill: Some(ink(2)), stroke };
    Item { class: "node".into(), id: None, name, primitives: vec![frame, text] }
}

fn packet(number: u32) -> Sprite {
    let dot = Primitive::Circle {
        center: Point::default(),
        radius: 6.0,
        fill: Some(ink(4)),
        stroke: Some(Stroke { paint: ink(0), width: 1.5, dash: Vec::new() }),
    };
    let place = |seed: u32| {
        let seed = seed.wrapping_mul(2_654_435_761) >> 16;
        Point::new(
            f64::from(seed % 6) * 200.0 + 90.0,
            f64::from(seed / 6 % 4) * 160.0 + 90.0,
        )
    };
    let (from, to) = (place(number), place(number + 977));
    Sprite {
        item: Item { class: "packet".into(), primitives: vec![dot], ..Item::default() },
        layer: Layer::Packets,
        windows: vec![Window { start: Millis(0), end: Millis(LENGTH) }],
        motion: Some(Motion { path: vec![from, Point::new(to.x, from.y), to] }),
    }
}

fn main() {
    let at = |seconds: u32| Millis(seconds * 1000);
    let line = |seconds: u32, text: &str| Transcript {
        at: at(seconds),
        clock: format!("{seconds} s"),
        text: text.into(),
    };
    let chapter = |id: &str, title: &str, start: u32, end: u32| Chapter {
        id: id.into(),
        title: title.into(),
        start: at(start),
        end: at(end),
        steps: (start..end).step_by(2).map(at).collect(),
    };
    let film = Animation {
        size: Size { width: 1280.0, height: 720.0 },
        duration: Millis(LENGTH),
        poster: Millis(3000),
        title: "Five hundred packets".into(),
        description: "A rush hour.".into(),
        palette: Palette {
            swatches: vec![
                swatch("page", Rgb(255, 255, 255), Rgb(13, 17, 23)),
                swatch("ink", Rgb(31, 35, 40), Rgb(230, 237, 243)),
                swatch("fill", Rgb(218, 232, 252), Rgb(22, 40, 68)),
                swatch("line", Rgb(108, 142, 191), Rgb(108, 142, 191)),
                swatch("packet", Rgb(207, 34, 46), Rgb(248, 81, 73)),
            ],
        },
        backdrop: (0..24).map(|one| node(one / 6, one % 6)).collect(),
        sprites: (0..PACKETS).map(packet).collect(),
        chapters: vec![
            chapter("morning", "Morning <b>rush</b>", 0, 5),
            chapter("evening", "Evening", 5, 10),
        ],
        transcript: vec![
            line(0, "It begins."),
            line(2, "All brokers answer; <img src=x onerror=alert(1)> is only text."),
            line(
                5,
                "The second half begins with a longer sentence that has to wrap in a narrow list.",
            ),
            line(8, "It ends."),
        ],
        ..Animation::default()
    };
    print!("{}", Bundle::new(&[("topology", &film)]).json());
}
