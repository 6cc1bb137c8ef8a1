//! The note that a broker leaves on its disk when it has shut down as it should (KIP-966).

use topomotion_wire::{BrokerEpoch, Bytes, DiskOp, Files};

const FILE: &str = ".kafka_cleanshutdown";

/// Says that this life ended as it should, and under which registration.
pub(super) fn write(epoch: BrokerEpoch) -> DiskOp {
    let text = format!("{{\"version\":0,\"brokerEpoch\":{epoch}}}");
    DiskOp::Replace { file: FILE.into(), bytes: Bytes::from(text) }
}

/// Under which registration the last life ended as it should, if it did; and what takes the
/// note away, for this life has yet to end.
pub(super) fn take(files: &Files) -> Option<(BrokerEpoch, DiskOp)> {
    let text = std::str::from_utf8(files.get(FILE)?).ok()?;
    let (_, epoch) = text.split_once("\"brokerEpoch\":")?;
    let epoch = epoch.trim_end_matches('}').parse().ok()?;
    Some((BrokerEpoch(epoch), DiskOp::Delete { file: FILE.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_read_once() {
        let DiskOp::Replace { file, bytes } = write(BrokerEpoch(42)) else {
            panic!("a whole file")
        };
        let files = Files::from([(file.clone(), bytes)]);
        let delete = DiskOp::Delete { file };
        assert_eq!(take(&files), Some((BrokerEpoch(42), delete)));
        assert_eq!(take(&Files::new()), None);
        let noise = Files::from([(FILE.into(), Bytes::from_static(b"noise"))]);
        assert_eq!(take(&noise), None);
    }
}
