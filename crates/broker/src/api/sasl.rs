//! SaslHandshake (17), versions 0–1, and SaslAuthenticate (36), versions 0–2, where they are out
//! of place.
//!
//! Whoever has the sockets hears log-ins before a node hears anything. What comes to a node
//! comes on a connection that needs none, or has had its own: ILLEGAL_SASL_STATE.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::{
    RequestKind, ResponseKind, SaslAuthenticateResponse, SaslHandshakeResponse,
};

use super::text;

/// Refuses a handshake or a log-in.
pub(crate) fn out_of_place(body: &RequestKind) -> ResponseKind {
    let code = ErrorCode::IllegalSaslState.code();
    if let RequestKind::SaslHandshake(_) = body {
        return SaslHandshakeResponse::default().with_error_code(code).into();
    }
    let why = "SaslAuthenticate request received after successful authentication";
    let answer = SaslAuthenticateResponse::default().with_error_code(code);
    answer.with_error_message(Some(text(why))).into()
}

#[cfg(test)]
mod tests {
    use topomotion_wire::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};

    use super::*;

    #[test]
    fn a_login_out_of_place_is_refused_by_its_name() {
        let refused = out_of_place(&SaslHandshakeRequest::default().into());
        let ResponseKind::SaslHandshake(it) = refused else { panic!("{refused:?}") };
        assert_eq!(it.error_code, 34);
        let refused = out_of_place(&SaslAuthenticateRequest::default().into());
        let ResponseKind::SaslAuthenticate(it) = refused else { panic!("{refused:?}") };
        assert_eq!(it.error_code, 34);
    }
}
