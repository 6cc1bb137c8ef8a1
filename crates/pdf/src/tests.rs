//! What holds for every file, tried on a small film.

use topomotion_scene::{
    Anchor, Animation, FontFace, Item, Millis, Paint, Palette, PathCommand, Point,
    Primitive, Rect, Rgb, Stroke, Swatch,
};

use super::*;

fn line(text: &str, face: FontFace) -> Primitive {
    Primitive::Text {
        at: Point::new(10.0, 40.0),
        anchor: Anchor::Start,
        text: text.into(),
        face,
        size: 14.0,
        width: 60.0,
        paint: Paint { swatch: 1, opacity: 1.0 },
    }
}

fn film(texts: &[&str]) -> Animation {
    let paint = Paint { swatch: 1, opacity: 0.5 };
    let stroke = Stroke { paint, width: 2.0, dash: vec![4.0, 3.0] };
    let rect = Rect::new(5.0, 5.0, 60.0, 30.0);
    let commands = vec![
        PathCommand::Move(Point::new(0.0, 0.0)),
        PathCommand::Quad(Point::new(10.0, 0.0), Point::new(10.0, 10.0)),
        PathCommand::Close,
    ];
    let mut primitives = vec![
        Primitive::Rect { rect, radius: 8.0, fill: Some(paint), stroke: Some(stroke) },
        Primitive::Path { commands, fill: Some(paint), stroke: None },
    ];
    primitives.extend(texts.iter().map(|text| line(text, FontFace::Regular)));
    let swatch = |name: &str, light, dark| Swatch { name: name.into(), light, dark };
    Animation {
        size: topomotion_scene::Size { width: 200.0, height: 100.0 },
        duration: Millis(1000),
        palette: Palette {
            swatches: vec![
                swatch("page", Rgb(255, 255, 255), Rgb(16, 16, 16)),
                swatch("ink", Rgb(20, 20, 20), Rgb(240, 240, 240)),
            ],
        },
        title: "A Größe (1)".into(),
        backdrop: vec![Item { primitives, ..Item::default() }],
        ..Animation::default()
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_page_for_each_moment() {
    let bytes = pdf(&film(&["Broker 1"]), &[Millis(0), Millis(500)], &Options::default());
    let text = shown(&bytes.unwrap());
    assert!(text.contains("/Count 2") && text.matches("/Type /Page\n").count() == 2);
    assert!(text.contains("/MediaBox [0 0 150 75]") && text.contains("/FontFile2"));
    assert_eq!(pdf(&film(&[]), &[], &Options::default()), Err(Error::Empty));
}

#[test]
fn the_same_film_gives_the_same_bytes() {
    let make = || pdf(&film(&["a", "漢字"]), &[Millis(0)], &Options::default()).unwrap();
    assert_eq!(make(), make());
    assert!(!shown(&make()).contains("/CreationDate"));
}

#[test]
fn sizes_are_kept_within_what_a_page_may_be() {
    let sized =
        |size| pdf(&film(&[]), &[Millis(0)], &Options { size, ..Options::default() });
    assert!(shown(&sized(Size::Width(400.0)).unwrap()).contains("[0 0 300 150]"));
    assert!(shown(&sized(Size::Scale(0.5)).unwrap()).contains("[0 0 75 37.5]"));
    assert_eq!(sized(Size::Scale(f64::NAN)), Err(Error::Empty));
    assert!(matches!(sized(Size::Scale(1000.0)), Err(Error::TooLarge { .. })));
}

#[test]
fn any_text_is_written() {
    let texts =
        ["", "e\u{301} q\u{301}", "漢字🚀 👍🏽", "\u{7}\u{202e}שלום", "(\\)", "\u{301}"];
    let film = film(&texts);
    for theme in [Theme::Light, Theme::Dark] {
        let options =
            Options { theme, background: Background::Transparent, ..Options::default() };
        assert!(pdf(&film, &[Millis(0)], &options).unwrap().ends_with(b"%%EOF"));
    }
}
