//! One look in every output: our pixels against an independent renderer's drawing of our
//! SVG.

mod support;

use support::{folder, said, text, topomotion};

/// Mean difference of a channel, of 255, that anti-aliasing and hinting may make.
const MEAN_DIFFERENCE_AT_MOST: f64 = 2.0;

#[test]
fn png_and_svg_show_the_same_picture() {
    let folder = folder("pictures");
    for (script, theme) in [
        ("examples/kafka-deep-dive.ts", "light"),
        ("examples/kafka-deep-dive.ts", "dark"),
        ("examples/nested-vpc.ts", "light"),
    ] {
        let render = |name: &str| {
            let file = folder.join(name);
            let run = topomotion(&[
                "render",
                script,
                "-o",
                text(&file),
                "--still",
                "--theme",
                theme,
            ]);
            assert!(run.status.success(), "{}", said(&run));
            std::fs::read(&file).expect("it was written")
        };
        let (png, svg) = (render("out.png"), render("out.svg"));
        let ours = pixels(&png);
        let theirs = drawn_by_resvg(&svg, ours.0, ours.1);
        let difference = mean_difference(&ours.2, &theirs);
        assert!(
            difference <= MEAN_DIFFERENCE_AT_MOST,
            "{script} {theme}: mean difference {difference:.2} of 255"
        );
    }
}

#[test]
fn a_film_whose_style_is_ignored_shows_its_poster() {
    let folder = folder("styleless");
    let script = "examples/kafka-deep-dive.ts";
    let render = |name: &str| {
        let file = folder.join(name);
        let film = ["--scenario", "leader-election", "--theme", "light"];
        let outlines: &[&str] =
            if name.ends_with("svg") { &["--text", "outlines"] } else { &[] };
        let file = text(&file);
        let run =
            topomotion(&[&["render", script, "-o", file], &film[..], outlines].concat());
        assert!(run.status.success(), "{}", said(&run));
        std::fs::read(file).expect("it was written")
    };
    let film = String::from_utf8(render("film.svg")).expect("SVG is text");
    let (start, end) = (film.find("<style>").unwrap(), film.find("</style>").unwrap());
    let bare = format!("{}{}", &film[..start], &film[end + "</style>".len()..]);
    let poster = pixels(&render("poster.png"));
    let drawn = drawn_by_resvg(bare.as_bytes(), poster.0, poster.1);
    let difference = mean_difference(&poster.2, &drawn);
    assert!(
        difference <= MEAN_DIFFERENCE_AT_MOST,
        "mean difference {difference:.2} of 255"
    );
}

#[test]
fn pdf_and_png_show_the_same_picture_and_the_text_can_be_taken_out() {
    let run = |program: &str, arguments: &[&str]| {
        std::process::Command::new(program).args(arguments).output().ok()
    };
    if run("pdftoppm", &["-v"]).is_none() {
        eprintln!("SKIPPED: no pdftoppm (poppler-utils): pages were NOT compared");
        return;
    }
    let folder = folder("pages");
    for theme in ["light", "dark"] {
        let render = |name: &str| {
            let file = folder.join(name);
            let script = "examples/kafka-deep-dive.ts";
            let film = ["--scenario", "leader-election", "--at", "9s", "--theme", theme];
            let arguments = [&["render", script, "-o", text(&file)], &film[..]].concat();
            let run = topomotion(&arguments);
            assert!(run.status.success(), "{}", said(&run));
            file
        };
        let (pdf, png) = (render("out.pdf"), render("out.png"));
        let page = folder.join("page");
        // One px is 0.75 pt: 96 pixels to the inch are one to the px.
        let drawing = ["-r", "96", "-png", "-singlefile", text(&pdf), text(&page)];
        assert!(run("pdftoppm", &drawing).is_some_and(|done| done.status.success()));
        let ours = pixels(&std::fs::read(&png).expect("it was written"));
        let theirs = pixels(&std::fs::read(folder.join("page.png")).expect("a page"));
        assert_eq!((ours.0, ours.1), (theirs.0, theirs.1));
        let difference = mean_difference(&ours.2, &theirs.2);
        assert!(difference <= MEAN_DIFFERENCE_AT_MOST, "{theme}: {difference:.2} of 255");
        let told =
            run("pdftotext", &["-layout", text(&pdf), "-"]).expect("it comes with it");
        let told = String::from_utf8(told.stdout).expect("UTF-8");
        for words in ["Kafka Cluster (3 Brokers)", "Order Service", "produce acks=all"] {
            assert!(told.contains(words), "{words} in {told}");
        }
    }
}

#[test]
fn size_and_padding_mean_the_same_in_every_form() {
    let folder = folder("sizes");
    let render = |name: &str, options: &[&str]| {
        let file = folder.join(name);
        let arguments =
            ["render", "examples/single-edge.ts", "--still", "-o", text(&file)];
        let run = topomotion(&[&arguments, options].concat());
        assert!(run.status.success(), "{}", said(&run));
        std::fs::read(&file).expect("it was written")
    };
    let wide = ["--width", "400", "--padding", "30"];
    let png = pixels(&render("out.png", &wide));
    assert_eq!(png.0, 400);
    let svg = String::from_utf8(render("out.svg", &wide)).expect("SVG is text");
    assert!(svg.contains(" width=\"400\" height=\""), "{}", &svg[..200]);
    let gif = render("out.gif", &wide);
    assert_eq!(u16::from_le_bytes([gif[6], gif[7]]), 400);
    let pdf = String::from_utf8_lossy(&render("out.pdf", &wide)).into_owned();
    assert!(pdf.contains("/MediaBox [0 0 300 "), "400 px are 300 pt");
    let corner = |options: &[&str]| {
        let (_, _, bytes) = pixels(&render("clear.png", options));
        bytes[3]
    };
    assert_eq!((corner(&[]), corner(&["--transparent"])), (255, 0));
    let clear = String::from_utf8(render("clear.svg", &["--transparent"])).expect("text");
    assert!(!clear.contains("<rect width=\"100%\""));
}

#[test]
fn characters_that_no_font_has_are_drawn_as_boxes_and_named_once() {
    let folder = folder("characters");
    let script = folder.join("script.ts");
    let source = "const topology = new TopologyBuilder(true);\n\
         topology.createProcess({ id: 'a', label: '注文 🚀' });\n\
         topology.createProcess({ id: 'b', label: 'שירות' });\n\
         topology.connect('a', 'b', { protocol: 'http' });\n\
         await topology.apply();\n";
    std::fs::write(&script, source).expect("the folder is ours");
    for form in ["png", "gif", "pdf", "svg"] {
        let file = folder.join(format!("out.{form}"));
        let run = topomotion(&["render", text(&script), "--still", "-o", text(&file)]);
        assert!(run.status.success(), "{}", said(&run));
        let told = said(&run);
        assert_eq!(told.matches("no bundled font has").count(), 1, "{form}: {told}");
        assert!(told.contains("注 (U+6CE8)") && told.contains("🚀 (U+1F680)"), "{told}");
        assert_eq!(told.contains("a box with the code point"), form != "svg", "{told}");
    }
}

/// Width, height and RGBA bytes of a PNG.
fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().expect("it is a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("it fits into memory")];
    let info = reader.next_frame(&mut bytes).expect("its pixels decode");
    bytes.truncate(info.buffer_size());
    let bytes = match info.color_type {
        png::ColorType::Rgba => bytes,
        png::ColorType::Rgb => {
            bytes.chunks(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect()
        }
        other => panic!("unexpected colour type {other:?}"),
    };
    (info.width, info.height, bytes)
}

fn drawn_by_resvg(svg: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut options = resvg::usvg::Options::default();
    let fonts = std::fs::read_dir(support::root().join("assets/fonts"));
    for file in fonts.expect("the fonts are there").flatten() {
        if file.path().extension().is_some_and(|ending| ending == "ttf") {
            let font = std::fs::read(file.path()).expect("a font is a file");
            options.fontdb_mut().load_font_data(font);
        }
    }
    let tree = resvg::usvg::Tree::from_data(svg, &options).expect("our SVG parses");
    let mut pixmap = resvg::tiny_skia::Pixmap::new(width, height).expect("not empty");
    let scale = width as f32 / tree.size().width();
    let transform = resvg::tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    pixmap.take_demultiplied()
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}
