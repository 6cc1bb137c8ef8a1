//! What a subject demands of its next version.

use std::fmt;

use super::Schema;

/// A compatibility level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Compatibility {
    /// Nothing is demanded.
    None,
    /// The new schema reads what the latest version wrote.
    #[default]
    Backward,
    /// The new schema reads what every version wrote.
    BackwardTransitive,
    /// The latest version reads what the new schema writes.
    Forward,
    /// Every version reads what the new schema writes.
    ForwardTransitive,
    /// Both, with the latest version.
    Full,
    /// Both, with every version.
    FullTransitive,
}

/// Why a schema is not taken, sentence by sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatible {
    /// With which version.
    pub version: u32,
    /// Why, with both schemas named.
    pub reasons: Vec<String>,
}

impl Compatibility {
    /// Every level.
    pub const ALL: [Compatibility; 7] = [
        Compatibility::None,
        Compatibility::Backward,
        Compatibility::BackwardTransitive,
        Compatibility::Forward,
        Compatibility::ForwardTransitive,
        Compatibility::Full,
        Compatibility::FullTransitive,
    ];

    /// As a registry writes it: `BACKWARD_TRANSITIVE`.
    pub const fn name(self) -> &'static str {
        match self {
            Compatibility::None => "NONE",
            Compatibility::Backward => "BACKWARD",
            Compatibility::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Compatibility::Forward => "FORWARD",
            Compatibility::ForwardTransitive => "FORWARD_TRANSITIVE",
            Compatibility::Full => "FULL",
            Compatibility::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// The level of this name, in any case.
    pub fn named(name: &str) -> Option<Compatibility> {
        Compatibility::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name))
    }

    fn reads_old(self) -> bool {
        matches!(
            self,
            Compatibility::Backward
                | Compatibility::BackwardTransitive
                | Compatibility::Full
                | Compatibility::FullTransitive
        )
    }

    fn is_read_by_old(self) -> bool {
        matches!(
            self,
            Compatibility::Forward
                | Compatibility::ForwardTransitive
                | Compatibility::Full
                | Compatibility::FullTransitive
        )
    }

    fn looks_at_all(self) -> bool {
        matches!(
            self,
            Compatibility::BackwardTransitive
                | Compatibility::ForwardTransitive
                | Compatibility::FullTransitive
        )
    }

    /// Holds a new schema against the versions of its subject, oldest first.
    pub fn check<'a>(
        self,
        new: &Schema,
        versions: impl DoubleEndedIterator<Item = (u32, &'a Schema)>,
    ) -> Result<(), Incompatible> {
        let most = if self.looks_at_all() { usize::MAX } else { 1 };
        for (version, old) in versions.rev().take(most) {
            let reasons = self.against(new, version, old);
            if !reasons.is_empty() {
                return Err(Incompatible { version, reasons });
            }
        }
        Ok(())
    }

    /// Why the new schema does not go with one version.
    pub fn against(self, new: &Schema, version: u32, old: &Schema) -> Vec<String> {
        let (mine, theirs) = ("the new schema", format!("version {version}"));
        let mut told = Vec::new();
        if self.reads_old() {
            let reasons = new.cannot_read(old);
            told.extend(reasons.iter().map(|reason| reason.tell(mine, &theirs)));
        }
        if self.is_read_by_old() {
            let reasons = old.cannot_read(new);
            told.extend(reasons.iter().map(|reason| reason.tell(&theirs, mine)));
        }
        told
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::SchemaType;
    use super::*;

    fn order(fields: &str) -> Schema {
        let text = format!(r#"{{"type":"record","name":"Order","fields":[{fields}]}}"#);
        Schema::parse(SchemaType::Avro, &text).expect("good")
    }

    const ID: &str = r#"{"name":"id","type":"string"}"#;
    const NOTE: &str = r#"{"name":"note","type":"string"}"#;
    const NOTE_OR_NONE: &str = r#"{"name":"note","type":"string","default":""}"#;

    /// Which levels take `new` after these versions.
    fn takers(new: &Schema, versions: &[Schema]) -> Vec<&'static str> {
        let takes = |level: &Compatibility| {
            level.check(new, (1..).zip(versions).collect::<Vec<_>>().into_iter()).is_ok()
        };
        Compatibility::ALL
            .iter()
            .filter(|level| takes(level))
            .map(|it| it.name())
            .collect()
    }

    #[test]
    fn a_new_field_without_a_default_goes_forward_only() {
        let (old, new) = (order(ID), order(&format!("{ID},{NOTE}")));
        let taken = takers(&new, &[old]);
        assert_eq!(taken, ["NONE", "FORWARD", "FORWARD_TRANSITIVE"]);
    }

    #[test]
    fn a_field_that_goes_without_a_default_goes_backward_only() {
        let (old, new) = (order(&format!("{ID},{NOTE}")), order(ID));
        let taken = takers(&new, &[old]);
        assert_eq!(taken, ["NONE", "BACKWARD", "BACKWARD_TRANSITIVE"]);
    }

    #[test]
    fn a_field_with_a_default_goes_both_ways() {
        let (old, new) = (order(ID), order(&format!("{ID},{NOTE_OR_NONE}")));
        assert_eq!(takers(&new, std::slice::from_ref(&old)).len(), 7);
        assert_eq!(takers(&old, &[new]).len(), 7);
    }

    #[test]
    fn only_the_transitive_levels_look_behind_the_latest_version() {
        // id → id + note with a default → id + note without one.
        let versions = [order(ID), order(&format!("{ID},{NOTE_OR_NONE}"))];
        let new = order(&format!("{ID},{NOTE}"));
        let taken = takers(&new, &versions);
        let known = ["NONE", "BACKWARD", "FORWARD", "FORWARD_TRANSITIVE", "FULL"];
        assert_eq!(taken, known);
    }

    #[test]
    fn a_refusal_names_field_and_version() {
        let (old, new) = (order(ID), order(&format!("{ID},{NOTE}")));
        let refused = Compatibility::Backward.check(&new, [(3, &old)].into_iter());
        let reasons = refused.expect_err("no default").reasons;
        let told = "Order.note: version 3 does not write it, and the new schema has no \
                    default for it";
        assert_eq!(reasons, [told]);
    }
}
