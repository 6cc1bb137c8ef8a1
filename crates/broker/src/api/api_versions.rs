//! ApiVersions (18), versions 0–4, on every node.
//!
//! - Tells what this node serves, and nothing else.
//! - A version that is too new is answered in version 0 with UNSUPPORTED_VERSION and the list,
//!   so that a newer client can find its way down.
//! - From version 3 on it tells the cluster's features: by `transaction.version` a producer
//!   knows which protocol to speak (TXN-5). A feature whose oldest level is 0 is told as
//!   supported from version 4 on only, for older clients cannot read that.

use topomotion_coordinator::{GroupVersion, TransactionVersion};
use topomotion_wire::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use topomotion_wire::messages::{ApiKey, ApiVersionsResponse};
use topomotion_wire::{ErrorCode, Offset};

use super::{Served, served_by, text};
use crate::config::{BrokerSettings, Elr, KraftVersion, Roles};
use crate::controller::METADATA_VERSION;

/// The first version with features, and the first that can tell a level of 0.
const WITH_FEATURES: i16 = 3;
const WITH_LEVEL_0: i16 = 4;

/// A feature of the cluster: the levels that this engine knows, and the one that holds.
struct Feature {
    name: &'static str,
    oldest: i16,
    newest: i16,
    level: i16,
}

fn features(settings: &BrokerSettings) -> [Feature; 5] {
    let feature = |name, oldest, newest, level| Feature { name, oldest, newest, level };
    let elr = match settings.elr {
        Elr::On => 1,
        Elr::Off => 0,
    };
    let group = match settings.groups.version {
        GroupVersion::V0 => 0,
        GroupVersion::V1 => 1,
    };
    let kraft = match settings.kraft_version {
        KraftVersion::Static => 0,
        KraftVersion::Reconfigurable => 1,
    };
    let transaction = match settings.transactions.version {
        TransactionVersion::V0 => 0,
        TransactionVersion::V1Unverified | TransactionVersion::V1 => 1,
        TransactionVersion::V2 => 2,
    };
    [
        feature("eligible.leader.replicas.version", 0, 1, elr),
        feature("group.version", 0, 1, group),
        feature("kraft.version", 0, 1, kraft),
        feature("metadata.version", METADATA_VERSION, METADATA_VERSION, METADATA_VERSION),
        feature("transaction.version", 0, 2, transaction),
    ]
}

/// Answers a request in a version that is served. `applied` is the next metadata offset to
/// apply: the features are as of the one before.
pub(crate) fn handle(
    roles: Roles,
    settings: &BrokerSettings,
    applied: Offset,
    version: i16,
) -> ApiVersionsResponse {
    let response = list(roles);
    if version < WITH_FEATURES {
        return response;
    }
    let features = features(settings);
    let is_told = |it: &&Feature| it.oldest > 0 || version >= WITH_LEVEL_0;
    let supported = features.iter().filter(is_told).map(|it| {
        SupportedFeatureKey::default()
            .with_name(text(it.name))
            .with_min_version(it.oldest)
            .with_max_version(it.newest)
    });
    let finalized = features.iter().filter(|it| it.level > 0).map(|it| {
        FinalizedFeatureKey::default()
            .with_name(text(it.name))
            .with_min_version_level(it.level)
            .with_max_version_level(it.level)
    });
    response
        .with_supported_features(supported.collect())
        .with_finalized_features_epoch(applied.0 - 1)
        .with_finalized_features(finalized.collect())
}

/// Answers a request in a version that is not.
pub(crate) fn unsupported(roles: Roles) -> ApiVersionsResponse {
    list(roles).with_error_code(ErrorCode::UnsupportedVersion.code())
}

fn list(roles: Roles) -> ApiVersionsResponse {
    let entry = |it: &Served| {
        let entry = ApiVersion::default().with_api_key(it.key as i16);
        // Older librdkafka takes a floor above 0 for a broker without compression, and says
        // nothing: Kafka offers what it then refuses (KAFKA-18659).
        let min = if it.key == ApiKey::Produce { 0 } else { it.min };
        entry.with_min_version(min).with_max_version(it.max)
    };
    let served = served_by(roles);
    ApiVersionsResponse::default().with_api_keys(served.iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(version: i16, settings: &BrokerSettings) -> Vec<(String, i16)> {
        let response = handle(Roles::Broker, settings, Offset(7), version);
        let features = response.finalized_features.iter();
        features.map(|it| (it.name.to_string(), it.max_version_level)).collect()
    }

    #[test]
    fn a_client_learns_which_transactions_it_may_have() {
        let mut settings = BrokerSettings::default();
        let transaction = |level| ("transaction.version".to_owned(), level);
        assert!(levels(3, &settings).contains(&transaction(2)));
        settings.transactions.version = TransactionVersion::V1;
        assert!(levels(4, &settings).contains(&transaction(1)));
        settings.transactions.version = TransactionVersion::V0;
        assert!(
            !levels(4, &settings).iter().any(|(name, _)| name == "transaction.version")
        );
        assert_eq!(levels(2, &settings), []);
    }

    #[test]
    fn an_older_client_hears_of_no_level_that_it_cannot_read() {
        let supported = |version| {
            let settings = BrokerSettings::default();
            let response = handle(Roles::Broker, &settings, Offset(7), version);
            let features = response.supported_features.iter();
            features.map(|it| it.min_version).collect::<Vec<_>>()
        };
        assert_eq!(supported(3), [METADATA_VERSION]);
        assert!(supported(4).contains(&0));
    }
}
