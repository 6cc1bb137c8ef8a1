//! Processes: outline, icon, label, badges, and the empty panel below the body.

use std::collections::BTreeMap;

use topomotion_scene::{
    Anchor, Badge, BadgeKind, FontFace, Item, NodeBox, Outline, Point, Primitive, Rect,
    Scene, Stroke,
};

use super::group::with_width;
use super::icon::icon;
use super::outline;
use super::state::state_word;
use crate::draw::{self, Ink};
use crate::theme::{Look, Paints};
use crate::tokens::{BORDER_FINE, BORDER_GROUP, BORDER_NODE, RADIUS_BADGE, RADIUS_NODE};

/// The node without its state mark.
pub(crate) fn paint(node: &NodeBox, paints: &mut Paints) -> Item {
    let own = node.color.as_deref().and_then(|color| paints.written(color));
    let look = own.unwrap_or_else(|| paints.role(&node.role));
    let mut primitives = shadow(node, paints);
    primitives.extend(panel(node, look, paints));
    primitives.extend(body(node, look));
    if let Some((name, place)) = &node.icon {
        primitives.extend(icon(name, *place, look.ink));
    }
    primitives.extend(node.lines.iter().map(|line| {
        let paint = match line.face {
            FontFace::Mono => look.ink,
            FontFace::Regular | FontFace::SemiBold => paints.solid("ink"),
        };
        let ink = Ink::new(line.face, line.size, paint);
        with_width(ink.line(&line.text, line.at, Anchor::Start), line.width)
    }));
    primitives
        .extend(node.badges.iter().flat_map(|badge| draw_badge(badge, look, paints)));
    Item {
        class: format!("node role-{}", node.role),
        id: Some(node.id.clone()),
        name: Some(name(node)),
        primitives,
    }
}

/// What each node is called in running text: its label without what stands in brackets; where
/// another one is called the same, all of its label, else that with its group, else with its id.
pub(crate) fn names(scene: &Scene) -> BTreeMap<String, String> {
    let within = |node: &NodeBox| {
        let group = scene.groups.iter().find(|it| Some(&it.id) == node.group.as_ref())?;
        Some(format!("{} ({})", display_name(node), group.label))
    };
    let whole = |node: &NodeBox| Some(node.label.clone());
    let exact = |node: &NodeBox| Some(format!("{} ({})", display_name(node), node.id));
    let mut names: BTreeMap<&str, String> =
        scene.nodes.iter().map(|node| (&*node.id, display_name(node))).collect();
    let ways: [Longer<'_>; 3] = [&whole, &within, &exact];
    for longer in ways {
        let mut bearers = BTreeMap::<String, usize>::new();
        names.values().for_each(|name| *bearers.entry(name.clone()).or_default() += 1);
        for node in &scene.nodes {
            if let (Some(name), Some(longer)) = (names.get_mut(&*node.id), longer(node))
                && bearers[name] > 1
            {
                *name = longer;
            }
        }
    }
    names.into_iter().map(|(id, name)| (id.to_owned(), name)).collect()
}

/// A longer name, if there is one.
type Longer<'a> = &'a dyn Fn(&NodeBox) -> Option<String>;

/// A node's label without what stands in brackets.
pub(crate) fn display_name(node: &NodeBox) -> String {
    let label = node.label.split(" (").next().unwrap_or(&node.label);
    let words: Vec<&str> = label.split_whitespace().collect();
    if words.is_empty() { node.id.clone() } else { words.join(" ") }
}

fn name(node: &NodeBox) -> String {
    let mut name = format!("{}, {}", node.label, node.role);
    if node.external {
        name.push_str(", external");
    }
    name.push_str(", ");
    name.push_str(state_word(node.state));
    if let Some(text) = &node.description {
        name.push_str(". ");
        name.push_str(text);
    }
    name
}

/// A body that becomes one card with its panel.
fn is_card(node: &NodeBox) -> bool {
    node.outline == Outline::Box && node.panel.is_some()
}

fn shadow(node: &NodeBox, paints: &Paints) -> Vec<Primitive> {
    let cast = |by: f64, opacity: f32| {
        let whole = if is_card(node) { node.rect } else { node.body };
        let fallen = Rect::new(whole.x, whole.y + by, whole.width, whole.height);
        let shape = if is_card(node) { Outline::Box } else { node.outline };
        outline(shape, fallen, Some(paints.faint("shadow", opacity)), None)
    };
    let mut all = cast(3.0, 0.05);
    all.extend(cast(1.25, 0.07));
    all
}

fn panel(node: &NodeBox, look: Look, paints: &Paints) -> Option<Primitive> {
    let panel = node.panel?;
    let place = if is_card(node) { node.rect } else { panel };
    let stroke = Stroke { paint: look.line, width: BORDER_GROUP, dash: Vec::new() };
    Some(draw::rect(place, RADIUS_NODE, Some(paints.solid("surface")), Some(stroke)))
}

fn body(node: &NodeBox, look: Look) -> Vec<Primitive> {
    let dash = if node.external { vec![5.0, 4.0] } else { Vec::new() };
    let stroke = Stroke { paint: look.line, width: BORDER_NODE, dash };
    let mut all = outline(node.outline, node.body, Some(look.fill), Some(stroke.clone()));
    if node.external && node.outline == Outline::Box {
        let inner = Stroke { width: BORDER_FINE, dash: Vec::new(), ..stroke };
        all.push(draw::rect(node.body.grown(-3.5), 7.0, None, Some(inner)));
    }
    all
}

fn draw_badge(badge: &Badge, look: Look, paints: &Paints) -> Vec<Primitive> {
    let line = |dash: &[f64]| {
        Some(Stroke { paint: look.ink, width: BORDER_FINE, dash: dash.to_vec() })
    };
    let surface = Some(paints.solid("surface"));
    let (fill, stroke, ink) = match badge.kind {
        BadgeKind::Shard => (surface, line(&[]), look.ink),
        BadgeKind::Primary => (Some(look.ink), None, look.fill),
        BadgeKind::Replica => (None, line(&[]), look.ink),
        BadgeKind::Arbiter => (None, line(&[3.0, 2.0]), look.ink),
    };
    let radius = (badge.rect.height / 2.0).min(RADIUS_BADGE);
    let text = Ink::new(badge.line.face, badge.line.size, ink);
    let at = Point::new(badge.line.at.x, badge.line.at.y);
    vec![
        draw::rect(badge.rect, radius, fill, stroke),
        with_width(text.line(&badge.line.text, at, Anchor::Start), badge.line.width),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::theme::Theme;

    #[test]
    fn who_shares_a_name_is_told_apart_by_label_group_or_id() {
        let mut scene = fixture::scene();
        scene.nodes.truncate(5);
        scene.groups.truncate(1);
        let (group, label) = (scene.groups[0].id.clone(), scene.groups[0].label.clone());
        let labels = ["Shop (old)", "Shop (new)", "Cart", "Cart", "Cart"];
        for (index, node) in scene.nodes.iter_mut().enumerate() {
            node.id = format!("n{index}");
            labels[index].clone_into(&mut node.label);
            node.group = (index > 2).then(|| group.clone());
        }
        let told = |scene: &Scene| names(scene).into_values().collect::<Vec<_>>();
        let same = ["Cart", "Cart (n3)", "Cart (n4)"];
        assert_eq!(
            told(&scene),
            [["Shop (old)", "Shop (new)"].as_slice(), &same].concat()
        );
        scene.nodes.pop();
        assert_eq!(told(&scene)[2..], ["Cart".to_owned(), format!("Cart ({label})")]);
        scene.nodes.pop();
        assert_eq!(told(&scene)[2..], ["Cart"]);
    }

    #[test]
    fn a_written_colour_takes_the_place_of_the_roles_own() {
        let mut paints = Paints::new(&Theme::default());
        let mut node = fixture::scene().nodes.remove(0);
        let plain = paint(&node, &mut paints);
        node.color = Some("#c2410c".to_owned());
        let own = paint(&node, &mut paints);
        assert_ne!(own.primitives, plain.primitives);
        node.color = Some("no colour at all".to_owned());
        assert_eq!(paint(&node, &mut paints).primitives, plain.primitives);
    }
}
