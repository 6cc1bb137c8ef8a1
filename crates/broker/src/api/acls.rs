//! DescribeAcls (29), CreateAcls (30) and DeleteAcls (31), versions 1–3.
//!
//! - Without an authorizer every one of them is SECURITY_DISABLED.
//! - Entries are records of the metadata log; the active controller writes them, every broker
//!   tells them.
//! - A filter's null or ANY matches everything; MATCH finds the entries that concern a name.
//!   An entry that is there already is not written again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::create_acls_request::AclCreation;
use topomotion_wire::messages::create_acls_response::AclCreationResult;
use topomotion_wire::messages::delete_acls_request::DeleteAclsFilter;
use topomotion_wire::messages::delete_acls_response::{
    DeleteAclsFilterResult, DeleteAclsMatchingAcl,
};
use topomotion_wire::messages::describe_acls_response::{
    AclDescription, DescribeAclsResource,
};
use topomotion_wire::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse,
    DescribeAclsRequest, DescribeAclsResponse,
};
use topomotion_wire::{ErrorCode, Random, StrBytes};
use uuid::Uuid;

use super::{shared, text};
use crate::acl::{Acl, CLUSTER, Operation, Pattern, Permission, Resource};
use crate::config::BrokerSettings;
use crate::controller::ActiveController;
use crate::net::{Effects, Ticket};
use crate::replica::Site;

/// Codes of filters.
const ANY: i8 = 1;
const MATCH: i8 = 2;
/// Why there is nothing to administer.
const DISABLED: &str = "No Authorizer is configured.";

/// What entries have to be like.
struct Filter<'a> {
    resource: i8,
    name: Option<&'a str>,
    pattern: i8,
    principal: Option<&'a str>,
    host: Option<&'a str>,
    operation: i8,
    permission: i8,
}

impl Filter<'_> {
    fn has(&self, acl: &Acl) -> bool {
        let is = |wanted: i8, code: i8| wanted == ANY || wanted == code;
        let same = |wanted: Option<&str>, it: &str| wanted.is_none_or(|name| name == it);
        let (resource, pattern) = (acl.resource.code(), acl.pattern.code());
        is(self.resource, resource)
            && self.has_name(acl, pattern)
            && same(self.principal, &acl.principal)
            && same(self.host, &acl.host)
            && is(self.operation, acl.operation.code())
            && is(self.permission, acl.permission.code())
    }

    fn has_name(&self, acl: &Acl, pattern: i8) -> bool {
        let Some(name) = self.name else {
            return matches!(self.pattern, ANY | MATCH) || self.pattern == pattern;
        };
        match self.pattern {
            ANY => *acl.name == *name,
            MATCH => match acl.pattern {
                Pattern::Literal => *acl.name == *name || &*acl.name == "*",
                Pattern::Prefixed => name.starts_with(&*acl.name),
            },
            wanted => wanted == pattern && *acl.name == *name,
        }
    }
}

fn given(text: Option<&StrBytes>) -> Option<&str> {
    text.map(StrBytes::as_str)
}

/// Tells the entries that a filter has, by what they are about.
pub(crate) fn describe(
    site: Site<'_>,
    request: &DescribeAclsRequest,
) -> DescribeAclsResponse {
    let response = DescribeAclsResponse::default();
    if site.settings.authorizer.is_none() {
        let response = response.with_error_code(ErrorCode::SecurityDisabled.code());
        return response.with_error_message(Some(text(DISABLED)));
    }
    let filter = Filter {
        resource: request.resource_type_filter,
        name: given(request.resource_name_filter.as_ref()),
        pattern: request.pattern_type_filter,
        principal: given(request.principal_filter.as_ref()),
        host: given(request.host_filter.as_ref()),
        operation: request.operation,
        permission: request.permission_type,
    };
    let mut found: BTreeMap<(Resource, Arc<str>, Pattern), Vec<AclDescription>> =
        BTreeMap::new();
    for acl in site.image.acls().values().filter(|acl| filter.has(acl)) {
        let description = AclDescription::default()
            .with_principal(text(&acl.principal))
            .with_host(text(&acl.host))
            .with_operation(acl.operation.code())
            .with_permission_type(acl.permission.code());
        let about = (acl.resource, acl.name.clone(), acl.pattern);
        found.entry(about).or_default().push(description);
    }
    let mut resources = Vec::new();
    for ((resource, name, pattern), acls) in found {
        resources.push(
            DescribeAclsResource::default()
                .with_resource_type(resource.code())
                .with_resource_name(text(&name))
                .with_pattern_type(pattern.code())
                .with_acls(acls),
        );
    }
    response.with_resources(resources)
}

/// The answer to entries that all failed.
pub(super) fn uncreated(
    request: &CreateAclsRequest,
    error: ErrorCode,
) -> CreateAclsResponse {
    let refused = AclCreationResult::default().with_error_code(error.code());
    CreateAclsResponse::default().with_results(vec![refused; request.creations.len()])
}

/// The answer to filters that all failed.
pub(super) fn undeleted(
    request: &DeleteAclsRequest,
    error: ErrorCode,
) -> DeleteAclsResponse {
    let refused = DeleteAclsFilterResult::default().with_error_code(error.code());
    let all = vec![refused; request.filters.len()];
    DeleteAclsResponse::default().with_filter_results(all)
}

/// Writes entries, and answers once they are committed.
pub(crate) fn create(
    settings: &BrokerSettings,
    controller: &mut ActiveController,
    random: &mut Random,
    ticket: Ticket,
    request: &CreateAclsRequest,
    effects: &mut Effects,
) {
    if settings.authorizer.is_none() {
        let mut refused = uncreated(request, ErrorCode::SecurityDisabled);
        for result in &mut refused.results {
            result.error_message = Some(text(DISABLED));
        }
        return effects.reply(ticket, refused);
    }
    let mut entries = Vec::new();
    let mut results = Vec::new();
    for creation in &request.creations {
        let result = AclCreationResult::default();
        results.push(match entry(creation) {
            Ok(acl) => {
                entries.push(acl);
                result
            }
            Err(why) => result
                .with_error_code(ErrorCode::InvalidRequest.code())
                .with_error_message(Some(text(why))),
        });
    }
    controller.create_acls(entries, random);
    let response = CreateAclsResponse::default().with_results(results);
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// The entry that a request describes.
fn entry(creation: &AclCreation) -> Result<Acl, &'static str> {
    let resource = Resource::of(creation.resource_type);
    let resource = resource.ok_or("Entries about such resources are not kept here.")?;
    let pattern = Pattern::of(creation.resource_pattern_type);
    let pattern = pattern.ok_or("An entry's pattern is LITERAL or PREFIXED.")?;
    let operation = Operation::of(creation.operation);
    let operation = operation.ok_or("There is no such operation.")?;
    let permission = Permission::of(creation.permission_type);
    let permission = permission.ok_or("An entry says ALLOW or DENY.")?;
    let name = shared(&creation.resource_name);
    if name.is_empty() {
        return Err("Resource name should not be empty");
    }
    if resource == Resource::Cluster && *name != *CLUSTER {
        return Err("The only valid name for the CLUSTER resource is kafka-cluster");
    }
    let principal = shared(&creation.principal);
    if principal.split_once(':').is_none_or(|(kind, _)| kind.is_empty()) {
        return Err("Could not parse principal: it is Type:name, such as User:alice");
    }
    let host = shared(&creation.host);
    if host.is_empty() {
        return Err("Host should not be empty");
    }
    Ok(Acl { resource, name, pattern, principal, host, operation, permission })
}

/// Removes the entries that filters have, and answers once that is committed.
pub(crate) fn delete(
    settings: &BrokerSettings,
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &DeleteAclsRequest,
    effects: &mut Effects,
) {
    if settings.authorizer.is_none() {
        let mut refused = undeleted(request, ErrorCode::SecurityDisabled);
        for result in &mut refused.filter_results {
            result.error_message = Some(text(DISABLED));
        }
        return effects.reply(ticket, refused);
    }
    let mut gone = BTreeSet::new();
    let results = request.filters.iter().map(|filter| {
        let found = matching(controller, filter);
        let matching = found.iter().map(|(_, acl)| matched(acl)).collect();
        gone.extend(found.into_iter().map(|(id, _)| id));
        DeleteAclsFilterResult::default().with_matching_acls(matching)
    });
    let response = DeleteAclsResponse::default().with_filter_results(results.collect());
    controller.remove_acls(gone);
    controller.reply_when_committed(ticket, response.into(), effects);
}

fn matching(
    controller: &ActiveController,
    filter: &DeleteAclsFilter,
) -> Vec<(Uuid, Acl)> {
    let filter = Filter {
        resource: filter.resource_type_filter,
        name: given(filter.resource_name_filter.as_ref()),
        pattern: filter.pattern_type_filter,
        principal: given(filter.principal_filter.as_ref()),
        host: given(filter.host_filter.as_ref()),
        operation: filter.operation,
        permission: filter.permission_type,
    };
    let all = controller.acls().iter();
    all.filter(|(_, acl)| filter.has(acl)).map(|(&id, acl)| (id, acl.clone())).collect()
}

fn matched(acl: &Acl) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl::default()
        .with_resource_type(acl.resource.code())
        .with_resource_name(text(&acl.name))
        .with_pattern_type(acl.pattern.code())
        .with_principal(text(&acl.principal))
        .with_host(text(&acl.host))
        .with_operation(acl.operation.code())
        .with_permission_type(acl.permission.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(name: Option<&str>, pattern: i8) -> Filter<'_> {
        let (principal, host) = (None, None);
        let (resource, operation, permission) = (ANY, ANY, ANY);
        Filter { resource, name, pattern, principal, host, operation, permission }
    }

    fn about(name: &str, pattern: i8) -> AclCreation {
        AclCreation::default()
            .with_resource_type(2)
            .with_resource_name(text(name))
            .with_resource_pattern_type(pattern)
            .with_principal(text("User:alice"))
            .with_host(text("*"))
            .with_operation(3)
            .with_permission_type(3)
    }

    #[test]
    fn filters_find_by_name_by_pattern_and_by_what_concerns_a_name() {
        let [literal, prefixed] = [3, 4].map(|it| entry(&about("or", it)).unwrap());
        let star = entry(&about("*", 3)).unwrap();
        let found =
            |filter: Filter<'_>| [&literal, &prefixed, &star].map(|acl| filter.has(acl));
        assert_eq!(found(filter(None, ANY)), [true; 3]);
        assert_eq!(found(filter(Some("or"), ANY)), [true, true, false]);
        assert_eq!(found(filter(Some("or"), 4)), [false, true, false]);
        assert_eq!(found(filter(Some("orders"), MATCH)), [false, true, true]);
        assert_eq!(found(filter(None, 3)), [true, false, true]);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        assert!(entry(&about("", 3)).is_err());
        assert!(entry(&about("orders", MATCH)).is_err());
        assert!(entry(&about("orders", 3).with_operation(ANY)).is_err());
        assert!(entry(&about("orders", 3).with_principal(text("alice"))).is_err());
        assert!(entry(&about("orders", 3).with_resource_type(4)).is_err());
        assert!(entry(&about("kafka-cluster", 3).with_resource_type(4)).is_ok());
    }
}
