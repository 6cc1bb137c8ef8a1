//! Measure: how much room each process, title and edge label needs.
//!
//! A body holds the icon at the left, the label beside it, the state dot at the top right, and
//! badges below the label. Outlines that are no box get the extra room that keeps text inside
//! them. Nothing is placed yet: [`Content`] places itself once its body is known.
//!
//! Precondition: none.
//! Postcondition: sizes that are finite and hold their text.

use topomotion_model::{Process, Shape, ShardRole};
use topomotion_scene::{
    Badge, BadgeKind, FontFace, Outline, Point, Rect, Size, TextLine,
};
use topomotion_text::{Face, line_metrics, width, wrap};

use crate::tokens::{self, Style};

/// A text in lines, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    style: Style,
    lines: Vec<(String, f64)>,
    /// Room that it needs.
    pub size: Size,
}

impl Block {
    /// Wraps and measures a text.
    pub fn new(style: Style, text: &str) -> Block {
        let wrapped =
            wrap(style.face, style.size, text, style.max_width, style.max_lines);
        let lines: Vec<(String, f64)> = wrapped
            .lines
            .into_iter()
            .map(|line| {
                let wide = width(style.face, style.size, &line);
                (line, wide)
            })
            .collect();
        let wide = lines.iter().map(|line| line.1).fold(0.0, f64::max);
        let high = lines.len() as f64 * line_metrics(style.face, style.size).line_height;
        Block { style, lines, size: Size { width: wide, height: high } }
    }

    /// The lines, left-aligned from a top left corner.
    pub fn place(&self, corner: Point) -> Vec<TextLine> {
        let metrics = line_metrics(self.style.face, self.style.size);
        let above = (metrics.line_height - metrics.ascent - metrics.descent) / 2.0;
        let mut baseline = corner.y + above + metrics.ascent;
        let mut lines = Vec::with_capacity(self.lines.len());
        for (text, width) in &self.lines {
            lines.push(TextLine {
                text: text.clone(),
                at: Point::new(corner.x, baseline),
                width: *width,
                size: self.style.size,
                face: font_face(self.style.face),
            });
            baseline += metrics.line_height;
        }
        lines
    }
}

fn font_face(face: Face) -> FontFace {
    match face {
        Face::Regular => FontFace::Regular,
        Face::SemiBold => FontFace::SemiBold,
        Face::Mono => FontFace::Mono,
    }
}

/// What stands in a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    label: Block,
    badges: Vec<Vec<(BadgeKind, Block)>>,
    /// Outline of the body.
    pub outline: Outline,
    /// Least size of the body.
    pub body: Size,
    /// Room below the body, if any.
    pub panel: Option<Size>,
}

/// A content in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    /// The body.
    pub body: Rect,
    /// The panel.
    pub panel: Option<Rect>,
    /// The icon.
    pub icon: Rect,
    /// The state dot.
    pub dot: Rect,
    /// The label's lines.
    pub lines: Vec<TextLine>,
    /// Badges.
    pub badges: Vec<Badge>,
}

impl Content {
    /// Measures a process.
    pub fn new(process: &Process, panel: Option<Size>) -> Content {
        let label = Block::new(tokens::LABEL, &process.label);
        let badges = badge_rows(process, label.size.width);
        let mut content = Content {
            label,
            badges,
            outline: outline(process.shape),
            body: Size::default(),
            panel: panel.map(sane),
        };
        content.body = around(content.outline, content.inner());
        content.body.width = content.body.width.max(tokens::BODY_WIDTH);
        content.body.height = content.body.height.max(tokens::BODY_HEIGHT);
        content
    }

    /// Size of the whole node.
    pub fn size(&self) -> Size {
        let panel = self.panel.unwrap_or_default();
        Size {
            width: self.body.width.max(panel.width),
            height: self.body.height + panel.height,
        }
    }

    /// Size of icon, label, dot and badges, padding included.
    fn inner(&self) -> Size {
        let text = self.text_size();
        Size {
            width: 2.0 * tokens::BODY_PADDING
                + tokens::ICON
                + 2.0 * tokens::ICON_GAP
                + text.width
                + tokens::DOT,
            height: 2.0 * tokens::BODY_PADDING - 2.0 + text.height.max(tokens::ICON),
        }
    }

    /// Size of the label and the badges below it.
    fn text_size(&self) -> Size {
        let rows = self.badges.iter().map(|row| row_width(row));
        let below = self.badges.len() as f64 * (tokens::BADGE_HEIGHT + tokens::BADGE_GAP);
        Size {
            width: rows.fold(self.label.size.width, f64::max),
            height: self.label.size.height + below,
        }
    }

    /// Places everything inside a node's rectangle.
    pub fn place(&self, rect: &Rect) -> Laid {
        let panel_height = self.panel.map_or(0.0, |panel| panel.height);
        let body = Rect::new(rect.x, rect.y, rect.width, rect.height - panel_height);
        let panel = self
            .panel
            .map(|panel| Rect::new(rect.x, body.bottom(), rect.width, panel.height));
        let (inner, text) = (self.inner(), self.text_size());
        let center = body.center();
        let left = match self.outline {
            Outline::Box | Outline::Cylinder => body.x + tokens::BODY_PADDING,
            _ => center.x - inner.width / 2.0 + tokens::BODY_PADDING,
        };
        let middle = if self.outline == Outline::Cylinder {
            center.y + tokens::LID / 2.0
        } else {
            center.y
        };
        let right = match self.outline {
            Outline::Box | Outline::Cylinder => body.right(),
            _ => center.x + inner.width / 2.0,
        };
        let icon =
            Rect::new(left, middle - tokens::ICON / 2.0, tokens::ICON, tokens::ICON);
        let dot = Rect::new(
            right - tokens::BODY_PADDING + 2.0 - tokens::DOT,
            middle - inner.height / 2.0 + tokens::BODY_PADDING - 2.0,
            tokens::DOT,
            tokens::DOT,
        );
        // Text stands left-aligned in the middle of the room between icon and dot.
        let from = icon.right() + tokens::ICON_GAP;
        let room = dot.x - tokens::ICON_GAP - from;
        let x = from + ((room - text.width) / 2.0).clamp(0.0, 10.0);
        let top = middle - text.height / 2.0;
        let lines = self.label.place(Point::new(x, top));
        let badges = self.place_badges(Point::new(x, top + self.label.size.height));
        Laid { body, panel, icon, dot, lines, badges }
    }

    fn place_badges(&self, corner: Point) -> Vec<Badge> {
        let mut badges = Vec::new();
        let mut y = corner.y + tokens::BADGE_GAP;
        for row in &self.badges {
            let mut x = corner.x;
            for (kind, block) in row {
                let wide = badge_width(block);
                let rect = Rect::new(x, y, wide, tokens::BADGE_HEIGHT);
                let top = y + (tokens::BADGE_HEIGHT - block.size.height) / 2.0;
                let lines = block.place(Point::new(x + tokens::BADGE_PADDING, top));
                if let Some(line) = lines.into_iter().next() {
                    badges.push(Badge { kind: *kind, rect, line });
                }
                x += wide + tokens::BADGE_GAP;
            }
            y += tokens::BADGE_HEIGHT + tokens::BADGE_GAP;
        }
        badges
    }
}

fn badge_width(block: &Block) -> f64 {
    block.size.width + 2.0 * tokens::BADGE_PADDING
}

fn row_width(row: &[(BadgeKind, Block)]) -> f64 {
    let gaps = row.len().saturating_sub(1) as f64 * tokens::BADGE_GAP;
    row.iter().map(|(_, block)| badge_width(block)).sum::<f64>() + gaps
}

/// Badges in rows; the role comes first.
fn badge_rows(process: &Process, label_width: f64) -> Vec<Vec<(BadgeKind, Block)>> {
    let role = process.shard_role.map(|role| match role {
        ShardRole::Primary => (BadgeKind::Primary, "primary"),
        ShardRole::Replica => (BadgeKind::Replica, "replica"),
        ShardRole::Arbiter => (BadgeKind::Arbiter, "arbiter"),
    });
    let shards = process.shards.iter().map(|shard| (BadgeKind::Shard, shard.as_str()));
    let room = label_width.max(tokens::LABEL.max_width);
    let mut rows: Vec<Vec<(BadgeKind, Block)>> = Vec::new();
    let mut left = role.iter().count() + process.shards.len();
    for (kind, text) in role.into_iter().chain(shards) {
        let block = Block::new(tokens::BADGE, text);
        if block.lines.is_empty() {
            left -= 1;
            continue;
        }
        let wide = badge_width(&block) + tokens::BADGE_GAP;
        // The last row keeps room for the count of what is left over.
        let reserve = if rows.len() == tokens::BADGE_ROWS { 40.0 } else { 0.0 };
        let fits = rows.last().is_some_and(|row| row_width(row) + wide + reserve <= room);
        if !fits && rows.len() == tokens::BADGE_ROWS {
            let rest = (BadgeKind::Shard, Block::new(tokens::BADGE, &format!("+{left}")));
            if let Some(row) = rows.last_mut() {
                row.push(rest);
            }
            break;
        }
        match rows.last_mut() {
            Some(row) if fits => row.push((kind, block)),
            _ => rows.push(vec![(kind, block)]),
        }
        left -= 1;
    }
    rows
}

fn outline(shape: Shape) -> Outline {
    match shape {
        Shape::Default => Outline::Box,
        Shape::Cylinder => Outline::Cylinder,
        Shape::Diamond => Outline::Diamond,
        Shape::Cloud => Outline::Cloud,
        Shape::Hexagon => Outline::Hexagon,
        Shape::Parallelogram => Outline::Parallelogram,
        Shape::Circle => Outline::Circle,
    }
}

/// The body around a content.
fn around(outline: Outline, inner: Size) -> Size {
    let Size { width, height } = inner;
    let (width, height) = match outline {
        Outline::Box => (width, height),
        Outline::Cylinder => (width, height + 2.0 * tokens::LID),
        // A rectangle fits a rhombus if its shares of both diagonals sum up to one.
        Outline::Diamond => (width * 1.75, height * 1.75 / 0.75),
        Outline::Hexagon => (width + height / 2.0, height),
        Outline::Parallelogram => (width + 2.0 * tokens::LEAN, height),
        Outline::Cloud => (width * 1.25, height * 1.5),
        // A rectangle fits an ellipse that is larger by the root of two.
        Outline::Circle => {
            let (width, height) = (width * 1.415, height * 1.415);
            if width < height * 1.4 {
                (width.max(height), width.max(height))
            } else {
                (width, height)
            }
        }
    };
    Size { width, height }
}

/// A size that a layout can be made with.
fn sane(size: Size) -> Size {
    let sane = |length: f64| {
        if length.is_finite() { length.clamp(0.0, 4000.0) } else { 0.0 }
    };
    Size { width: sane(size.width), height: sane(size.height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_label_is_wrapped_and_cut() {
        let block = Block::new(tokens::LABEL, &"word ".repeat(60));
        assert_eq!(block.lines.len(), 4);
        assert!(block.size.width <= 150.0);
        assert!(block.lines[3].0.ends_with('…'));
    }

    #[test]
    fn lines_follow_one_another() {
        let block = Block::new(tokens::EDGE_LABEL, "one two three four five six seven");
        let lines = block.place(Point::new(10.0, 20.0));
        assert!(lines.len() > 1 && lines[0].at.y > 20.0);
        assert!(lines.windows(2).all(|pair| pair[0].at.y + 11.0 <= pair[1].at.y));
    }
}
