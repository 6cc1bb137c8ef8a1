//! Mermaid's node shapes, by bracket and by name, as the outlines that a process can have.
//!
//! There are fewer outlines than shapes: a trapezoid is slanted like a parallelogram, a
//! horizontal cylinder stands up, and what is a box with decorations is a box.

use topomotion_model::Shape;

/// An opening bracket, and the closing ones with the shape of each.
pub(super) struct Bracket {
    pub open: &'static str,
    pub closes: &'static [(&'static str, Shape)],
    /// What nests inside raw text.
    pub nests: (char, char),
}

/// Longer brackets stand before those that they begin with.
pub(super) const BRACKETS: &[Bracket] = &[
    Bracket { open: "(((", closes: &[(")))", Shape::Circle)], nests: ('(', ')') },
    Bracket { open: "((", closes: &[("))", Shape::Circle)], nests: ('(', ')') },
    Bracket { open: "([", closes: &[("])", Shape::Default)], nests: ('[', ']') },
    Bracket { open: "(-", closes: &[("-)", Shape::Circle)], nests: ('(', ')') },
    Bracket { open: "(", closes: &[(")", Shape::Default)], nests: ('(', ')') },
    Bracket { open: "[[", closes: &[("]]", Shape::Default)], nests: ('[', ']') },
    Bracket { open: "[(", closes: &[(")]", Shape::Cylinder)], nests: ('(', ')') },
    Bracket {
        open: "[/",
        closes: &[("/]", Shape::Parallelogram), ("\\]", Shape::Parallelogram)],
        nests: ('[', ']'),
    },
    Bracket {
        open: "[\\",
        closes: &[("\\]", Shape::Parallelogram), ("/]", Shape::Parallelogram)],
        nests: ('[', ']'),
    },
    Bracket { open: "[", closes: &[("]", Shape::Default)], nests: ('[', ']') },
    Bracket { open: "{{", closes: &[("}}", Shape::Hexagon)], nests: ('{', '}') },
    Bracket { open: "{", closes: &[("}", Shape::Diamond)], nests: ('{', '}') },
    Bracket { open: ">", closes: &[("]", Shape::Default)], nests: ('[', ']') },
];

/// Shapes by name, as `@{ shape: … }` writes them.
const NAMES: &[(Shape, &[&str])] = &[
    (
        Shape::Default,
        &[
            "rect",
            "proc",
            "process",
            "rectangle",
            "rounded",
            "event",
            "stadium",
            "pill",
            "terminal",
            "fr-rect",
            "subprocess",
            "subproc",
            "framed-rectangle",
            "subroutine",
            "odd",
            "text",
            "notch-rect",
            "card",
            "notched-rectangle",
            "lin-rect",
            "lined-process",
            "lined-rectangle",
            "lin-proc",
            "shaded-process",
            "fork",
            "join",
            "brace",
            "brace-l",
            "brace-r",
            "braces",
            "comment",
            "bolt",
            "com-link",
            "lightning-bolt",
            "doc",
            "document",
            "delay",
            "half-rounded-rectangle",
            "curv-trap",
            "curved-trapezoid",
            "display",
            "div-rect",
            "div-proc",
            "divided-process",
            "divided-rectangle",
            "win-pane",
            "internal-storage",
            "window-pane",
            "lin-doc",
            "lined-document",
            "docs",
            "documents",
            "st-doc",
            "stacked-document",
            "processes",
            "procs",
            "st-rect",
            "stacked-rectangle",
            "flag",
            "paper-tape",
            "tag-doc",
            "tagged-document",
            "tag-rect",
            "tag-proc",
            "tagged-process",
            "tagged-rectangle",
            "bang",
        ],
    ),
    (
        Shape::Cylinder,
        &[
            "cyl",
            "cylinder",
            "database",
            "db",
            "das",
            "h-cyl",
            "horizontal-cylinder",
            "lin-cyl",
            "disk",
            "disk-storage",
            "lined-cylinder",
            "bow-rect",
            "bow-tie-rectangle",
            "stored-data",
            "datastore",
            "data-store",
        ],
    ),
    (
        Shape::Circle,
        &[
            "circle",
            "circ",
            "dbl-circ",
            "double-circle",
            "sm-circ",
            "small-circle",
            "start",
            "fr-circ",
            "framed-circle",
            "stop",
            "f-circ",
            "filled-circle",
            "junction",
            "cross-circ",
            "crossed-circle",
            "summary",
            "ellipse",
        ],
    ),
    (
        Shape::Diamond,
        &[
            "diam",
            "decision",
            "diamond",
            "question",
            "hourglass",
            "collate",
            "tri",
            "extract",
            "triangle",
            "flip-tri",
            "flipped-triangle",
            "manual-file",
        ],
    ),
    (
        Shape::Hexagon,
        &["hex", "hexagon", "prepare", "notch-pent", "loop-limit", "notched-pentagon"],
    ),
    (
        Shape::Parallelogram,
        &[
            "lean-r",
            "lean-right",
            "in-out",
            "lean-l",
            "lean-left",
            "out-in",
            "trap-b",
            "priority",
            "trapezoid",
            "trapezoid-bottom",
            "trap-t",
            "manual",
            "inv-trapezoid",
            "trapezoid-top",
            "sl-rect",
            "manual-input",
            "sloped-rectangle",
        ],
    ),
    (Shape::Cloud, &["cloud"]),
];

/// The shape with this name.
pub(super) fn named(name: &str) -> Option<Shape> {
    let found = NAMES.iter().find(|(_, names)| names.contains(&name));
    found.map(|(shape, _)| *shape)
}

/// Every name, for messages.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// Icons by the names that Mermaid's icon sets give them.
const ICONS: &[(&[&str], &str)] = &[
    (&["server", "servers"], "server"),
    (&["microchip", "cpu"], "cpu"),
    (&["database", "db"], "database"),
    (&["globe", "internet", "earth"], "globe"),
    (&["cloud"], "cloud"),
    (&["lock", "unlock"], "lock"),
    (&["key"], "key"),
    (&["shield", "shield-alt"], "shield"),
    (&["user", "users", "person", "user-circle"], "user"),
    (&["code", "file-code"], "code"),
    (&["envelope", "mail", "at"], "mail"),
    (&["bolt", "zap"], "zap"),
    (&["exclamation-triangle", "triangle-exclamation", "warning", "bell"], "alert"),
    (&["desktop", "laptop", "tv"], "monitor"),
    (&["mobile", "mobile-alt", "phone"], "mobile"),
    (&["memory"], "memory"),
    (&["hdd", "hard-drive", "disk", "save"], "hard-drive"),
    (&["layer-group", "layers"], "layers"),
    (&["chart-bar", "chart-line", "chart-pie"], "chart"),
    (&["clock", "hourglass", "stopwatch"], "clock"),
    (&["search", "magnifying-glass"], "search"),
    (&["terminal"], "terminal"),
    (&["window-maximize", "chrome", "firefox"], "browser"),
    (&["random", "route", "network-wired"], "router"),
    (&["box", "docker", "cube"], "container"),
];

/// The icon with this name, with or without the set's own prefix.
pub(super) fn icon(name: &str) -> Option<&'static str> {
    let name = name.rsplit(':').next().unwrap_or(name);
    let name = name.strip_prefix("fa-").unwrap_or(name);
    ICONS.iter().find(|(names, _)| names.contains(&name)).map(|(_, icon)| *icon)
}

#[cfg(test)]
mod tests {
    use topomotion_model::names::ICONS as KNOWN;

    use super::*;

    #[test]
    fn every_shape_has_one_meaning() {
        let mut all: Vec<&str> = names().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(named("cyl"), Some(Shape::Cylinder));
        assert_eq!(named("nonsense"), None);
    }

    #[test]
    fn icons_are_ones_that_a_process_may_carry() {
        assert!(ICONS.iter().all(|(_, icon)| KNOWN.contains(icon)));
        assert_eq!(icon("fa:fa-user"), Some("user"));
        assert_eq!(icon("logos:aws"), None);
    }

    #[test]
    fn no_bracket_hides_a_longer_one() {
        for (index, bracket) in BRACKETS.iter().enumerate() {
            let before = BRACKETS[..index].iter();
            let hidden = before.filter(|one| bracket.open.starts_with(one.open));
            assert_eq!(hidden.count(), 0, "{}", bracket.open);
        }
    }
}
