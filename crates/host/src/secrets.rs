//! What nobody writes down: what is said at log-ins, keys, and the passwords among settings.

use std::borrow::Cow;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Bytes, Message, StrBytes};

/// What stands where a secret was.
const HIDDEN: &str = "(hidden)";

/// The message without what is nobody's business.
pub(crate) fn without_secrets(message: &Message) -> Cow<'_, Message> {
    let mut copy = match message {
        Message::Request(request) if has_secrets(&request.body) => message.clone(),
        Message::Response(response) if tells_secrets(&response.body) => message.clone(),
        _ => return Cow::Borrowed(message),
    };
    match &mut copy {
        Message::Request(request) => blot_request(&mut request.body),
        Message::Response(response) => blot_response(&mut response.body),
        _ => {}
    }
    Cow::Owned(copy)
}

const fn has_secrets(body: &RequestKind) -> bool {
    matches!(
        body,
        RequestKind::SaslAuthenticate(_)
            | RequestKind::AlterUserScramCredentials(_)
            | RequestKind::RenewDelegationToken(_)
            | RequestKind::ExpireDelegationToken(_)
            | RequestKind::AlterConfigs(_)
            | RequestKind::IncrementalAlterConfigs(_)
            | RequestKind::CreateTopics(_)
    )
}

const fn tells_secrets(body: &ResponseKind) -> bool {
    matches!(
        body,
        ResponseKind::SaslAuthenticate(_)
            | ResponseKind::CreateDelegationToken(_)
            | ResponseKind::DescribeDelegationToken(_)
            | ResponseKind::DescribeConfigs(_)
    )
}

fn blot_request(body: &mut RequestKind) {
    match body {
        RequestKind::SaslAuthenticate(it) => it.auth_bytes = Bytes::new(),
        RequestKind::AlterUserScramCredentials(it) => {
            for user in &mut it.upsertions {
                user.salt = Bytes::new();
                user.salted_password = Bytes::new();
            }
        }
        RequestKind::RenewDelegationToken(it) => it.hmac = Bytes::new(),
        RequestKind::ExpireDelegationToken(it) => it.hmac = Bytes::new(),
        RequestKind::AlterConfigs(it) => {
            let settings = it.resources.iter_mut().flat_map(|it| &mut it.configs);
            settings.for_each(|it| blot(&it.name, &mut it.value));
        }
        RequestKind::IncrementalAlterConfigs(it) => {
            let settings = it.resources.iter_mut().flat_map(|it| &mut it.configs);
            settings.for_each(|it| blot(&it.name, &mut it.value));
        }
        RequestKind::CreateTopics(it) => {
            let settings = it.topics.iter_mut().flat_map(|it| &mut it.configs);
            settings.for_each(|it| blot(&it.name, &mut it.value));
        }
        _ => {}
    }
}

fn blot_response(body: &mut ResponseKind) {
    match body {
        ResponseKind::SaslAuthenticate(it) => it.auth_bytes = Bytes::new(),
        ResponseKind::CreateDelegationToken(it) => it.hmac = Bytes::new(),
        ResponseKind::DescribeDelegationToken(it) => {
            it.tokens.iter_mut().for_each(|it| it.hmac = Bytes::new());
        }
        ResponseKind::DescribeConfigs(it) => {
            for setting in it.results.iter_mut().flat_map(|it| &mut it.configs) {
                blot(&setting.name, &mut setting.value);
                for synonym in &mut setting.synonyms {
                    blot(&synonym.name, &mut synonym.value);
                }
            }
        }
        _ => {}
    }
}

/// Kafka's passwords, keys and log-in settings are called so.
fn blot(name: &str, value: &mut Option<StrBytes>) {
    let is_secret = ["password", "secret", "jaas.config", "keystore.key"]
        .iter()
        .any(|it| name.contains(it));
    if is_secret && value.is_some() {
        *value = Some(StrBytes::from_static_str(HIDDEN));
    }
}

#[cfg(test)]
mod tests {
    use topomotion_wire::messages::incremental_alter_configs_request::{
        AlterConfigsResource, AlterableConfig,
    };
    use topomotion_wire::messages::{
        IncrementalAlterConfigsRequest, SaslAuthenticateRequest,
    };
    use topomotion_wire::{CorrelationId, Request};

    use super::*;

    fn request(body: RequestKind) -> Message {
        let correlation = CorrelationId(1);
        Message::from(Request { correlation, version: 1, client: "me".into(), body })
    }

    #[test]
    fn a_password_at_the_login_is_gone() {
        let token = Bytes::from_static(b"\0alice\0hunter2");
        let login = SaslAuthenticateRequest::default().with_auth_bytes(token);
        let told = format!("{:?}", without_secrets(&request(login.into())));
        assert!(!told.contains("hunter2") && !told.contains("alice"), "{told}");
    }

    #[test]
    fn a_password_among_settings_is_hidden_and_the_others_are_told() {
        let setting = |name, value| {
            AlterableConfig::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(Some(StrBytes::from_static_str(value)))
        };
        let configs = vec![
            setting("ssl.key.password", "hunter2"),
            setting("retention.ms", "60000"),
        ];
        let resource = AlterConfigsResource::default().with_configs(configs);
        let altered =
            IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let told = format!("{:?}", without_secrets(&request(altered.into())));
        assert!(!told.contains("hunter2") && told.contains("60000"), "{told}");
    }

    #[test]
    fn what_holds_no_secret_is_not_copied() {
        let message = request(RequestKind::Metadata(Default::default()));
        assert!(matches!(without_secrets(&message), Cow::Borrowed(_)));
    }
}
