//! Homes: which partition keeps what coordinators know of a group or of a transactional id, and
//! what they may have lost with it.

use crate::model::{Model, Name};

/// The partition of the transactions' topic that keeps this id.
pub(crate) fn home_of(model: &Model, id: &str) -> Option<Name> {
    home_in(model, "__transaction_state", id)
}

/// The partition of a coordinators' topic that keeps this id.
pub(crate) fn home_in(model: &Model, topic: &str, id: &str) -> Option<Name> {
    let is_home =
        |partition: &&Name| partition.rsplit_once('-').is_some_and(|(of, _)| of == topic);
    let count = model.registrations.keys().filter(is_home).count();
    let count = i32::try_from(count).ok().filter(|&count| count > 0)?;
    let units = id.encode_utf16();
    let hash = units
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let index = hash.checked_abs().unwrap_or(0) % count;
    Some(format!("{topic}-{index}").into())
}

/// Whether another process coordinates this group by now; where records were lost, who does is
/// no longer known.
pub(crate) fn is_deposed(model: &Model, coordinator: &Name, group: &str) -> bool {
    home_in(model, "__consumer_offsets", group).is_some_and(|home| {
        model.led_by(coordinator, &home).is_none()
            && !model.was_last_to_lead(coordinator, &home)
            && !model.was_unclean(&home)
    })
}

/// Whether what its coordinator knew of a transactional producer may be gone: whether a
/// transaction was over, and which epochs were given already.
pub(crate) fn is_forgotten(model: &Model, producer: &Name) -> bool {
    let home = model.transactional_id(producer).and_then(|id| home_of(model, id));
    home.is_some_and(|home| model.was_unclean(&home))
}
