//! The known name nearest to a mistyped one.

/// The candidate with the smallest edit distance to `name`, if it is near enough to be
/// what was meant (at most a third of the length, at least one). The first of equals wins.
pub fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, case apart: insert, delete, replace, swap of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).take(200).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).take(200).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name() {
        let known = ["broker-1", "broker-2", "controller"];
        assert_eq!(nearest("brokr-2", known), Some("broker-2"));
        assert_eq!(nearest("borker-1", known), Some("broker-1"));
        assert_eq!(nearest("Controller", known), Some("controller"));
    }

    #[test]
    fn something_else_entirely_finds_nothing() {
        assert_eq!(nearest("spark", ["broker-1", "controller"]), None);
        assert_eq!(nearest("", ["broker-1"]), None);
    }
}
