//! Style rules for what appears and moves, shared wherever two sprites do alike.

use std::collections::BTreeMap;

use topomotion_scene::{Millis, Window};

use crate::options::Repeat;
use crate::text::{DIGEST, decimal};

/// All rules of a file.
#[derive(Debug)]
pub(crate) struct Keyframes {
    duration: u32,
    repeat: Repeat,
    /// Body of a `@keyframes` to its number.
    bodies: BTreeMap<String, usize>,
    /// Path data of an `offset-path` to its number.
    paths: BTreeMap<String, usize>,
}

/// What an element needs to take part: classes and inline style.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub classes: String,
    pub style: String,
}

impl Keyframes {
    pub fn new(duration: Millis, repeat: Repeat) -> Keyframes {
        let duration = duration.0.max(1);
        Keyframes { duration, repeat, bodies: BTreeMap::new(), paths: BTreeMap::new() }
    }

    /// Seen in one window: keyframes by the window's length, shifted to its start.
    pub fn window(&mut self, window: Window) -> Part {
        let end = self.percent(window.end.0 - window.start.0);
        let body = if window.end.0 - window.start.0 >= self.duration {
            "0%{visibility:visible}".to_owned()
        } else {
            format!("0%{{visibility:visible}}{end}{{visibility:hidden}}")
        };
        Part { classes: self.name(body), style: self.delay(window.start) }
    }

    /// Seen in several windows: keyframes of its own, from the film's start.
    pub fn windows(&mut self, windows: &[Window]) -> Part {
        let mut body = String::new();
        if windows.first().is_some_and(|window| window.start.0 > 0) {
            body.push_str("0%{visibility:hidden}");
        }
        for window in windows {
            let start = self.percent(window.start.0);
            body.push_str(&format!("{start}{{visibility:visible}}"));
            if window.end.0 < self.duration {
                let end = self.percent(window.end.0);
                body.push_str(&format!("{end}{{visibility:hidden}}"));
            }
        }
        Part { classes: self.name(body), style: String::new() }
    }

    /// Seen in some windows, and in each it travels along the path: keyframes from the first
    /// window's start, shifted there.
    pub fn travel(&mut self, windows: &[Window], path: String) -> Part {
        let Some(first) = windows.first().map(|window| window.start) else {
            return Part::default();
        };
        // Between a keyframe that hides and one that shows, a browser shows.
        let step = 0.001;
        let share =
            |at: Millis| f64::from(at.0 - first.0) * 100.0 / f64::from(self.duration);
        let (mut leaves, mut arrives, mut rests) = (Vec::new(), Vec::new(), Vec::new());
        let mut before: Option<f64> = None;
        for window in windows {
            let (start, end) = (share(window.start), share(window.end));
            match before {
                Some(before) if start - before < 3.0 * step => {
                    leaves.push(before.max(start) + step);
                }
                Some(before) => {
                    rests.extend([before + step, start - step]);
                    leaves.push(start);
                }
                None => leaves.push(start),
            }
            arrives.push(end);
            before = Some(end);
        }
        if let Some(last) = before.filter(|last| *last < 100.0) {
            rests.extend([last + step, 100.0]);
        }
        let mut body = String::new();
        for (at, distance, visibility) in
            [(leaves, 0, "visible"), (arrives, 100, "visible"), (rests, 100, "hidden")]
        {
            if !at.is_empty() {
                let at: Vec<String> = at.into_iter().map(percent).collect();
                body.push_str(&format!(
                    "{}{{offset-distance:{distance}%;visibility:{visibility}}}",
                    at.join(",")
                ));
            }
        }
        let next = self.paths.len();
        let place = *self.paths.entry(path).or_insert(next);
        let classes = format!("{} r{place}-{DIGEST}", self.name(body));
        Part { classes, style: self.delay(first) }
    }

    fn name(&mut self, body: String) -> String {
        let next = self.bodies.len();
        let place = *self.bodies.entry(body).or_insert(next);
        format!("k{place}-{DIGEST}")
    }

    /// The delay that brings the animation's start to `start`. In an endless loop it is
    /// negative: one loop ago it began there.
    fn delay(&self, start: Millis) -> String {
        let ms = match (self.repeat, start.0) {
            (_, 0) => return String::new(),
            (Repeat::Forever, start) => f64::from(start) - f64::from(self.duration),
            (Repeat::Times(_), start) => f64::from(start),
        };
        let mut out = "animation-delay:".to_owned();
        decimal(&mut out, ms / 1000.0, 3);
        out.push('s');
        out
    }

    fn percent(&self, at: u32) -> String {
        percent(f64::from(at) * 100.0 / f64::from(self.duration))
    }

    /// The style rules.
    pub fn rules(&self) -> String {
        if self.bodies.is_empty() {
            return String::new();
        }
        let mut seconds = String::new();
        decimal(&mut seconds, f64::from(self.duration) / 1000.0, 3);
        let count = match self.repeat {
            Repeat::Forever => "infinite".to_owned(),
            Repeat::Times(times) => times.max(1).to_string(),
        };
        let mut out =
            format!("@supports(animation:none){{.h-{DIGEST}{{display:inline}}}}");
        let mut bodies: Vec<(&String, &usize)> = self.bodies.iter().collect();
        bodies.sort_by_key(|(_, place)| **place);
        for (body, place) in bodies {
            let name = format!("k{place}-{DIGEST}");
            // What travels moves evenly; what only comes and goes does so at once.
            let (timing, turn) = if body.contains("offset-distance") {
                ("linear", ";offset-rotate:0deg")
            } else {
                ("step-end", "")
            };
            out.push_str(&format!(
                ".{name}{{animation:{name} {seconds}s {timing} {count}{turn}}}\
                 @keyframes {name}{{{body}}}"
            ));
        }
        let mut paths: Vec<(&String, &usize)> = self.paths.iter().collect();
        paths.sort_by_key(|(_, place)| **place);
        for (path, place) in paths {
            out.push_str(&format!(".r{place}-{DIGEST}{{offset-path:path(\"{path}\")}}"));
        }
        let rest = |scope: &str| {
            format!(
                "{scope} *{{animation:none}}\
                 {scope} .p-{DIGEST}{{visibility:visible;offset-distance:var(--d)}}"
            )
        };
        out.push_str(&rest("#still:target"));
        let all = format!(".t-{DIGEST}");
        out.push_str(&format!("@media(prefers-reduced-motion:reduce){{{}}}", rest(&all)));
        out
    }
}

fn percent(share: f64) -> String {
    let mut out = String::new();
    decimal(&mut out, share.min(100.0), 4);
    out.push('%');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u32, end: u32) -> Window {
        Window { start: Millis(start), end: Millis(end) }
    }

    #[test]
    fn windows_of_equal_length_share_their_keyframes() {
        let mut keyframes = Keyframes::new(Millis(10_000), Repeat::Forever);
        let a = keyframes.window(window(1000, 2000));
        let b = keyframes.window(window(5500, 6500));
        assert_eq!(a.classes, b.classes);
        assert_eq!(
            (a.style.as_str(), b.style.as_str()),
            ("animation-delay:-9s", "animation-delay:-4.5s")
        );
        assert_eq!(keyframes.rules().matches("@keyframes").count(), 1);
    }

    #[test]
    fn a_counted_loop_waits_for_its_start() {
        let mut keyframes = Keyframes::new(Millis(10_000), Repeat::Times(2));
        let part = keyframes.window(window(1000, 2000));
        assert_eq!(part.style, "animation-delay:1s");
        assert!(keyframes.rules().contains("10s step-end 2}"));
    }

    #[test]
    fn a_way_that_is_travelled_again_is_one_animation() {
        let mut keyframes = Keyframes::new(Millis(10_000), Repeat::Forever);
        let windows = [window(2000, 3000), window(3000, 4000), window(6000, 7000)];
        let part = keyframes.travel(&windows, "M0 0H9".into());
        assert_eq!(part.style, "animation-delay:-8s");
        let rules = keyframes.rules();
        for body in [
            "0%,10.001%,40%{offset-distance:0%;visibility:visible}",
            "10%,20%,50%{offset-distance:100%;visibility:visible}",
            "20.001%,39.999%,50.001%,100%{offset-distance:100%;visibility:hidden}",
        ] {
            assert!(rules.contains(body), "{rules}");
        }
    }

    #[test]
    fn several_windows_are_told_from_the_start() {
        let mut keyframes = Keyframes::new(Millis(1000), Repeat::Forever);
        keyframes.windows(&[window(100, 200), window(900, 1000)]);
        let body = "0%{visibility:hidden}10%{visibility:visible}20%{visibility:hidden}90%{visibility:visible}";
        assert!(keyframes.rules().contains(body));
    }
}
