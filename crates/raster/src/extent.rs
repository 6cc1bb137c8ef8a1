//! How many pixels a picture has.

use topomotion_scene::Size;

use crate::{Error, Fit};

/// GIF stores a side in 16 bits, so no picture is larger on either.
const SIDE_MAX: u32 = 65_535;
/// 64 million pixels are 256 MB: more helps nobody.
const PIXELS_MAX: u64 = 64_000_000;

/// A picture's extent in whole pixels, and how many of them one px takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    pub width: u32,
    pub height: u32,
    pub scale: f64,
}

impl Extent {
    /// The extent of a picture of `size` px under `fit`; a part of a pixel counts as one.
    pub fn new(size: Size, fit: Fit) -> Result<Extent, Error> {
        if !(size.width > 0.0 && size.height > 0.0) {
            return Err(Error::Empty);
        }
        let scale = match fit {
            Fit::Scale(scale) => scale,
            Fit::Width(width) => f64::from(width) / size.width,
            Fit::Within { width, height } => {
                (f64::from(width) / size.width).min(f64::from(height) / size.height)
            }
        };
        // What a product overshoots by rounding must not become a pixel of its own.
        let whole = |length: f64| (length * scale - 1e-6).ceil().max(1.0);
        let (width, height) = (whole(size.width), whole(size.height));
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::Empty);
        }
        let too_wide = width.max(height) > f64::from(SIDE_MAX);
        if too_wide || width * height > PIXELS_MAX as f64 {
            let (side_max, pixels_max) = (SIDE_MAX, PIXELS_MAX);
            return Err(Error::TooLarge { width, height, side_max, pixels_max });
        }
        Ok(Extent { width: width as u32, height: height as u32, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 640.0, height: 360.0 };

    #[test]
    fn proportions_stay() {
        let within = Extent::new(SIZE, Fit::Within { width: 320, height: 999 }).unwrap();
        assert_eq!((within.width, within.height, within.scale), (320, 180, 0.5));
        let width = Extent::new(SIZE, Fit::Width(1280)).unwrap();
        assert_eq!((width.width, width.height), (1280, 720));
    }

    #[test]
    fn a_part_of_a_pixel_counts_as_one() {
        let size = Size { width: 10.2, height: 0.1 };
        let extent = Extent::new(size, Fit::Scale(1.0)).unwrap();
        assert_eq!((extent.width, extent.height), (11, 1));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let flat = Size { width: 0.0, height: 10.0 };
        assert!(matches!(Extent::new(flat, Fit::default()), Err(Error::Empty)));
        let nan = Size { width: f64::NAN, height: 10.0 };
        assert!(matches!(Extent::new(nan, Fit::default()), Err(Error::Empty)));
        assert!(matches!(Extent::new(SIZE, Fit::Scale(-1.0)), Err(Error::Empty)));
        assert!(matches!(Extent::new(SIZE, Fit::Width(0)), Err(Error::Empty)));
        let huge = Extent::new(SIZE, Fit::Scale(1000.0));
        assert!(matches!(huge, Err(Error::TooLarge { .. })));
    }
}
