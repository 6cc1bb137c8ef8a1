//! What stands on what: every text and every mark of a picture with every ground that it may
//! have. A test holds the bundled themes to it, and a theme of one's own is measured by it.

use super::color::{MARK, TEXT, contrast};
use super::{PACKETS, ROLES, Scheme, Theme, WIRES};

/// Two colours of which one must be seen on the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub mark: String,
    pub ground: String,
    /// Least contrast.
    pub least: f64,
}

/// A pair that is hard to see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Faint {
    pub table: Scheme,
    pub mark: String,
    pub ground: String,
    pub contrast: f64,
    pub least: f64,
}

/// Grounds of the open picture.
const OPEN: [&str; 4] = ["page", "group-0", "group-1", "group-2"];

/// Pairs that are alone of their kind.
const SINGLE: &[(f64, &str, &str)] = &[
    (TEXT, "cell-ink", "cell"),
    (TEXT, "cell-open-ink", "cell-open"),
    (TEXT, "cell-open-ink", "surface"),
    (TEXT, "watermark", "surface"),
    (TEXT, "epoch", "surface"),
    (TEXT, "leader-text", "leader"),
    (TEXT, "executed", "page"),
    (TEXT, "ink", "error-soft"),
    (TEXT, "error-ink", "error-soft"),
    (TEXT, "ink", "warning-soft"),
    (TEXT, "warning-ink", "warning-soft"),
    (MARK, "crown", "surface"),
    (MARK, "leader", "surface"),
    (MARK, "cell-line", "surface"),
    (MARK, "cell-line", "cell-open"),
    (MARK, "error", "error-soft"),
    (MARK, "warning", "warning-soft"),
];

/// All pairs.
pub(crate) fn pairs() -> Vec<Pair> {
    let mut all = Vec::new();
    let mut add = |least: f64, mark: &str, ground: &str| {
        all.push(Pair { mark: mark.to_owned(), ground: ground.to_owned(), least });
    };
    for ground in OPEN.into_iter().chain(["surface"]) {
        for text in ["ink", "muted", "error-ink", "warning-ink"] {
            add(TEXT, text, ground);
        }
        for mark in ["line", "error", "warning", "stopped", "running"] {
            add(MARK, mark, ground);
        }
    }
    for role in ROLES {
        let (fill, ink) = (format!("{role}-fill"), format!("{role}-ink"));
        for text in ["ink", "muted", &ink] {
            add(TEXT, text, &fill);
        }
        // A badge has the role's text as its ground, or the surface.
        add(TEXT, &fill, &ink);
        add(TEXT, &ink, "surface");
        add(TEXT, &ink, "group-2");
        for state in ["running", "warning", "error", "stopped"] {
            add(MARK, state, &fill);
        }
    }
    for kind in PACKETS {
        let name = format!("packet-{kind}");
        let (soft, ink) = (format!("{name}-soft"), format!("{name}-ink"));
        add(TEXT, "packet-text", &name);
        add(TEXT, &ink, &soft);
        add(TEXT, &ink, "surface");
        for ground in OPEN {
            add(MARK, &name, ground);
        }
        add(MARK, &name, &soft);
    }
    for wire in WIRES {
        for ground in OPEN {
            add(MARK, wire, ground);
        }
    }
    for (least, mark, ground) in SINGLE {
        add(*least, mark, ground);
    }
    all
}

impl Theme {
    /// The pairs of this theme that are hard to see.
    pub(crate) fn faint(&self) -> Vec<Faint> {
        let mut faint = Vec::new();
        for Pair { mark, ground, least } in pairs() {
            let (a, b) = (self.pair(&mark), self.pair(&ground));
            let found = [(Scheme::Light, a.0, b.0), (Scheme::Dark, a.1, b.1)];
            for (table, a, b) in found {
                let contrast = contrast(a, b);
                // Our own contrast is not exact.
                if contrast < least * 0.98 {
                    let (mark, ground) = (mark.clone(), ground.clone());
                    faint.push(Faint { table, mark, ground, contrast, least });
                }
            }
        }
        faint
    }
}

#[cfg(test)]
mod tests {
    use super::super::color::tests::exact;
    use super::*;

    #[test]
    fn every_text_and_every_mark_is_seen_on_all_that_it_stands_on() {
        let theme = Theme::default();
        let mut faint = Vec::new();
        for Pair { mark, ground, least } in pairs() {
            for name in [&mark, &ground] {
                assert!(theme.light.contains_key(name), "no colour is called {name}");
            }
            let (a, b) = (theme.pair(&mark), theme.pair(&ground));
            for (table, a, b) in [("light", a.0, b.0), ("dark", a.1, b.1)] {
                let found = exact(a, b);
                if found < least {
                    faint.push(format!(
                        "{table}: {mark} on {ground}: {found:.2} < {least}"
                    ));
                }
            }
        }
        assert!(faint.is_empty(), "{}", faint.join("\n"));
        assert!(pairs().len() > 200);
    }

    #[test]
    fn every_ink_of_the_theme_is_measured() {
        let texts = pairs();
        for name in Theme::default().light.keys().filter(|name| name.ends_with("ink")) {
            let is_text = |pair: &Pair| pair.mark == *name && pair.least >= TEXT;
            assert!(texts.iter().any(is_text), "{name} is weighed against nothing");
        }
    }
}
