//! Nodes: an id, and perhaps brackets with a label, attributes and classes behind it.

use topomotion_model::{Diagnostic, Shape, Span, nearest};

use super::chart::Chart;
use super::shapes::{self, BRACKETS, Bracket};
use crate::mermaid::attributes::{self, Attribute};
use crate::mermaid::label::plain;
use crate::mermaid::scan::{Findings, Piece, Scanner};

/// Reads a node, and puts what it says into the chart. Gives its id and where it stands.
pub(super) fn read(
    scanner: &mut Scanner<'_>,
    chart: &mut Chart,
    findings: &mut Findings,
) -> Result<(String, Span), Box<Diagnostic>> {
    let start = scanner.at;
    let id = read_id(scanner);
    let id_at = scanner.stretch(start, scanner.at);
    if id.is_empty() {
        return Err(Box::new(no_node(scanner)));
    }
    let is_new = chart.known(id).is_none();
    let is_of_link = chart.link_ids.contains_key(id) && is_new;
    if is_of_link && scanner.starts_with("@{") {
        scanner.at += 2;
        let attributes = attributes::read(scanner)?;
        link_attributes(id, &attributes, scanner, chart, findings);
        return Ok((String::new(), id_at));
    }
    let mut given = Given::default();
    if let Some((label, shape)) = bracketed(scanner)? {
        given.take_label(label, scanner, findings);
        given.shape = Some(shape);
    }
    while scanner.starts_with("@{") {
        scanner.at += 2;
        let attributes = attributes::read(scanner)?;
        given.take_attributes(&attributes, scanner, findings);
    }
    let classes = classes(scanner)?;
    let whole = scanner.since(start);
    let place = chart.vertex(id, whole, id_at);
    let vertex = &mut chart.vertices[place];
    if let Some((label, at)) = given.label {
        // An empty label is no label: the id stands in the box.
        (vertex.label, vertex.label_at) =
            (Some(label).filter(|l| !l.is_empty()), Some(at));
        (vertex.whole, vertex.id_at) = (whole, id_at);
    }
    vertex.shape = given.shape.unwrap_or(vertex.shape);
    vertex.icon = given.icon.or(vertex.icon);
    for (class, at) in classes {
        vertex.classes.push(class.to_owned());
        chart.used.push((class.to_owned(), at));
    }
    Ok((id.to_owned(), id_at))
}

/// The longest id that stands here: it ends where a link or a bracket begins.
pub(super) fn read_id<'t>(scanner: &mut Scanner<'t>) -> &'t str {
    let rest = scanner.rest();
    let mut end = rest.len();
    let mut characters = rest.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, c)| *c);
        let goes_on = match c {
            '-' => !matches!(next, Some('-' | '.' | '>') | None),
            '=' => !matches!(next, Some('=') | None),
            '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '|' | ';' | ',' | ':'
            | '@' | '&' | '"' | '^' | '~' => false,
            c => !c.is_whitespace() && !c.is_control(),
        };
        if !goes_on {
            end = at;
            break;
        }
    }
    scanner.at += end;
    &rest[..end]
}

fn no_node(scanner: &Scanner<'_>) -> Diagnostic {
    let place = scanner.here();
    let error = match scanner.peek() {
        None | Some('\n') => {
            Diagnostic::error("missing-node", "a node is missing here", Some(place))
                .at("the line ends")
        }
        Some(c) => Diagnostic::error(
            "unexpected-text",
            format!("a node cannot begin with `{c}`"),
            Some(place),
        )
        .at("a node or a statement is expected here"),
    };
    error.help("write `A[Label] --> B[Label]`; put special characters into quotes: `A[\"a (b)\"]`")
}

/// The label in brackets behind an id, and the shape that the brackets mean.
fn bracketed<'t>(
    scanner: &mut Scanner<'t>,
) -> Result<Option<(Piece<'t>, Shape)>, Box<Diagnostic>> {
    let start = scanner.at;
    scanner.skip_blanks();
    let rest = scanner.rest();
    let mut brackets = BRACKETS.iter().filter(|one| rest.starts_with(one.open));
    let Some(bracket) = brackets.next() else {
        scanner.at = start;
        return Ok(None);
    };
    let from = scanner.at + bracket.open.len();
    if let Some(found) = label_until(scanner, from, bracket) {
        return Ok(Some(found));
    }
    // `A[/usr/bin]` is a box whose label begins with a slash.
    for shorter in brackets {
        let from = scanner.at + shorter.open.len();
        if let Some(found) = label_until(scanner, from, shorter) {
            return Ok(Some(found));
        }
    }
    let place = scanner.stretch(scanner.at, from);
    let close = bracket.closes.first().map_or("]", |(close, _)| *close);
    Err(Box::new(
        Diagnostic::error("open-label", "the label is never closed", Some(place))
            .at("opened here")
            .help(format!("close it with `{close}`")),
    ))
}

/// The label from `from` on, and the shape that its closing bracket means.
fn label_until<'t>(
    scanner: &mut Scanner<'t>,
    from: usize,
    bracket: &Bracket,
) -> Option<(Piece<'t>, Shape)> {
    let text = &scanner.text[from..];
    let blanks = text.len() - text.trim_start().len();
    if let Some(quoted) = text[blanks..].strip_prefix('"')
        && let Some(length) = quoted.find('"')
    {
        let end = blanks + length + 2;
        let gap = text[end..].len() - text[end..].trim_start().len();
        let behind = &text[end + gap..];
        let (close, shape) =
            bracket.closes.iter().find(|(close, _)| behind.starts_with(close))?;
        scanner.at = from + end + gap + close.len();
        return Some((Piece { text: &text[blanks..end], at: from + blanks }, *shape));
    }
    let (length, close, shape) = raw_label(text, bracket)?;
    scanner.at = from + length + close.len();
    Some((Piece { text: &text[..length], at: from }.trimmed(), shape))
}

/// How long a label without quotes is, and what closes it. It may go over lines, but not over
/// another link.
fn raw_label(text: &str, bracket: &Bracket) -> Option<(usize, &'static str, Shape)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        let behind = &text[at..];
        if depth == 0
            && let Some((close, shape)) =
                bracket.closes.iter().find(|(close, _)| behind.starts_with(close))
        {
            return Some((at, close, *shape));
        }
        let (open, close) = bracket.nests;
        if c == open {
            depth += 1;
        } else if c == close {
            // A bracket that closes nothing belongs to the shape around, not to the text.
            depth = depth.checked_sub(1)?;
        }
        let ends = c == '\n' && (behind[1..].trim_start_matches(' ').starts_with('\n'));
        if ends || (depth == 0 && behind.starts_with("-->")) || at > 4096 {
            return None;
        }
    }
    None
}

/// `:::name`, perhaps several.
fn classes<'t>(
    scanner: &mut Scanner<'t>,
) -> Result<Vec<(&'t str, Span)>, Box<Diagnostic>> {
    let mut classes = Vec::new();
    while scanner.eat(":::") {
        let start = scanner.at;
        let class = read_id(scanner);
        if class.is_empty() {
            let error = Diagnostic::error(
                "missing-class",
                "the name of a class is missing",
                Some(scanner.here()),
            );
            return Err(Box::new(error.help("write `A:::name`, and `classDef name …`")));
        }
        classes.push((class, scanner.stretch(start, scanner.at)));
    }
    Ok(classes)
}

/// What a node says of itself.
#[derive(Default)]
struct Given {
    label: Option<(String, Span)>,
    shape: Option<Shape>,
    icon: Option<&'static str>,
}

impl Given {
    /// A label; `fa:fa-user Anna` has an icon in it.
    fn take_label(
        &mut self,
        label: Piece<'_>,
        scanner: &Scanner<'_>,
        found: &mut Findings,
    ) {
        let span = scanner.span_of(label);
        let text = plain(label.text);
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let is_icon = word.split_once(":fa-").is_some_and(|(set, name)| {
                matches!(set, "fa" | "fas" | "far" | "fab" | "fal" | "fak" | "fad")
                    && !name.is_empty()
            });
            if is_icon {
                self.take_icon(word, span, found);
            } else {
                words.push(word);
            }
        }
        self.label = Some((words.join(" "), span));
    }

    fn take_icon(&mut self, name: &str, span: Span, found: &mut Findings) {
        self.icon = shapes::icon(name).or(self.icon);
        if shapes::icon(name).is_none() {
            let why = "no icon here means the same; a process gets one by its role";
            found.lost(&format!("the icon `{name}`"), why, span);
        }
    }

    fn take_attributes(
        &mut self,
        attributes: &[Attribute<'_>],
        scanner: &Scanner<'_>,
        found: &mut Findings,
    ) {
        for Attribute { key, value } in attributes {
            let span = scanner.span_of(*value);
            match key.text {
                "label" => self.take_label(*value, scanner, found),
                "shape" => match shapes::named(value.text) {
                    Some(shape) => self.shape = Some(shape),
                    None => found.add(unknown_shape(value.text, span)),
                },
                "icon" => self.take_icon(value.text, span, found),
                key_name => {
                    let what = format!("the attribute `{key_name}`");
                    let why = "`shape`, `label` and `icon` of a node are imported";
                    found.lost(&what, why, scanner.span_of(*key));
                }
            }
        }
    }
}

fn unknown_shape(name: &str, span: Span) -> Diagnostic {
    let message = format!("no shape is called `{name}`; a box is drawn");
    let warning =
        Diagnostic::warning("unknown-shape", message, Some(span)).at("no such shape");
    match nearest(name, shapes::names()) {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => {
            warning.help("shapes are `rect`, `cyl`, `diam`, `hex`, `circle`, `cloud`, …")
        }
    }
}

/// `e1@{ animate: true }`: the link pulses.
fn link_attributes(
    id: &str,
    attributes: &[Attribute<'_>],
    scanner: &Scanner<'_>,
    chart: &mut Chart,
    found: &mut Findings,
) {
    for Attribute { key, value } in attributes {
        match key.text {
            "animate" | "animation" => {
                let moves = !matches!(value.text, "false" | "none");
                for &place in chart.link_ids.get(id).into_iter().flatten() {
                    chart.links[place].is_animated = moves;
                }
            }
            name => {
                let what = format!("the attribute `{name}` of a link");
                let why = "of a link only `animate` is imported";
                found.lost(&what, why, scanner.span_of(*key));
            }
        }
    }
}
