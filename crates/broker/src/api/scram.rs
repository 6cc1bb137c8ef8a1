//! DescribeUserScramCredentials (50) and AlterUserScramCredentials (51), version 0 (KIP-554).
//!
//! - The active controller decides on a user's changes as a whole: if one of them is refused,
//!   none is made. The other users' are.
//! - Every broker tells who has which credentials, and never what they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion;
use topomotion_wire::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use topomotion_wire::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use topomotion_wire::messages::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse,
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};
use topomotion_wire::{ErrorCode, StrBytes};

use super::{shared, text};
use crate::controller::ActiveController;
use crate::metadata::{MetadataImage, MetadataRecord};
use crate::net::{Effects, Ticket};
use crate::scram::{ScramCredential, ScramMechanism};

/// How often a password may be hashed, as in Kafka.
const ITERATIONS: std::ops::RangeInclusive<i32> = 4_096..=16_384;

/// Why somebody's changes are not made.
type Refusal = (ErrorCode, &'static str);

/// Tells who has credentials: those who are named, or all.
pub(crate) fn describe(
    image: &MetadataImage,
    request: &DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let mut known: BTreeMap<&str, Vec<CredentialInfo>> = BTreeMap::new();
    for ((user, mechanism), credential) in image.scram() {
        let info = CredentialInfo::default()
            .with_mechanism(mechanism.code())
            .with_iterations(credential.iterations);
        known.entry(user).or_default().push(info);
    }
    let named = request.users.iter().flatten().map(|it| it.name.as_str());
    let named: Vec<&str> = named.collect();
    let wanted: BTreeSet<&str> = match named.is_empty() {
        true => known.keys().copied().collect(),
        false => named.iter().copied().collect(),
    };
    let results = wanted.into_iter().map(|user| {
        let result = DescribeUserScramCredentialsResult::default().with_user(text(user));
        let refuse = |error: ErrorCode, why: String| {
            let result = result.clone().with_error_code(error.code());
            result.with_error_message(Some(StrBytes::from_string(why)))
        };
        if named.iter().filter(|name| **name == user).count() > 1 {
            let why = format!("Cannot describe SCRAM credentials for the same user twice in a single request: {user}");
            return refuse(ErrorCode::DuplicateResource, why);
        }
        match known.get(user) {
            Some(infos) => result.with_credential_infos(infos.clone()),
            None => {
                let why = format!("Attempt to describe a user credential that does not exist: {user}");
                refuse(ErrorCode::ResourceNotFound, why)
            }
        }
    });
    DescribeUserScramCredentialsResponse::default().with_results(results.collect())
}

/// The answer to somebody who may not ask.
pub(crate) fn undescribed(error: ErrorCode) -> DescribeUserScramCredentialsResponse {
    DescribeUserScramCredentialsResponse::default().with_error_code(error.code())
}

/// The answer to changes that all failed.
pub(super) fn unaltered(
    request: &AlterUserScramCredentialsRequest,
    error: ErrorCode,
) -> AlterUserScramCredentialsResponse {
    let results = users(request).into_iter().map(|user| {
        AlterUserScramCredentialsResult::default()
            .with_user(text(&user))
            .with_error_code(error.code())
    });
    AlterUserScramCredentialsResponse::default().with_results(results.collect())
}

fn users(request: &AlterUserScramCredentialsRequest) -> BTreeSet<Arc<str>> {
    let deleted = request.deletions.iter().map(|it| shared(&it.name));
    deleted.chain(request.upsertions.iter().map(|it| shared(&it.name))).collect()
}

/// Changes credentials, and answers once that is committed.
pub(crate) fn alter(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &AlterUserScramCredentialsRequest,
    effects: &mut Effects,
) {
    let mut records = Vec::new();
    let results = users(request).into_iter().map(|user| {
        let result = AlterUserScramCredentialsResult::default().with_user(text(&user));
        match decide(controller, &user, request) {
            Ok(decided) => {
                records.extend(decided);
                result
            }
            Err((error, why)) => {
                let result = result.with_error_code(error.code());
                result.with_error_message(Some(text(why)))
            }
        }
    });
    let results = results.collect();
    let response = AlterUserScramCredentialsResponse::default().with_results(results);
    controller.alter_scram(records);
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// One user's changes.
fn decide(
    controller: &ActiveController,
    user: &Arc<str>,
    request: &AlterUserScramCredentialsRequest,
) -> Result<Vec<MetadataRecord>, Refusal> {
    if user.is_empty() {
        let why = "Username must not be empty.";
        return Err((ErrorCode::UnacceptableCredential, why));
    }
    let mut seen = BTreeSet::new();
    let mut known = |code: i8| {
        let mechanism = ScramMechanism::of(code);
        let mechanism = mechanism
            .ok_or((ErrorCode::UnsupportedSaslMechanism, "Unknown SCRAM mechanism"))?;
        let why = "A user credential cannot be altered twice in the same request";
        let is_new = seen.insert(mechanism);
        is_new.then_some(mechanism).ok_or((ErrorCode::DuplicateResource, why))
    };
    let mut records = Vec::new();
    for deletion in request.deletions.iter().filter(|it| it.name.as_str() == &**user) {
        let mechanism = known(deletion.mechanism)?;
        if !controller.scram().contains_key(&(user.clone(), mechanism)) {
            let why = "Attempt to delete a user credential that does not exist";
            return Err((ErrorCode::ResourceNotFound, why));
        }
        records.push(MetadataRecord::RemoveScram { user: user.clone(), mechanism });
    }
    for upsertion in request.upsertions.iter().filter(|it| it.name.as_str() == &**user) {
        let mechanism = known(upsertion.mechanism)?;
        let credential = credential(mechanism, upsertion)?;
        records.push(MetadataRecord::Scram { user: user.clone(), mechanism, credential });
    }
    Ok(records)
}

fn credential(
    mechanism: ScramMechanism,
    wanted: &ScramCredentialUpsertion,
) -> Result<ScramCredential, Refusal> {
    let refuse = |why| Err((ErrorCode::UnacceptableCredential, why));
    if wanted.iterations < *ITERATIONS.start() {
        return refuse("Too few iterations");
    }
    if wanted.iterations > *ITERATIONS.end() {
        return refuse("Too many iterations");
    }
    if wanted.salt.is_empty() {
        return refuse("The salt must not be empty");
    }
    if wanted.salted_password.len() != mechanism.len_bytes() {
        return refuse("The salted password is not as long as the mechanism's hashes");
    }
    let (salt, password) = (wanted.salt.clone(), &wanted.salted_password);
    Ok(ScramCredential::of(mechanism, salt, password, wanted.iterations))
}
