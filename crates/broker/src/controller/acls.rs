//! Access control entries, which are records and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::Random;
use uuid::Uuid;

use super::ActiveController;
use crate::acl::Acl;
use crate::metadata::MetadataRecord;

impl ActiveController {
    /// All entries, by id.
    pub(crate) fn acls(&self) -> &BTreeMap<Uuid, Acl> {
        self.image.acls()
    }

    /// Writes those that are not there yet.
    pub(crate) fn create_acls(&mut self, entries: Vec<Acl>, random: &mut Random) {
        let known: BTreeSet<Acl> = self.acls().values().cloned().collect();
        let new: BTreeSet<Acl> =
            entries.into_iter().filter(|acl| !known.contains(acl)).collect();
        let record = |acl| {
            let id = Uuid::from_u64_pair(random.next_u64(), random.next_u64());
            MetadataRecord::Acl { id, acl }
        };
        self.append(new.into_iter().map(record).collect());
    }

    /// Removes entries.
    pub(crate) fn remove_acls(&mut self, gone: BTreeSet<Uuid>) {
        let records = gone.into_iter().map(|id| MetadataRecord::RemoveAcl { id });
        self.append(records.collect());
    }
}
