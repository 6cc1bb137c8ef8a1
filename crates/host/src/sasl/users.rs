//! Who may log in, and how.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use topomotion_broker::scram::{ScramCredential, ScramMechanism};

use super::scram::{Hash, Keys, is_same};
use crate::entropy::entropy;

/// How somebody can log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// The password as it is. For listeners that nobody else can hear.
    Plain,
    /// SCRAM over SHA-256.
    ScramSha256,
    /// SCRAM over SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Mechanism; 3] =
        [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];

    /// As it is called on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl FromStr for Mechanism {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Mechanism, &'static str> {
        Mechanism::ALL
            .into_iter()
            .find(|it| it.name().eq_ignore_ascii_case(text))
            .ok_or("there are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512")
    }
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl FromStr for User {
    type Err = &'static str;

    /// `NAME:PASSWORD`; the password may have colons.
    fn from_str(text: &str) -> Result<User, &'static str> {
        let (name, password) = text.split_once(':').ok_or("NAME:PASSWORD is meant")?;
        if name.is_empty() || password.is_empty() {
            return Err("neither name nor password may be empty");
        }
        if text.contains('\0') {
            return Err("no name and no password holds a zero byte");
        }
        Ok(User { name: name.to_owned(), password: password.to_owned() })
    }
}

impl User {
    /// Reads a list: `NAME:PASSWORD`, one a line. Empty lines, and lines that begin with `#`,
    /// say nothing.
    ///
    /// # Errors
    /// With the number of the line that is none, and why. (Not with the line: it may hold a
    /// password.)
    pub fn read_list(text: &str) -> Result<Vec<User>, (usize, &'static str)> {
        let lines = (1..).zip(text.lines().map(|it| it.trim_end_matches('\r')));
        let told = lines.filter(|(_, it)| !it.trim().is_empty() && !it.starts_with('#'));
        told.map(|(number, it)| it.parse().map_err(|why| (number, why))).collect()
    }
}

/// The cluster's own SCRAM credentials.
type Kept = BTreeMap<(Arc<str>, ScramMechanism), ScramCredential>;

/// What log-ins are judged by.
#[derive(Debug)]
pub(crate) struct Users {
    mechanisms: Vec<Mechanism>,
    known: BTreeMap<String, Known>,
    /// What administrators have added: it goes before what the process was started with.
    kept: RefCell<Kept>,
    /// Passwords are compared as what this key makes of them.
    pepper: Secret,
}

/// Bytes that are not shown.
struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[derive(Debug)]
struct Known {
    principal: Arc<str>,
    plain: Secret,
    sha_256: Keys,
    sha_512: Keys,
}

impl Users {
    /// Hashes what was given. If a name comes twice the later password counts.
    pub(super) fn new(users: &[User], mechanisms: &[Mechanism]) -> Users {
        let pepper = random(4);
        let known = users.iter().map(|it| {
            let known = Known {
                principal: Arc::from(format!("User:{}", it.name)),
                plain: Secret(peppered(&it.password, &pepper)),
                sha_256: Keys::of(Hash::Sha256, &it.password, random(3)),
                sha_512: Keys::of(Hash::Sha512, &it.password, random(3)),
            };
            (it.name.clone(), known)
        });
        let known = known.collect();
        let (mechanisms, kept) = (mechanisms.to_vec(), RefCell::default());
        Users { mechanisms, known, kept, pepper: Secret(pepper) }
    }

    /// Learns the credentials that the cluster keeps by now.
    pub(crate) fn learn(&self, kept: &Kept) {
        if *self.kept.borrow() != *kept {
            self.kept.replace(kept.clone());
        }
    }

    pub(crate) fn mechanisms(&self) -> &[Mechanism] {
        &self.mechanisms
    }

    pub(super) fn keys(&self, hash: Hash, user: &str) -> Option<Keys> {
        let mechanism = match hash {
            Hash::Sha256 => ScramMechanism::Sha256,
            Hash::Sha512 => ScramMechanism::Sha512,
        };
        if let Some(kept) = self.kept.borrow().get(&(Arc::from(user), mechanism)) {
            return Some(Keys::kept(kept));
        }
        let known = self.known.get(user)?;
        Some(match hash {
            Hash::Sha256 => known.sha_256.clone(),
            Hash::Sha512 => known.sha_512.clone(),
        })
    }

    pub(super) fn has(&self, user: &str, password: &str) -> bool {
        let told = peppered(password, &self.pepper.0);
        self.known.get(user).is_some_and(|it| is_same(&it.plain.0, &told))
    }

    /// `User:name`.
    pub(super) fn principal(&self, user: &str) -> Option<Arc<str>> {
        if let Some(known) = self.known.get(user) {
            return Some(known.principal.clone());
        }
        let kept = self.kept.borrow();
        let is_kept = kept.keys().any(|(name, _)| **name == *user);
        is_kept.then(|| Arc::from(format!("User:{user}")))
    }
}

/// So many times eight bytes that nobody can foresee.
fn random(words: usize) -> Vec<u8> {
    (0..words).flat_map(|_| entropy().to_be_bytes()).collect()
}

/// Our part of a log-in's nonce.
pub(super) fn nonce() -> String {
    BASE64_STANDARD.encode(random(3))
}

/// What a password becomes under a key that lasts as long as the process.
fn peppered(password: &str, pepper: &[u8]) -> Vec<u8> {
    Hash::Sha256.hmac(pepper, password.as_bytes())
}

#[cfg(test)]
mod tests {
    use topomotion_wire::Bytes;

    use super::super::scram::{Exchange, First};
    use super::*;

    #[test]
    fn a_list_has_a_user_a_line() {
        let users = User::read_list("# ours\nalice:a:b\r\n\nbob:secret\n").unwrap();
        let users: Vec<_> = users.iter().map(|it| (&*it.name, &*it.password)).collect();
        assert_eq!(users, [("alice", "a:b"), ("bob", "secret")]);
    }

    #[test]
    fn a_line_that_names_nobody_is_told_by_its_number_alone() {
        assert_eq!(User::read_list("a:b\nhunter2\n").unwrap_err().0, 2);
        assert_eq!(User::read_list(":b").unwrap_err().0, 1);
    }

    #[test]
    fn a_password_is_not_told() {
        let user: User = "alice:hunter2".parse().unwrap();
        let users = Users::new(std::slice::from_ref(&user), &Mechanism::ALL);
        let told = format!("{user:?} {users:?}");
        assert!(told.contains("alice") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn what_the_cluster_keeps_goes_before_what_the_process_was_started_with() {
        let users = Users::new(&["alice:hunter2".parse().unwrap()], &Mechanism::ALL);
        let challenge = |user: &str, hash| {
            let first = First::read(format!("n,,n={user},r=x").as_bytes()).unwrap();
            let keys = users.keys(hash, user)?;
            let told = Exchange::begin(hash, first, keys, "y").challenge();
            String::from_utf8(told).ok()
        };
        assert_eq!(
            (challenge("carol", Hash::Sha256), users.principal("carol")),
            (None, None)
        );
        let credential = ScramCredential {
            salt: Bytes::from_static(b"salt"),
            stored_key: Bytes::from_static(&[1; 32]),
            server_key: Bytes::from_static(&[2; 32]),
            iterations: 8_192,
        };
        let one =
            |user: &str| ((Arc::from(user), ScramMechanism::Sha256), credential.clone());
        users.learn(&["alice", "carol"].map(one).into());
        for user in ["alice", "carol"] {
            let told = challenge(user, Hash::Sha256).unwrap();
            assert_eq!(told, "r=xy,s=c2FsdA==,i=8192");
            let principal = users.principal(user).unwrap();
            assert_eq!(*principal, *format!("User:{user}"));
        }
        assert_eq!(challenge("carol", Hash::Sha512), None);
        assert!(
            challenge("alice", Hash::Sha512).is_some(),
            "by what it was started with"
        );
        assert!(users.has("alice", "hunter2") && !users.has("carol", ""));
    }

    #[test]
    fn mechanisms_are_known_by_their_names_on_the_wire() {
        assert_eq!("scram-sha-512".parse(), Ok(Mechanism::ScramSha512));
        assert!("GSSAPI".parse::<Mechanism>().is_err());
    }
}
