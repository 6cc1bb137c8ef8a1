//! The colours by name, light and dark.

use std::collections::BTreeMap;

/// Every named colour in both themes; the default is the bundled one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Name to `#rrggbb`, light.
    pub light: BTreeMap<String, String>,
    /// Name to `#rrggbb`, dark. The same names.
    pub dark: BTreeMap<String, String>,
}

impl Default for Theme {
    fn default() -> Theme {
        Theme { light: BTreeMap::new(), dark: BTreeMap::new() }
    }
}
