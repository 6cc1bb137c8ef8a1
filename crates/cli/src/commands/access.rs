//! What `--user` and the like mean.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use topomotion_host::{Mechanism, Sasl, Security, Tls, User};

use crate::args::Access;
use crate::commands::broker::failed;
use crate::failure::Failure;

/// Who may connect, and do what.
pub(super) fn security(arguments: &Access) -> Result<Security, Failure> {
    Ok(Security { sasl: sasl(arguments)?, tls: tls(arguments)? })
}

/// Whether anything is asked for.
pub(super) fn is_asked_for(arguments: &Access) -> bool {
    let Access { user, users, sasl, acls, super_user: _, tls_cert, tls_key: _ } =
        arguments;
    let is_guarded = !user.is_empty() || users.is_some() || !sasl.is_empty();
    is_guarded || *acls || tls_cert.is_some()
}

/// Who may do everything, where ACLs decide for everybody else.
pub(super) fn authorizer(arguments: &Access) -> Option<Vec<Arc<str>>> {
    let principal = |name: &String| match name.starts_with("User:") {
        true => Arc::from(name.as_str()),
        false => Arc::from(format!("User:{name}")),
    };
    arguments.acls.then(|| arguments.super_user.iter().map(principal).collect())
}

/// What listeners want, in a few words.
pub(super) fn told(security: &Security) -> String {
    let names = |sasl: &Sasl| {
        let names: Vec<&str> = sasl.mechanisms.iter().map(|it| it.name()).collect();
        names.join(", ")
    };
    match (&security.sasl, &security.tls) {
        (None, None) => String::new(),
        (Some(sasl), None) => format!("; SASL_PLAINTEXT ({})", names(sasl)),
        (None, Some(_)) => "; SSL".to_owned(),
        (Some(sasl), Some(_)) => format!("; SASL_SSL ({})", names(sasl)),
    }
}

fn tls(arguments: &Access) -> Result<Option<Tls>, Failure> {
    match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            Tls::read(certificate, key).map(Some).map_err(failed)
        }
        _ => Ok(None),
    }
}

fn sasl(arguments: &Access) -> Result<Option<Sasl>, Failure> {
    let mut users = arguments.user.clone();
    if let Some(path) = &arguments.users {
        users.extend(read(path)?);
    }
    let mut mechanisms = arguments.sasl.clone();
    mechanisms.sort();
    mechanisms.dedup();
    match (users.is_empty(), mechanisms.is_empty()) {
        (true, true) if arguments.users.is_none() => Ok(None),
        (true, _) => Err(Failure::usage("nobody could log in")
            .help("--user NAME:PASSWORD or --users FILE says who may")),
        (false, true) => Ok(Some(Sasl { users, mechanisms: Mechanism::ALL.to_vec() })),
        (false, false) => Ok(Some(Sasl { users, mechanisms })),
    }
}

fn read(path: &Path) -> Result<Vec<User>, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::message(format!("{}: {error}", path.display())))?;
    User::read_list(&text).map_err(|(line, why)| {
        Failure::message(format!("{}, line {line}: {why}", path.display()))
    })
}
