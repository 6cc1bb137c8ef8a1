//! A still has the colours, the size and the transparency that were asked for.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use topomotion_raster::{Background, Fit, PngOptions, Theme, png};
use topomotion_scene::{
    Animation, Item, Millis, Paint, Palette, Primitive, Rect, Rgb, Size, Swatch,
};

fn film() -> Animation {
    let fill = Some(Paint { swatch: 1, opacity: 1.0 });
    let rect = Rect::new(10.0, 10.0, 20.0, 10.0);
    let primitives = vec![Primitive::Rect { rect, radius: 0.0, fill, stroke: None }];
    let swatch = |light, dark| Swatch { name: String::new(), light, dark };
    Animation {
        size: Size { width: 40.0, height: 30.0 },
        palette: Palette {
            swatches: vec![
                swatch(Rgb(255, 255, 255), Rgb(16, 20, 24)),
                swatch(Rgb(218, 232, 252), Rgb(40, 60, 90)),
            ],
        },
        backdrop: vec![Item { primitives, ..Item::default() }],
        ..Animation::default()
    }
}

/// Width, height and pixels (three or four bytes each).
fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width as usize, info.height as usize, pixels)
}

#[test]
fn the_theme_chooses_the_colors() {
    for (theme, page, inside) in [
        (Theme::Light, [255, 255, 255], [218, 232, 252]),
        (Theme::Dark, [16, 20, 24], [40, 60, 90]),
    ] {
        let options = PngOptions { theme, ..PngOptions::default() };
        let (width, height, pixels) = decode(&png(&film(), Millis(0), &options).unwrap());
        assert_eq!((width, height), (40, 30));
        assert_eq!(pixels[..3], page);
        assert_eq!(pixels[(15 * width + 20) * 3..][..3], inside);
    }
}

#[test]
fn a_transparent_still_keeps_only_what_is_drawn() {
    let options = PngOptions {
        background: Background::Transparent,
        fit: Fit::Scale(2.0),
        ..PngOptions::default()
    };
    let (width, height, pixels) = decode(&png(&film(), Millis(0), &options).unwrap());
    assert_eq!((width, height), (80, 60));
    assert_eq!(pixels[..4], [0, 0, 0, 0]);
    assert_eq!(pixels[(30 * width + 40) * 4..][..4], [218, 232, 252, 255]);
}

#[test]
fn a_picture_without_extent_or_too_large_is_refused() {
    let nothing = Animation::default();
    assert!(png(&nothing, Millis(0), &PngOptions::default()).is_err());
    let options = PngOptions { fit: Fit::Width(100_000), ..PngOptions::default() };
    let error = png(&film(), Millis(0), &options).unwrap_err().to_string();
    assert!(error.contains("choose a smaller scale"), "{error}");
}
