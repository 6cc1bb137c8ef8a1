//! Times, sizes and counts as people write them.

use std::time::Duration;

use topomotion_scene::Millis;
use topomotion_studio::picture::Repeat;

/// The most room around a picture, px.
const LENGTH_MAX: f64 = 10_000.0;

/// `3.2s`, `3200ms`, `2m`, or seconds without a unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("`{text}` is no time: write it like 3.2s, 3200ms or 2m");
    let (number, unit) = split(text);
    let number: f64 = number.parse().map_err(|_| hint())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" | "min" => number * 60.0,
        _ => return Err(hint()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| hint())
}

/// A moment of playing time.
pub fn moment(text: &str) -> Result<Millis, String> {
    let millis = duration(text)?.as_millis();
    let too_late = || format!("`{text}` is later than any film can be");
    u32::try_from(millis).map(Millis).map_err(|_| too_late())
}

/// `64MB`, `512KB`, `1GB`, or bytes without a unit.
pub fn bytes(text: &str) -> Result<usize, String> {
    let hint = || format!("`{text}` is no size: write it like 64MB or 1GB");
    let (number, unit) = split(text);
    let number: f64 = number.parse().map_err(|_| hint())?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(hint()),
    };
    let bytes = number * factor;
    if bytes.is_finite() && (1.0..1e15).contains(&bytes) {
        Ok(bytes as usize)
    } else {
        Err(hint())
    }
}

/// `forever`, `once`, or a number of times.
pub fn repeat(text: &str) -> Result<Repeat, String> {
    match text {
        "forever" => Ok(Repeat::Forever),
        "once" => Ok(Repeat::Times(1)),
        _ => match text.parse() {
            Ok(times) if times > 0 => Ok(Repeat::Times(times)),
            _ => Err(format!("`{text}` is none of: forever, once, a number of times")),
        },
    }
}

/// A positive factor.
pub fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err(format!("`{text}` is no factor: write it like 2 or 0.5")),
    }
}

/// A length in px, not negative.
pub fn length(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("px").unwrap_or(text);
    match number.parse::<f64>() {
        Ok(length) if (0.0..=LENGTH_MAX).contains(&length) => Ok(length),
        _ => Err(format!(
            "`{text}` is no length: write px from 0 to {LENGTH_MAX}, like 24"
        )),
    }
}

/// A width in pixels, at least one.
pub fn width(text: &str) -> Result<u32, String> {
    match text.strip_suffix("px").unwrap_or(text).parse::<u32>() {
        Ok(width) if width > 0 => Ok(width),
        _ => Err(format!(
            "`{text}` is no width: write a whole number of pixels, like 1280"
        )),
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    (text[..end].trim_end(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_the_usual_units() {
        assert_eq!(moment("3.2s"), Ok(Millis(3200)));
        assert_eq!(moment("3200ms"), Ok(Millis(3200)));
        assert_eq!(moment("2"), Ok(Millis(2000)));
        assert_eq!(moment("1.5m"), Ok(Millis(90_000)));
        for wrong in ["", "s", "-1s", "1h", "NaN", "inf", "1e99s", "5000000s"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_come_in_the_usual_units() {
        assert_eq!(bytes("64MB"), Ok(64 << 20));
        assert_eq!(bytes("1 gb"), Ok(1 << 30));
        assert_eq!(bytes("12"), Ok(12));
        for wrong in ["", "MB", "-1", "0", "1TB", "1e99"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_are_px_and_not_negative() {
        assert_eq!((length("24"), length("0.5px")), (Ok(24.0), Ok(0.5)));
        assert_eq!((width("1280"), width("640px")), (Ok(1280), Ok(640)));
        for wrong in ["", "-1", "NaN", "inf", "1e9", "2em"] {
            assert!(length(wrong).is_err() && width(wrong).is_err(), "{wrong}");
        }
        assert!(width("0").is_err() && width("1.5").is_err());
    }

    #[test]
    fn a_film_plays_at_least_once() {
        assert_eq!(repeat("once"), Ok(Repeat::Times(1)));
        assert_eq!(repeat("3"), Ok(Repeat::Times(3)));
        assert!(repeat("0").is_err() && repeat("often").is_err());
    }
}
