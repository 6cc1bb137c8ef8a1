//! Answers to fetches in pieces: what they carry of a log is not copied into the frame.
//!
//! The codec writes an answer in one run. So it is given the answer twice, first with nothing
//! in the place of each run of records and then with a single byte there: where the two
//! differ is the length of such a run, and what stands between is the same in all three.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use topomotion_wire::Response;
use topomotion_wire::messages::{FetchResponse, ResponseKind};

use super::{with_length, write_response, write_unmeasured};

/// Fewer bytes of records than these are copied in less time than they are kept apart.
const WORTH: usize = 16 << 10;
/// The first version of Fetch whose lengths are varints, one more than they say.
const COMPACT: i16 = 12;
/// Bytes of a length in the versions before.
const FIXED: usize = 4;

/// Writes a response as its frame, length prefix included, in pieces that share the bytes of
/// the records in it. None if its version cannot carry it.
pub fn write_pieces(response: &Response) -> Option<Vec<Bytes>> {
    if let ResponseKind::Fetch(answer) = &response.body
        && let Some(pieces) = write_fetch(response, answer)
    {
        return Some(pieces);
    }
    Some(vec![write_response(response)?])
}

/// None: it is not worth it, or the codec does not write as it is thought to here.
fn write_fetch(response: &Response, answer: &FetchResponse) -> Option<Vec<Bytes>> {
    let all = answer.responses.iter().flat_map(|topic| &topic.partitions);
    let records = all.filter_map(|it| it.records.clone()).filter(|it| !it.is_empty());
    let records: Vec<Bytes> = records.collect();
    if records.iter().map(Bytes::len).sum::<usize>() < WORTH {
        return None;
    }
    let with = |instead: &'static [u8]| {
        let (correlation, version) = (response.correlation, response.version);
        let body = with_instead(answer, instead).into();
        write_unmeasured(&Response { correlation, version, body })
    };
    let texts = texts(with(b"")?.freeze(), &with(b"\xff")?, response.version, &records)?;
    let rest: usize = texts[1..].iter().map(BytesMut::len).sum();
    let bytes: usize = records.iter().map(Bytes::len).sum();
    let mut texts = texts.into_iter();
    let mut pieces = vec![with_length(texts.next()?, rest + bytes)?];
    for (records, text) in records.into_iter().zip(texts) {
        pieces.push(records);
        pieces.push(text.freeze());
    }
    Some(pieces)
}

/// The answer with other bytes wherever there are records.
fn with_instead(answer: &FetchResponse, instead: &'static [u8]) -> FetchResponse {
    let mut answer = answer.clone();
    for partition in answer.responses.iter_mut().flat_map(|it| &mut it.partitions) {
        if let Some(records) = partition.records.as_mut().filter(|it| !it.is_empty()) {
            *records = Bytes::from_static(instead);
        }
    }
    answer
}

/// What stands before, between and behind the records, their lengths included.
fn texts(
    mut without: Bytes,
    with: &[u8],
    version: i16,
    records: &[Bytes],
) -> Option<Vec<BytesMut>> {
    let (mut with, mut texts) = (with, Vec::with_capacity(records.len() + 1));
    for records in records {
        let at = without.iter().zip(with).position(|(a, b)| a != b)?;
        let before = if version >= COMPACT { at } else { (at + 1).checked_sub(FIXED)? };
        let mut text = BytesMut::from(&without[..before]);
        match version >= COMPACT {
            true => put_varint(&mut text, u32::try_from(records.len() + 1).ok()?),
            false => text.put_i32(i32::try_from(records.len()).ok()?),
        }
        texts.push(text);
        without.advance(at + 1);
        with = with.get(at + 2..)?;
    }
    if without != with {
        return None;
    }
    texts.push(BytesMut::from(&without[..]));
    Some(texts)
}

fn put_varint(to: &mut BytesMut, number: u32) {
    let mut rest = number;
    while rest >= 0x80 {
        to.put_u8((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    to.put_u8(rest as u8);
}

#[cfg(test)]
mod tests {
    use topomotion_wire::CorrelationId;
    use topomotion_wire::messages::fetch_response::{
        FetchableTopicResponse, NodeEndpoint, PartitionData,
    };

    use super::*;

    fn answer(lengths: &[Option<usize>], version: i16) -> Response {
        let partitions = lengths.iter().zip(0..).map(|(length, index)| {
            let records = length.map(|length| Bytes::from(vec![index as u8; length]));
            PartitionData::default()
                .with_partition_index(index)
                .with_aborted_transactions(Some(Vec::new()))
                .with_records(records)
        });
        let partitions: Vec<_> = partitions.collect();
        let topic = |part: &[PartitionData]| {
            FetchableTopicResponse::default().with_partitions(part.to_vec())
        };
        let halves = partitions.split_at(partitions.len() / 2);
        let mut body = FetchResponse::default()
            .with_responses(vec![topic(halves.0), topic(halves.1)])
            .with_session_id(if version >= 7 { 7 } else { 0 });
        if version >= 16 {
            body.node_endpoints = vec![NodeEndpoint::default().with_port(9_092)];
        }
        Response { correlation: CorrelationId(5), version, body: body.into() }
    }

    #[test]
    fn the_pieces_are_the_frame_and_share_the_records() {
        let some = [Some(20_000), None, Some(0), Some(1), Some(127), Some(300_000)];
        for version in 4..=18 {
            let answer = answer(&some, version);
            let pieces = write_pieces(&answer).expect("it is written");
            let whole = write_response(&answer).expect("it is written");
            assert_eq!(pieces.concat(), whole, "version {version}");
            assert_eq!(pieces.len(), 9, "version {version}");
            let ResponseKind::Fetch(fetch) = &answer.body else { panic!("a fetch") };
            let records = fetch.responses[0].partitions[0].records.as_ref();
            assert_eq!(Some(pieces[1].as_ptr()), records.map(|it| it.as_ptr()));
        }
    }

    #[test]
    fn what_is_small_is_one_piece() {
        for lengths in [&[][..], &[None], &[Some(0)], &[Some(100), Some(1_000)]] {
            let answer = answer(lengths, 12);
            let pieces = write_pieces(&answer).expect("it is written");
            assert_eq!(pieces, [write_response(&answer).expect("it is written")]);
        }
    }
}
