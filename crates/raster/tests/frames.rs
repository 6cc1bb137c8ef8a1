//! What must hold for any film: a canvas that went somewhere looks as if it had always been
//! there, and a GIF shows what the canvas shows.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use proptest::prelude::*;
use topomotion_raster::{Canvas, Fit, GifOptions, Loops, Theme, gif};
use topomotion_scene::{
    Anchor, Animation, FontFace, Item, Layer, Millis, Motion, Paint, Palette, Point,
    Primitive, Rect, Rgb, Size, Sprite, Stroke, Swatch, Window,
};

const DURATION: u32 = 1000;

fn palette() -> Palette {
    let swatch = |name: &str, light, dark| Swatch { name: name.into(), light, dark };
    let swatches = vec![
        swatch("page", Rgb(255, 255, 255), Rgb(16, 20, 24)),
        swatch("broker", Rgb(218, 232, 252), Rgb(40, 60, 90)),
        swatch("line", Rgb(108, 142, 191), Rgb(150, 180, 220)),
        swatch("alarm", Rgb(200, 30, 30), Rgb(255, 110, 110)),
    ];
    Palette { swatches }
}

fn paint() -> impl Strategy<Value = Paint> {
    let opacity = prop_oneof![Just(1.0_f32), 0.0_f32..1.0];
    (0_u16..4, opacity).prop_map(|(swatch, opacity)| Paint { swatch, opacity })
}

fn stroke() -> impl Strategy<Value = Option<Stroke>> {
    let dash = prop::collection::vec(0.5..6.0_f64, 0..4);
    prop::option::of(
        (paint(), 0.0..5.0_f64, dash).prop_map(|(paint, width, dash)| Stroke {
            paint,
            width,
            dash,
        }),
    )
}

fn primitive() -> impl Strategy<Value = Primitive> {
    let rect = (-20.0..90.0_f64, -20.0..70.0_f64, 0.0..60.0_f64, 0.0..40.0_f64)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    let boxes = (rect, 0.0..12.0_f64, prop::option::of(paint()), stroke()).prop_map(
        |(rect, radius, fill, stroke)| Primitive::Rect { rect, radius, fill, stroke },
    );
    let discs = (point(), 0.0..14.0_f64, prop::option::of(paint()), stroke()).prop_map(
        |(center, radius, fill, stroke)| Primitive::Circle {
            center,
            radius,
            fill,
            stroke,
        },
    );
    let words = (point(), "[a-zA-Z0-9 ]{0,8}", 6.0..18.0_f64, paint()).prop_map(
        |(at, text, size, paint)| Primitive::Text {
            at,
            anchor: Anchor::Middle,
            text,
            face: FontFace::SemiBold,
            size,
            width: 20.0,
            paint,
        },
    );
    prop_oneof![boxes, discs, words]
}

fn point() -> impl Strategy<Value = Point> {
    (-10.0..110.0_f64, -10.0..90.0_f64).prop_map(|(x, y)| Point::new(x, y))
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let times = prop::collection::btree_set(0..=DURATION, 0..6);
    times.prop_map(|times| {
        let times: Vec<u32> = times.into_iter().collect();
        let pair = |pair: &[u32]| Window { start: Millis(pair[0]), end: Millis(pair[1]) };
        times.chunks_exact(2).map(pair).collect()
    })
}

fn sprite() -> impl Strategy<Value = Sprite> {
    let layer = prop_oneof![
        Just(Layer::Edges),
        Just(Layer::Nodes),
        Just(Layer::Packets),
        Just(Layer::Words)
    ];
    let motion = prop::option::of(prop::collection::vec(point(), 1..4));
    (prop::collection::vec(primitive(), 0..4), layer, windows(), motion).prop_map(
        |(primitives, layer, windows, path)| Sprite {
            item: Item { primitives, ..Item::default() },
            layer,
            windows,
            motion: path.map(|path| Motion { path }),
        },
    )
}

fn film() -> impl Strategy<Value = Animation> {
    let backdrop = prop::collection::vec(primitive(), 0..4);
    (backdrop, prop::collection::vec(sprite(), 0..12)).prop_map(
        |(primitives, sprites)| Animation {
            size: Size { width: 100.0, height: 80.0 },
            duration: Millis(DURATION),
            palette: palette(),
            backdrop: vec![Item { primitives, ..Item::default() }],
            sprites,
            ..Animation::default()
        },
    )
}

/// What a reader of the GIF sees after each of its frames, with the frame's length.
fn decode(bytes: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut picture = vec![0; width * height * 4];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let own = usize::from(frame.width);
        for (index, pixel) in frame.buffer.chunks_exact(4).enumerate() {
            let x = usize::from(frame.left) + index % own;
            let y = usize::from(frame.top) + index / own;
            if pixel[3] > 0 {
                picture[(y * width + x) * 4..][..4].copy_from_slice(pixel);
            }
        }
        frames.push((picture.clone(), u32::from(frame.delay)));
    }
    frames
}

fn encode(film: &Animation, options: &GifOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    gif(film, options, &mut bytes, &mut |_, _| {}).unwrap();
    bytes
}

/// The share of channels that are plainly off, and the mean difference.
fn difference(a: &[u8], b: &[u8]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let pairs = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let off = pairs().filter(|difference| *difference > 40).count();
    let sum: u64 = pairs().map(u64::from).sum();
    (off as f64 / a.len() as f64, sum as f64 / a.len() as f64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_drawn_step_by_step_equals_the_frame_drawn_from_scratch(
        film in film(),
        moments in prop::collection::vec(0..=DURATION, 1..12),
        scale in prop_oneof![Just(1.0), 0.4..2.5_f64],
    ) {
        let mut walker = Canvas::new(&film, Theme::Light, Fit::Scale(scale)).unwrap();
        for at in moments {
            walker.show(Millis(at));
            let mut fresh = Canvas::new(&film, Theme::Light, Fit::Scale(scale)).unwrap();
            fresh.show(Millis(at));
            prop_assert!(walker.pixels() == fresh.pixels(), "differs at {at} ms");
        }
    }

    #[test]
    fn a_gif_shows_the_canvas_within_the_palettes_error(film in film(), fps in 1..=50_u32) {
        let options = GifOptions { fps, theme: Theme::Dark, ..GifOptions::default() };
        let frames = decode(&encode(&film, &options));
        let mut canvas = Canvas::new(&film, Theme::Dark, Fit::default()).unwrap();
        let mut centis = 0;
        for (seen, delay) in frames {
            canvas.show(Millis(centis * 10));
            let (off, mean) = difference(&seen, canvas.pixels());
            prop_assert!(off < 0.02 && mean < 2.0, "{off} {mean} at {centis}");
            centis += delay;
        }
        prop_assert_eq!(centis, DURATION / 10);
    }

    #[test]
    fn the_same_film_gives_the_same_bytes(film in film()) {
        let options = GifOptions::default();
        prop_assert!(encode(&film, &options) == encode(&film.clone(), &options));
    }
}

fn blinking() -> Animation {
    let fill = Some(Paint { swatch: 3, opacity: 1.0 });
    let rect = Rect::new(10.0, 10.0, 20.0, 20.0);
    let primitives = vec![Primitive::Rect { rect, radius: 0.0, fill, stroke: None }];
    let sprite = Sprite {
        item: Item { primitives, ..Item::default() },
        layer: Layer::Nodes,
        windows: vec![Window { start: Millis(500), end: Millis(800) }],
        motion: None,
    };
    Animation {
        size: Size { width: 100.0, height: 80.0 },
        duration: Millis(DURATION),
        palette: palette(),
        sprites: vec![sprite],
        ..Animation::default()
    }
}

#[test]
fn frames_in_which_nothing_changes_become_one() {
    let frames = decode(&encode(&blinking(), &GifOptions::default()));
    let delays: Vec<u32> = frames.iter().map(|(_, delay)| *delay).collect();
    assert_eq!(delays, [50, 30, 20]);
}

#[test]
fn what_comes_in_from_outside_has_its_colors_in_the_palette() {
    let fill = Some(Paint { swatch: 2, opacity: 0.66 });
    let rect = Rect::new(0.0, 0.0, 30.0, 40.0);
    let primitives = vec![Primitive::Rect { rect, radius: 0.0, fill, stroke: None }];
    let path = vec![Point::new(0.0, 84.0), Point::new(0.0, 0.0)];
    let mut film = blinking();
    film.sprites[0].item.primitives = primitives;
    film.sprites[0].windows = vec![Window { start: Millis(0), end: Millis(595) }];
    film.sprites[0].motion = Some(Motion { path });
    let frames = decode(&encode(&film, &GifOptions { fps: 2, ..GifOptions::default() }));
    let mut canvas = Canvas::new(&film, Theme::default(), Fit::default()).unwrap();
    canvas.show(Millis(500));
    assert_eq!(difference(&frames[1].0, canvas.pixels()).0, 0.0);
}

#[test]
fn part_of_a_film_can_be_shown_a_given_number_of_times() {
    let options = GifOptions {
        from: Millis(400),
        to: Some(Millis(600)),
        loops: Loops::Times(3),
        ..GifOptions::default()
    };
    let bytes = encode(&blinking(), &options);
    let delays: Vec<u32> = decode(&bytes).iter().map(|(_, delay)| *delay).collect();
    assert_eq!(delays, [10, 10]);
    let mut decoder = ::gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
    decoder.read_next_frame().unwrap();
    assert_eq!(decoder.repeat(), ::gif::Repeat::Finite(2));
}

#[test]
fn a_still_film_is_a_gif_of_one_frame() {
    let film = Animation { duration: Millis(0), ..blinking() };
    assert_eq!(decode(&encode(&film, &GifOptions::default())).len(), 1);
}

#[test]
fn a_frame_longer_than_gif_can_say_is_said_in_parts() {
    let film = Animation { duration: Millis(2_000_000), ..blinking() };
    let options = GifOptions { fps: 1, from: Millis(1000), ..GifOptions::default() };
    let frames = decode(&encode(&film, &options));
    assert_eq!(frames.iter().map(|(_, delay)| delay).sum::<u32>(), 199_900);
    assert_eq!(frames.len(), 4);
}

#[test]
fn a_speed_that_browsers_cannot_show_is_refused() {
    for fps in [0, 51] {
        let options = GifOptions { fps, ..GifOptions::default() };
        let error = gif(&blinking(), &options, &mut Vec::new(), &mut |_, _| {});
        assert!(error.unwrap_err().to_string().contains("1 to 50"));
    }
}

/// Takes a few bytes and then no more.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 =
            self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_not_a_panic() {
    let whole = encode(&blinking(), &GifOptions::default()).len();
    for room in [0, 20, whole / 2, whole - 1] {
        let sink = &mut Full(room);
        let result = gif(&blinking(), &GifOptions::default(), sink, &mut |_, _| {});
        assert!(result.is_err(), "{room}");
    }
}
