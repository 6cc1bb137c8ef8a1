//! Which version of each API the clients speak.
//!
//! Where a newer version names topics by id, the last one that names them by name is taken:
//! names are what a reader of the trace can follow.

use topomotion_wire::messages::ApiKey;
use topomotion_wire::messages::ApiVersionsResponse;

/// The newest version that the clients can use of an API they know.
pub const fn newest(api: ApiKey) -> i16 {
    match api {
        ApiKey::Produce | ApiKey::Fetch | ApiKey::Metadata => 12,
        ApiKey::ListOffsets
        | ApiKey::OffsetCommit
        | ApiKey::OffsetFetch
        | ApiKey::JoinGroup => 9,
        ApiKey::SyncGroup | ApiKey::LeaveGroup | ApiKey::ListGroups => 5,
        ApiKey::Heartbeat => 4,
        ApiKey::CreateTopics => 7,
        ApiKey::DeleteTopics => 5,
        ApiKey::CreatePartitions => 3,
        ApiKey::FindCoordinator | ApiKey::DescribeGroups => 6,
        ApiKey::InitProducerId | ApiKey::EndTxn | ApiKey::TxnOffsetCommit => 5,
        // Later versions are for brokers.
        ApiKey::AddPartitionsToTxn => 3,
        ApiKey::ApiVersions
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::DescribeConfigs
        | ApiKey::AddOffsetsToTxn => 4,
        ApiKey::DeleteRecords
        | ApiKey::ElectLeaders
        | ApiKey::DescribeQuorum
        | ApiKey::DescribeCluster
        | ApiKey::DeleteGroups => 2,
        ApiKey::IncrementalAlterConfigs
        | ApiKey::AlterPartitionReassignments
        | ApiKey::ConsumerGroupHeartbeat => 1,
        _ => 0,
    }
}

/// What one broker offers, as it said itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    /// (api key, oldest, newest), sorted by key.
    ranges: Vec<(i16, i16, i16)>,
    /// What the cluster has agreed on.
    features: Features,
}

/// The finalized features that a broker told of, and when they were finalized.
#[derive(Debug, Clone, Default)]
pub(crate) struct Features {
    epoch: i64,
    levels: Vec<(String, i16)>,
}

impl Features {
    fn new(response: &ApiVersionsResponse) -> Features {
        let levels = response.finalized_features.iter();
        let levels =
            levels.map(|one| (one.name.to_string(), one.max_version_level)).collect();
        Features { epoch: response.finalized_features_epoch, levels }
    }

    /// The level of a feature; 0 where it is not finalized.
    pub fn level(&self, name: &str) -> i16 {
        let found = self.levels.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, level)| *level)
    }

    /// Whether these were finalized later than those.
    pub fn is_newer_than(&self, other: &Features) -> bool {
        self.epoch > other.epoch
    }
}

impl Offer {
    pub fn new(response: &ApiVersionsResponse) -> Offer {
        let ranges = response.api_keys.iter();
        let mut ranges: Vec<_> =
            ranges.map(|api| (api.api_key, api.min_version, api.max_version)).collect();
        ranges.sort_unstable();
        Offer { ranges, features: Features::new(response) }
    }

    /// What the cluster has agreed on, as this broker knows.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The newest version that both sides speak, up to `limit`.
    pub fn choose(&self, api: ApiKey, limit: i16) -> Option<i16> {
        let at = self.ranges.binary_search_by_key(&(api as i16), |range| range.0).ok()?;
        let (_, oldest, newest_offered) = self.ranges[at];
        let version = newest(api).min(newest_offered).min(limit);
        (version >= oldest).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::messages::api_versions_response::ApiVersion;

    fn offer(api: ApiKey, oldest: i16, newest: i16) -> Offer {
        let mut range = ApiVersion::default();
        range.api_key = api as i16;
        range.min_version = oldest;
        range.max_version = newest;
        let mut response = ApiVersionsResponse::default();
        response.api_keys = vec![range];
        Offer::new(&response)
    }

    #[test]
    fn the_newest_common_version_is_chosen() {
        assert_eq!(offer(ApiKey::Fetch, 4, 18).choose(ApiKey::Fetch, i16::MAX), Some(12));
        assert_eq!(offer(ApiKey::Fetch, 4, 11).choose(ApiKey::Fetch, i16::MAX), Some(11));
        assert_eq!(offer(ApiKey::Fetch, 4, 18).choose(ApiKey::Fetch, 10), Some(10));
    }

    #[test]
    fn no_common_version_is_no_version() {
        assert_eq!(offer(ApiKey::Fetch, 13, 18).choose(ApiKey::Fetch, i16::MAX), None);
        assert_eq!(offer(ApiKey::Fetch, 4, 18).choose(ApiKey::Produce, i16::MAX), None);
    }
}
