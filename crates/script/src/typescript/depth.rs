//! Room for deeply nested scripts.
//!
//! The parser and the walk over its tree recurse with the script's nesting and know no limit
//! of their own: a stack that runs out would end the process. So the work is done on a thread
//! with a large stack (pages are taken only as they are used), and a text whose bytes allow
//! for more nesting than that stack can hold is refused first.

use topomotion_model::{Diagnostic, FileId, Span};

/// How much nesting a browser's stack has room for, measured.
#[cfg(target_family = "wasm")]
const LEVELS: usize = 2000;
/// Stacks to try, largest first: where address space is short, less nesting is read.
#[cfg(not(target_family = "wasm"))]
const STACKS: [usize; 3] = [1 << 30, 1 << 27, 1 << 24];
/// What one level takes at most, measured on unoptimised builds, with a margin.
#[cfg(not(target_family = "wasm"))]
const BYTES_PER_LEVEL: usize = 4096;

/// How many levels of nesting the current stack has room for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels(usize);

/// Runs `work` on a deep stack. `None` if the machine has no room for one.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn on_deep_stack<T: Send>(work: impl Fn(Levels) -> T + Sync) -> Option<T> {
    STACKS.iter().find_map(|stack| {
        let (work, levels) = (&work, Levels(stack / BYTES_PER_LEVEL));
        // The thread is joined before this returns, so no order depends on it.
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(*stack);
            builder.spawn_scoped(scope, move || work(levels)).ok()?.join().ok()
        })
    })
}

/// Runs `work` on the only stack that there is.
#[cfg(target_family = "wasm")]
pub(crate) fn on_deep_stack<T: Send>(work: impl Fn(Levels) -> T + Sync) -> Option<T> {
    Some(work(Levels(LEVELS)))
}

/// The error for a text that may nest deeper than there is room for.
///
/// The bound on the nesting is the number of open brackets, plus the number of tokens that
/// can nest without one (operators, `=>`, words, dots) since the last `,` or `;` in the same
/// bracket. It is never too low; a real script stays far below the limit.
pub(super) fn too_deep(text: &str, file: FileId, levels: Levels) -> Option<Diagnostic> {
    let at = place_too_deep(text, levels.0)?;
    let span = Span { file, start: at as u32, end: at as u32 };
    Some(
        Diagnostic::error("too-deep", "the script may be nested too deep", Some(span))
            .at(format!("more than {} tokens without a `,` or `;`", levels.0))
            .help(
                "split the expression, end statements with `;`, or build it with a loop",
            ),
    )
}

fn place_too_deep(text: &str, levels: usize) -> Option<usize> {
    if text.len() <= levels {
        return None;
    }
    // Tokens of each bracket that is still open, and of the innermost.
    let mut open: Vec<usize> = Vec::new();
    let mut here = 0;
    let mut depth = 0;
    let mut in_word = false;
    for (at, byte) in text.bytes().enumerate() {
        let goes_on = std::mem::replace(&mut in_word, is_word(byte)) && is_word(byte);
        if goes_on || byte.is_ascii_whitespace() {
            continue;
        }
        if matches!(byte, b',' | b';') {
            depth -= here;
            here = 0;
            continue;
        }
        if matches!(byte, b')' | b']' | b'}') {
            depth -= here;
            here = open.pop().unwrap_or_default();
        }
        // Every other token, and a bracket as a whole, is one more step down.
        here += 1;
        depth += 1;
        if matches!(byte, b'(' | b'[' | b'{') {
            open.push(here);
            here = 0;
        }
        if depth > levels {
            return Some(at);
        }
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_semicolons_and_closed_brackets_give_levels_back() {
        for text in
            ["a,".repeat(50), "f(1);".repeat(50), "[[1],[2],[3],[4],[5]]".to_owned()]
        {
            assert_eq!(place_too_deep(&text, 12), None, "{text}");
        }
    }

    #[test]
    fn what_can_nest_without_a_bracket_counts() {
        for text in ["!".repeat(50), "(".repeat(50), "if(1)".repeat(50), "a=>".repeat(50)]
        {
            assert!(place_too_deep(&text, 12).is_some(), "{text}");
        }
    }
}
