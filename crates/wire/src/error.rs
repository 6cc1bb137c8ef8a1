//! Errors by the names that Kafka gives them.

use crate::ErrorCode;

/// An error's name as Kafka writes it: `NOT_LEADER_OR_FOLLOWER`; `ERROR_200` where this
/// toolkit knows none.
pub fn error_name(error: ErrorCode) -> String {
    let ErrorCode::Unknown(code) = error else {
        let mut name = String::new();
        for letter in format!("{error:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        return name;
    };
    format!("ERROR_{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_called_what_kafka_calls_them() {
        assert_eq!(error_name(ErrorCode::NotLeaderOrFollower), "NOT_LEADER_OR_FOLLOWER");
        assert_eq!(error_name(ErrorCode::Unknown(200)), "ERROR_200");
    }
}
