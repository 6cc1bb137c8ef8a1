//! A node's settings by name, for whoever starts nodes without a topology.

use std::collections::BTreeMap;

use topomotion_broker::BrokerSettings;

use crate::settings::{self, Judgement, Owner};

/// Puts settings in place that are given by Kafka's names, era switches among them.
///
/// # Errors
/// The first that is not known or makes no sense, with what to do; then nothing is changed.
pub fn set_node_settings(
    into: &mut BrokerSettings,
    given: &BTreeMap<String, String>,
) -> Result<(), String> {
    for (name, value) in given {
        match settings::check(Owner::Node, name, value) {
            Judgement::Good => {}
            Judgement::Unknown(help) => {
                return Err(format!("no setting is called `{name}`: {help}"));
            }
            Judgement::Bad(help) => {
                return Err(format!("`{name}` cannot be `{value}`: {help}"));
            }
        }
    }
    settings::set_node(into, given);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_and_change_nothing() {
        let given = |name: &str, value: &str| {
            BTreeMap::from([(name.to_owned(), value.to_owned())])
        };
        let mut settings = BrokerSettings::default();
        let told = set_node_settings(&mut settings, &given("min.insync.replica", "2"));
        assert!(told.is_err_and(|text| text.contains("`min.insync.replicas`")));
        let told = set_node_settings(&mut settings, &given("min.insync.replicas", "x"));
        assert!(told.is_err());
        assert_eq!(settings, BrokerSettings::default());
        assert!(
            set_node_settings(&mut settings, &given("min.insync.replicas", "2")).is_ok()
        );
        assert_eq!(settings.min_insync_replicas, 2);
    }
}
