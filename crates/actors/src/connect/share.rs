//! How workers divide tasks: each says what it runs, and the leader gives out what nobody
//! runs. Whoever has more than its part gives the rest up first, and joins again (KIP-415).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Names of tasks: `search-0`.
pub(super) type Tasks = BTreeSet<Arc<str>>;

/// Version of the messages.
const VERSION: i16 = 1;

pub(super) fn encode(tasks: &Tasks) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(VERSION);
    bytes.put_i16(i16::try_from(tasks.len()).unwrap_or(i16::MAX));
    for task in tasks {
        bytes.put_i16(i16::try_from(task.len()).unwrap_or(i16::MAX));
        bytes.put_slice(task.as_bytes());
    }
    bytes.freeze()
}

/// Nonsense is no task at all.
pub(super) fn decode(bytes: &Bytes) -> Tasks {
    let read = || {
        let mut rest = bytes.clone();
        (rest.try_get_i16().ok()? == VERSION).then_some(())?;
        let count = rest.try_get_i16().ok()?;
        let mut tasks = Tasks::new();
        for _ in 0..count {
            let length = usize::try_from(rest.try_get_i16().ok()?).ok()?;
            (rest.remaining() >= length).then_some(())?;
            let name = rest.split_to(length);
            tasks.insert(std::str::from_utf8(&name).ok()?.into());
        }
        Some(tasks)
    };
    read().unwrap_or_default()
}

/// Who runs what from now on.
pub(super) fn divide(
    members: &[(Arc<str>, Tasks)],
    tasks: &Tasks,
) -> BTreeMap<Arc<str>, Tasks> {
    let most = tasks.len().div_ceil(members.len().max(1));
    let mut shares: BTreeMap<Arc<str>, Tasks> = BTreeMap::new();
    let mut taken = Tasks::new();
    for (member, owned) in members {
        let known = owned.iter().filter(|task| tasks.contains(*task));
        let free = known.filter(|task| taken.insert((*task).clone()));
        // What is too much counts as taken: it is free when its owner has stopped it.
        let kept: Tasks =
            free.cloned().collect::<Vec<_>>().into_iter().take(most).collect();
        shares.insert(member.clone(), kept);
    }
    for task in tasks.iter().filter(|task| !taken.contains(*task)) {
        if let Some((_, least)) = shares.iter_mut().min_by_key(|(_, share)| share.len()) {
            least.insert(task.clone());
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(names: &[&str]) -> Tasks {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    #[test]
    fn a_share_survives_the_wire_and_nonsense_is_nothing() {
        let own = tasks(&["cdc-0", "search-0"]);
        assert_eq!(decode(&encode(&own)), own);
        assert_eq!(decode(&Bytes::from_static(b"\0\x01\x7f\xff\0")), Tasks::new());
    }

    #[test]
    fn tasks_of_a_lost_worker_go_to_the_other() {
        let all = tasks(&["cdc-0", "search-0"]);
        let alone = [("w1".into(), tasks(&["cdc-0"]))];
        assert_eq!(divide(&alone, &all)["w1"], all);
    }

    #[test]
    fn nobody_gets_what_another_still_runs() {
        let all = tasks(&["cdc-0", "search-0"]);
        let both = [("w1".into(), all.clone()), ("w2".into(), tasks(&[]))];
        let shares = divide(&both, &all);
        assert_eq!(shares["w1"], tasks(&["cdc-0"]));
        assert_eq!(shares["w2"], tasks(&[]), "search-0 is to be stopped first");
        let then = [("w1".into(), tasks(&["cdc-0"])), ("w2".into(), tasks(&[]))];
        assert_eq!(divide(&then, &all)["w2"], tasks(&["search-0"]));
    }
}
