//! What holds for every file, tried on a small film.

use std::collections::BTreeSet;

use topomotion_scene::{
    Anchor, FontFace, Item, Layer, Motion, Paint, Palette, Point, Primitive, Rect, Rgb,
    Sprite, Stroke, Swatch, Transcript, Window,
};

use super::*;

const EVIL: &str =
    "</text></g><script>alert(1)</script>\u{0}\u{1}\" onload='x' ]]> &amp; {} */";

fn paint(swatch: u16) -> Paint {
    Paint { swatch, opacity: 1.0 }
}

fn text(text: &str) -> Primitive {
    Primitive::Text {
        at: Point::new(10.0, 20.0),
        anchor: Anchor::Middle,
        text: text.to_owned(),
        face: FontFace::SemiBold,
        size: 12.0,
        width: 40.0,
        paint: paint(1),
    }
}

fn item(class: &str, label: &str) -> Item {
    let stroke = Stroke { paint: paint(1), width: 1.5, dash: vec![4.0, 2.0] };
    let rect = Rect::new(0.0, 0.0, 20.0, 10.0);
    let frame =
        Primitive::Rect { rect, radius: 3.0, fill: Some(paint(2)), stroke: Some(stroke) };
    Item {
        class: class.to_owned(),
        id: Some(label.to_owned()),
        name: Some(label.to_owned()),
        primitives: vec![frame, text(label)],
    }
}

fn sprite(label: &str, windows: &[(u32, u32)], path: &[(f64, f64)]) -> Sprite {
    let window =
        |&(start, end): &(u32, u32)| Window { start: Millis(start), end: Millis(end) };
    let path: Vec<Point> = path.iter().map(|&(x, y)| Point::new(x, y)).collect();
    Sprite {
        item: item("packet", label),
        layer: Layer::Packets,
        windows: windows.iter().map(window).collect(),
        motion: (!path.is_empty()).then_some(Motion { path }),
    }
}

fn film(label: &str) -> Animation {
    let swatch = |name: &str, light, dark| Swatch { name: name.into(), light, dark };
    let way = [(0.0, 0.0), (50.0, 0.0), (50.0, 30.0)];
    let line = Transcript {
        at: Millis(0),
        clock: "1.0 ms".into(),
        text: format!("{label} speaks"),
    };
    Animation {
        size: topomotion_scene::Size { width: 200.0, height: 100.0 },
        duration: Millis(4000),
        poster: Millis(1500),
        palette: Palette {
            swatches: vec![
                swatch("page", Rgb(255, 255, 255), Rgb(16, 16, 16)),
                swatch("ink", Rgb(20, 20, 20), Rgb(240, 240, 240)),
                swatch("fill", Rgb(218, 232, 252), Rgb(30, 40, 60)),
            ],
        },
        title: label.to_owned(),
        description: label.to_owned(),
        transcript: vec![line],
        chapters: Vec::new(),
        backdrop: vec![item("node", label)],
        sprites: vec![
            sprite(label, &[(1000, 2000)], &way),
            sprite(label, &[(2500, 3500)], &way),
            sprite("seen at the poster", &[(1000, 3000)], &[]),
            sprite("seen twice", &[(0, 500), (2000, 4000)], &[]),
        ],
        ..Animation::default()
    }
}

/// Whether every tag is closed in order and nothing else is markup; the tags in order.
fn tags(svg: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>') || open.last().is_some_and(|tag| tag == "style")
        );
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default().to_owned();
        all.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

#[test]
fn no_label_gets_out_of_its_place() {
    for theme in [ThemeChoice::Auto, ThemeChoice::Light, ThemeChoice::Dark] {
        let options = Options { theme, ..Options::default() };
        let mut film = film(EVIL);
        film.backdrop[0].class = EVIL.to_owned();
        for svg in [render(&film, &options), render_frame(&film, Millis(1500), &options)]
        {
            let known = [
                "svg", "title", "desc", "style", "defs", "g", "rect", "circle", "path",
                "text", "use",
            ];
            for tag in tags(&svg) {
                assert!(known.contains(&tag.as_str()), "{tag}");
            }
            assert!(!svg.contains("onload='") && !svg.contains('\u{1}'));
            assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}

#[test]
fn names_carry_a_digest_of_the_content() {
    let (a, b) = (
        render(&film("a"), &Options::default()),
        render(&film("b"), &Options::default()),
    );
    let name = |svg: &str| {
        let start = svg.find("aria-labelledby=\"n-").expect("a name") + 19;
        svg[start..start + 5].to_owned()
    };
    assert_ne!(name(&a), name(&b));
    let digest = name(&a);
    for part in a.split("@keyframes ").skip(1) {
        assert!(
            part.split('{').next().is_some_and(|name| name.ends_with(&digest)),
            "{part}"
        );
    }
    for part in a.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap_or_default();
        assert!(id.ends_with(&digest) || ["still", "node-a"].contains(&id), "{id}");
    }
}

#[test]
fn the_film_moves_by_style_alone_and_can_be_stopped() {
    let svg = render(&film("x"), &Options::default());
    for text in [
        "offset-path:path(\"M0 0H50V30\")",
        " 4s linear infinite;offset-rotate:0deg}",
        " 4s step-end infinite}",
        "animation-delay:-3s",
        "@media(prefers-reduced-motion:reduce)",
        "#still:target *{animation:none}",
        "--d:50%",
        "font-feature-settings",
        "@media(prefers-color-scheme:dark)",
        "role=\"graphics-document document\"",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(!svg.contains("foreignObject") && !svg.contains("<animate"));
    // Two packets that look alike, one after the other on one way, are one element.
    assert_eq!(svg.matches("offset-distance:0%").count(), 1);
    assert_eq!(svg.matches("offset-path:").count(), 1);
    assert_eq!(svg.matches("<g class=\"tm-packet k0").count(), 1);
}

#[test]
fn without_style_the_poster_is_seen() {
    let svg = render(&film("x"), &Options::default());
    let hidden: Vec<&str> =
        svg.split("<g display=\"none\" visibility=\"hidden\"").collect();
    assert!(hidden[1].contains(" r0-"), "what travels is hidden");
    let shown = svg.find("seen at the poster").expect("it is there");
    let last_open =
        svg[..shown].rfind("visibility=\"hidden\"").expect("packets come first");
    assert!(
        svg[last_open..shown].contains("</g><g class"),
        "the poster's own state is shown"
    );
}

#[test]
fn an_explicit_theme_needs_no_classes() {
    let light =
        render(&film("x"), &Options { theme: ThemeChoice::Light, ..Options::default() });
    let dark =
        render(&film("x"), &Options { theme: ThemeChoice::Dark, ..Options::default() });
    assert!(
        light.contains("fill=\"#dae8fc\"") && !light.contains("prefers-color-scheme")
    );
    assert!(dark.contains("fill=\"#1e283c\"") && !dark.contains("#dae8fc"));
}

#[test]
fn a_font_is_embedded_under_a_name_of_its_own() {
    let font = EmbeddedFont {
        face: FontFace::SemiBold,
        family: "Inter".into(),
        weight: 600,
        data: b"\0\x01\0\0data".to_vec(),
        lacks: BTreeSet::new(),
    };
    let bare = render(&film("x"), &Options::default());
    assert!(bare.contains("textLength=\"40\""));
    let svg = render(&film("x"), &Options { fonts: vec![font], ..Options::default() });
    assert!(svg.contains("src:url(data:font/ttf;base64,AAEAAGRhdGE=)"));
    assert!(svg.contains("@font-face{font-family:inter-") && !svg.contains("textLength"));
    assert!(characters(&film("xyz"), FontFace::SemiBold).contains(&'z'));
}

#[test]
fn a_frame_is_what_is_seen_then() {
    let frame = |at| render_frame(&film("x"), Millis(at), &Options::default());
    assert!(frame(1500).contains("translate(40 0)"));
    assert!(!frame(100).contains("translate(") && frame(100).contains("seen twice"));
    assert!(!frame(1500).contains("animation"));
}

#[test]
fn padding_and_transparency_are_at_the_rim() {
    let background = Background::Transparent;
    let options = Options { padding: 10.0, background, ..Options::default() };
    let svg = render(&film("x"), &options);
    assert!(svg.contains("viewBox=\"0 0 220 120\"") && svg.contains("translate(10 10)"));
    assert!(!svg.contains("width=\"100%\""));
}

#[test]
fn what_the_topology_names_has_an_id_a_class_a_role_and_a_name() {
    let mut film = film("Broker 1");
    film.backdrop[0].id = Some("broker-1".into());
    film.backdrop[0].class = "node role-broker".into();
    film.backdrop.push(film.backdrop[0].clone());
    film.backdrop.push(Item { class: "group".into(), ..film.backdrop[0].clone() });
    let svg = render(&film, &Options::default());
    for text in [
        "<g id=\"node-broker-1\" class=\"tm-node tm-role-broker\" data-id=\"broker-1\" \
         role=\"graphics-symbol\"><title>Broker 1</title>",
        "<g id=\"node-broker-1.2\"",
        "<g id=\"group-broker-1\" class=\"tm-group\" data-id=\"broker-1\" \
         role=\"graphics-object\">",
    ] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn a_page_may_set_colours_and_size() {
    let svg =
        render(&film("x"), &Options { size: Size::Width(100.0), ..Options::default() });
    assert!(svg.contains("width=\"100\" height=\"50\" viewBox=\"0 0 200 100\""));
    assert!(svg.contains("{fill:var(--tm-ink,#141414)}"));
    assert!(svg.contains("prefers-color-scheme:dark){.f0-"));
}

#[test]
fn a_line_with_a_character_that_no_font_has_keeps_its_width() {
    let lacks = BTreeSet::from(['漢']);
    let (family, data) = ("Inter".to_owned(), vec![0; 4]);
    let font =
        EmbeddedFont { face: FontFace::SemiBold, family, weight: 600, data, lacks };
    let options = Options { fonts: vec![font], ..Options::default() };
    let mut film = film("x");
    assert!(!render(&film, &options).contains("textLength"));
    film.backdrop[0].primitives.push(text("漢字"));
    assert_eq!(render(&film, &options).matches("textLength").count(), 1);
}
