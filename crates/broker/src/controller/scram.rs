//! SCRAM credentials, which are records and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ActiveController;
use crate::metadata::MetadataRecord;
use crate::scram::{ScramCredential, ScramMechanism};

impl ActiveController {
    /// All credentials.
    pub(crate) fn scram(&self) -> &BTreeMap<(Arc<str>, ScramMechanism), ScramCredential> {
        self.image.scram()
    }

    /// Writes what was decided on.
    pub(crate) fn alter_scram(&mut self, records: Vec<MetadataRecord>) {
        self.append(records);
    }
}
