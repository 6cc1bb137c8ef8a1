//! What a registry knows: everything that it has read from its topic, and nothing else.

use std::collections::BTreeMap;

use super::record::Entry;
use crate::schema::{Compatibility, Schema};

/// A version of a subject.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub id: u32,
    pub schema: Schema,
    /// Deleted softly: its id can still be asked for.
    pub is_deleted: bool,
}

/// Subjects, schemas by id, and levels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    subjects: BTreeMap<String, BTreeMap<u32, Version>>,
    ids: BTreeMap<u32, Schema>,
    global: Option<Compatibility>,
    levels: BTreeMap<String, Compatibility>,
}

/// Whether versions that were deleted softly count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    Hidden,
    Shown,
}

impl Store {
    /// Takes a record of the topic.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Schema { subject, version, id, schema, is_deleted } => {
                self.ids.insert(id, schema.clone());
                let versions = self.subjects.entry(subject).or_default();
                versions.insert(version, Version { id, schema, is_deleted });
            }
            Entry::NoSchema { subject, version } => {
                if let Some(versions) = self.subjects.get_mut(&subject) {
                    let gone = versions.remove(&version);
                    if versions.is_empty() {
                        self.subjects.remove(&subject);
                    }
                    if let Some(gone) = gone
                        && self.places(gone.id).is_empty()
                    {
                        self.ids.remove(&gone.id);
                    }
                }
            }
            Entry::DeleteSubject { subject, up_to } => {
                for (version, entry) in
                    self.subjects.get_mut(&subject).into_iter().flatten()
                {
                    entry.is_deleted |= *version <= up_to;
                }
                self.levels.remove(&subject);
            }
            Entry::Level { subject: None, level } => self.global = level,
            Entry::Level { subject: Some(subject), level } => match level {
                Some(level) => {
                    self.levels.insert(subject, level);
                }
                None => {
                    self.levels.remove(&subject);
                }
            },
            Entry::Noop => {}
        }
    }

    /// Subjects with a version that counts.
    pub fn subjects(&self, deleted: Deleted) -> Vec<&str> {
        let names = self.subjects.keys().map(String::as_str);
        names.filter(|name| self.versions(name, deleted).next().is_some()).collect()
    }

    /// The versions of a subject that count, oldest first.
    pub fn versions(
        &self,
        subject: &str,
        deleted: Deleted,
    ) -> impl DoubleEndedIterator<Item = (u32, &Version)> {
        let all = self.subjects.get(subject).into_iter().flatten();
        let all = all.map(|(number, version)| (*number, version));
        all.filter(move |(_, it)| deleted == Deleted::Shown || !it.is_deleted)
    }

    /// The number that the next version of a subject gets: numbers are never used again
    /// while a version remembers them.
    pub fn next_version(&self, subject: &str) -> u32 {
        let last = self.versions(subject, Deleted::Shown).next_back();
        last.map_or(1, |(number, _)| number + 1)
    }

    pub fn schema(&self, id: u32) -> Option<&Schema> {
        self.ids.get(&id)
    }

    /// The id of this schema, whatever the subject.
    pub fn id_of(&self, schema: &Schema) -> Option<u32> {
        self.ids.iter().find(|(_, known)| *known == schema).map(|(id, _)| *id)
    }

    pub fn next_id(&self) -> u32 {
        self.ids.keys().next_back().map_or(1, |last| last + 1)
    }

    /// Subjects and versions that have this id.
    pub fn places(&self, id: u32) -> Vec<(&str, u32)> {
        let all = self.subjects.iter().flat_map(|(subject, versions)| {
            versions.iter().map(move |(number, it)| (subject.as_str(), *number, it))
        });
        all.filter(|(_, _, it)| it.id == id && !it.is_deleted)
            .map(|(subject, number, _)| (subject, number))
            .collect()
    }

    pub fn global(&self) -> Option<Compatibility> {
        self.global
    }

    pub fn level(&self, subject: &str) -> Option<Compatibility> {
        self.levels.get(subject).copied()
    }
}
