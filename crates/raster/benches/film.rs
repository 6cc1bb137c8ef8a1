//! A film of ten seconds with about 36 packets in flight, written as GIF and as PNG.
//!
//! `cargo bench -p topomotion-raster -- OUT.gif` keeps the film; `/usr/bin/time -v` tells
//! CPU time and memory of the whole.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout)]
#![allow(clippy::expect_used, missing_docs)]

use std::time::Instant;

use topomotion_raster::{GifOptions, PngOptions, gif, png};
use topomotion_scene::{
    Anchor, Animation, FontFace, Item, Layer, Millis, Motion, Paint, Palette,
    PathCommand, Point, Primitive, Rect, Rgb, Size, Sprite, Stroke, Swatch, Window,
};

const PACKETS_IN_FLIGHT: u32 = 36;
const FLIGHT_MS: u32 = 1200;

fn main() {
    let film = film();
    let started = Instant::now();
    let still = png(&film, Millis(5000), &PngOptions::default()).expect("a still");
    println!("png: {} KB in {:?}", still.len() / 1000, started.elapsed());
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut frames = 0;
    let progress = &mut |done, _| frames = done;
    gif(&film, &GifOptions::default(), &mut bytes, progress).expect("a film");
    let elapsed = started.elapsed();
    println!("gif: {frames} frames, {} KB in {elapsed:?}", bytes.len() / 1000);
    if let Some(path) = std::env::args().nth(1).filter(|arg| !arg.starts_with('-')) {
        std::fs::write(path, bytes).expect("a file to write to");
    }
}

fn film() -> Animation {
    let colors = [
        (255, 255, 255),
        (218, 232, 252),
        (108, 142, 191),
        (213, 232, 212),
        (130, 179, 102),
        (30, 41, 59),
        (217, 72, 15),
        (100, 116, 139),
    ];
    let swatch = |(r, g, b)| Swatch {
        name: String::new(),
        light: Rgb(r, g, b),
        dark: Rgb(255 - r, 255 - g, 255 - b),
    };
    let palette = Palette { swatches: colors.map(swatch).to_vec() };
    let centers: Vec<Point> = (0..24)
        .map(|i| {
            Point::new(110.0 + f64::from(i % 6) * 212.0, 90.0 + f64::from(i / 6) * 180.0)
        })
        .collect();
    let edges: Vec<(usize, usize)> =
        (0..30).map(|i| (i % 24, (i * 7 + 5) % 24)).collect();
    let mut backdrop: Vec<Item> =
        edges.iter().map(|&(a, b)| edge(centers[a], centers[b])).collect();
    backdrop.extend(centers.iter().enumerate().map(|(i, at)| node(i, *at)));
    Animation {
        size: Size { width: 1280.0, height: 720.0 },
        duration: Millis(10_000),
        palette,
        backdrop,
        sprites: packets(&centers, &edges),
        ..Animation::default()
    }
}

fn packets(centers: &[Point], edges: &[(usize, usize)]) -> Vec<Sprite> {
    let step = FLIGHT_MS / PACKETS_IN_FLIGHT;
    (0..(10_000 - FLIGHT_MS) / step)
        .map(|i| {
            let (a, b) = edges[(i as usize * 11) % edges.len()];
            let window =
                Window { start: Millis(i * step), end: Millis(i * step + FLIGHT_MS) };
            Sprite {
                item: packet(i),
                layer: Layer::Packets,
                windows: vec![window],
                motion: Some(Motion { path: way(centers[a], centers[b]) }),
            }
        })
        .collect()
}

fn way(a: Point, b: Point) -> Vec<Point> {
    let middle = (a.y + b.y) / 2.0 + 20.0;
    vec![a, Point::new(a.x, middle), Point::new(b.x, middle), b]
}

fn paint(swatch: u16) -> Paint {
    Paint { swatch, opacity: 1.0 }
}

fn edge(a: Point, b: Point) -> Item {
    let mut commands: Vec<PathCommand> =
        way(a, b).into_iter().map(PathCommand::Line).collect();
    commands[0] = PathCommand::Move(a);
    let stroke = Stroke { paint: paint(7), width: 1.5, dash: Vec::new() };
    let line = Primitive::Path { commands, fill: None, stroke: Some(stroke) };
    let at = Point::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0 + 14.0);
    Item { primitives: vec![line, text(at, "replicate", 11.0, 7)], ..Item::default() }
}

fn node(number: usize, at: Point) -> Item {
    let stroke = Stroke { paint: paint(2), width: 1.5, dash: Vec::new() };
    let outline = Primitive::Rect {
        rect: Rect::new(at.x - 70.0, at.y - 26.0, 140.0, 52.0),
        radius: 8.0,
        fill: Some(paint(1)),
        stroke: Some(stroke),
    };
    let label = text(at, &format!("Broker {number} (Leader p{number})"), 13.0, 5);
    Item { primitives: vec![outline, label], ..Item::default() }
}

fn packet(number: u32) -> Item {
    let disc = Primitive::Circle {
        center: Point::default(),
        radius: 6.0,
        fill: Some(paint(if number.is_multiple_of(5) { 6 } else { 4 })),
        stroke: Some(Stroke { paint: paint(0), width: 1.5, dash: Vec::new() }),
    };
    Item { primitives: vec![disc], ..Item::default() }
}

fn text(at: Point, text: &str, size: f64, swatch: u16) -> Primitive {
    Primitive::Text {
        at,
        anchor: Anchor::Middle,
        text: text.into(),
        face: FontFace::Regular,
        size,
        width: text.len() as f64 * size * 0.55,
        paint: paint(swatch),
    }
}
