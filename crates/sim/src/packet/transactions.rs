//! What is said of producer ids and of transactions.

use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, RequestKind, ResponseKind,
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
};

use super::groups::place;
use super::{Part, Told};

/// What such a request says; none if it is another.
pub(super) fn asked(body: &RequestKind) -> Option<Told> {
    Some(match body {
        RequestKind::InitProducerId(body) => init(body),
        RequestKind::AddPartitionsToTxn(body) => add(body),
        RequestKind::AddOffsetsToTxn(body) => {
            Told::one(Part::always("", format!("offsets of {}", &*body.group_id.0)))
        }
        RequestKind::EndTxn(body) => end(body),
        RequestKind::WriteTxnMarkers(body) => markers(body),
        RequestKind::TxnOffsetCommit(body) => commit(body),
        RequestKind::AllocateProducerIds(_) => Told::one(Part::always("", "")),
        _ => return None,
    })
}

/// What the answer to such a request says; none if it is another.
pub(super) fn answered(body: &ResponseKind) -> Option<Told> {
    Some(match body {
        ResponseKind::InitProducerId(body) => begun(body),
        ResponseKind::AddPartitionsToTxn(body) => added(body),
        ResponseKind::AddOffsetsToTxn(body) => plain([body.error_code]),
        ResponseKind::EndTxn(body) => ended(body),
        ResponseKind::WriteTxnMarkers(body) => marked(body),
        ResponseKind::TxnOffsetCommit(body) => committed(body),
        ResponseKind::AllocateProducerIds(body) => {
            let first = body.producer_id_start.0;
            let last = first + i64::from(body.producer_id_len) - 1;
            let mut told = plain([body.error_code]);
            if told.error.is_none() {
                told.parts = vec![Part::always("", format!("{first} to {last}"))];
            }
            told
        }
        _ => return None,
    })
}

fn plain(codes: impl IntoIterator<Item = i16>) -> Told {
    let mut told = Told::one(Part::always("", ""));
    codes.into_iter().for_each(|code| told.error(code));
    told
}

fn init(body: &InitProducerIdRequest) -> Told {
    let mut parts = Vec::new();
    if let Some(id) = &body.transactional_id {
        parts.push(id.0.to_string());
    }
    if body.producer_id.0 >= 0 {
        let (id, epoch) = (body.producer_id.0, body.producer_epoch);
        parts.push(format!("producer {id} epoch {epoch}"));
    }
    Told::one(Part::always("", parts.join(", ")))
}

fn begun(body: &InitProducerIdResponse) -> Told {
    let mut told = plain([body.error_code]);
    if told.error.is_none() {
        let (id, epoch) = (body.producer_id.0, body.producer_epoch);
        told.parts = vec![Part::always("", format!("producer {id} epoch {epoch}"))];
    }
    told
}

fn add(body: &AddPartitionsToTxnRequest) -> Told {
    let mut told = Told::default();
    let mut tell = |verify: bool, topic: &str, partitions: &[i32]| {
        for partition in partitions {
            let at = place(topic, *partition);
            let text = if verify { format!("is {at} in?") } else { at };
            told.push(Part::always("", text));
        }
    };
    for topic in &body.v3_and_below_topics {
        tell(false, &topic.name.0, &topic.partitions);
    }
    for transaction in &body.transactions {
        for topic in &transaction.topics {
            tell(transaction.verify_only, &topic.name.0, &topic.partitions);
        }
    }
    told
}

fn added(body: &AddPartitionsToTxnResponse) -> Told {
    let old = body.results_by_topic_v3_and_below.iter();
    let new = body.results_by_transaction.iter().flat_map(|it| &it.topic_results);
    let topics = old.chain(new).flat_map(|topic| &topic.results_by_partition);
    let codes = topics.map(|it| it.partition_error_code);
    plain([body.error_code].into_iter().chain(codes))
}

fn end(body: &EndTxnRequest) -> Told {
    let what = if body.committed { "commit" } else { "abort" };
    let text =
        format!("{what} {} epoch {}", &*body.transactional_id.0, body.producer_epoch);
    Told::one(Part::always("", text))
}

fn ended(body: &EndTxnResponse) -> Told {
    let mut told = plain([body.error_code]);
    if told.error.is_none() && body.producer_id.0 >= 0 {
        let text = format!("next epoch {}", body.producer_epoch);
        told.parts = vec![Part::always("", text)];
    }
    told
}

fn markers(body: &WriteTxnMarkersRequest) -> Told {
    let mut told = Told::default();
    for marker in &body.markers {
        let what = if marker.transaction_result { "COMMIT" } else { "ABORT" };
        for topic in &marker.topics {
            for partition in &topic.partition_indexes {
                let text = format!("{what} {}", place(&topic.name.0, *partition));
                told.push(Part::always("", text));
            }
        }
    }
    told
}

fn marked(body: &WriteTxnMarkersResponse) -> Told {
    let topics = body.markers.iter().flat_map(|marker| &marker.topics);
    let partitions = topics.flat_map(|topic| &topic.partitions);
    plain(partitions.map(|it| it.error_code))
}

fn commit(body: &TxnOffsetCommitRequest) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        for it in &topic.partitions {
            let subject = place(&topic.name.0, it.partition_index);
            let text = format!("{subject} {}", it.committed_offset);
            told.push(Part::always(subject, text));
        }
    }
    told
}

fn committed(body: &TxnOffsetCommitResponse) -> Told {
    let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
    plain(partitions.map(|it| it.error_code))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::write_txn_markers_request::{
        WritableTxnMarker, WritableTxnMarkerTopic,
    };
    use kafka_protocol::messages::{TopicName, TransactionalId};
    use topomotion_wire::StrBytes;

    use super::*;

    fn said(told: Option<Told>) -> Vec<String> {
        told.expect("known").parts.into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn a_marker_says_how_the_transaction_ends_and_where() {
        let name = TopicName(StrBytes::from_static_str("orders"));
        let topic = WritableTxnMarkerTopic::default()
            .with_name(name)
            .with_partition_indexes(vec![0, 2]);
        let marker = WritableTxnMarker::default().with_topics(vec![topic]);
        let aborts = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        let told = asked(&aborts.into());
        assert_eq!(said(told), ["ABORT orders-0", "ABORT orders-2"]);
    }

    #[test]
    fn an_end_says_whose_and_its_answer_the_epoch_that_follows() {
        let id = TransactionalId(StrBytes::from_static_str("orders-tx"));
        let body = EndTxnRequest::default()
            .with_transactional_id(id)
            .with_committed(true)
            .with_producer_epoch(4);
        assert_eq!(said(asked(&body.into())), ["commit orders-tx epoch 4"]);
        let body =
            EndTxnResponse::default().with_producer_id(7.into()).with_producer_epoch(5);
        assert_eq!(said(answered(&body.into())), ["next epoch 5"]);
        let refused = EndTxnResponse::default().with_error_code(90);
        let told = answered(&refused.into()).expect("an answer");
        assert_eq!(told.error.as_deref(), Some("PRODUCER_FENCED"));
    }
}
