//! SCRAM credentials that the cluster keeps (KIP-554): records of the metadata log, from which
//! log-ins are judged where listeners want any.
//!
//! What a client sends is the password, salted and hashed; what is kept of it (RFC 5802) is
//! enough to know it again, and too little to log in with.

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

/// Which hash a credential is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScramMechanism {
    /// SCRAM-SHA-256 (1).
    Sha256,
    /// SCRAM-SHA-512 (2).
    Sha512,
}

impl ScramMechanism {
    const ALL: [ScramMechanism; 2] = [ScramMechanism::Sha256, ScramMechanism::Sha512];

    /// On the wire and in the log.
    pub(crate) const fn code(self) -> i8 {
        match self {
            ScramMechanism::Sha256 => 1,
            ScramMechanism::Sha512 => 2,
        }
    }

    pub(crate) fn of(code: i8) -> Option<ScramMechanism> {
        ScramMechanism::ALL.into_iter().find(|it| it.code() == code)
    }

    /// How many bytes its hashes have.
    pub(crate) const fn len_bytes(self) -> usize {
        match self {
            ScramMechanism::Sha256 => 32,
            ScramMechanism::Sha512 => 64,
        }
    }

    fn digest(self, data: &[u8]) -> Bytes {
        match self {
            ScramMechanism::Sha256 => Bytes::copy_from_slice(&Sha256::digest(data)),
            ScramMechanism::Sha512 => Bytes::copy_from_slice(&Sha512::digest(data)),
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Bytes {
        const ANY: &str = "HMAC takes keys of every length";
        match self {
            ScramMechanism::Sha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key).expect(ANY);
                mac.update(data);
                Bytes::copy_from_slice(&mac.finalize().into_bytes())
            }
            ScramMechanism::Sha512 => {
                let mut mac = Hmac::<Sha512>::new_from_slice(key).expect(ANY);
                mac.update(data);
                Bytes::copy_from_slice(&mac.finalize().into_bytes())
            }
        }
    }
}

/// What is kept of one user's password for one mechanism.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// What the password was salted with.
    pub salt: Bytes,
    /// `StoredKey`.
    pub stored_key: Bytes,
    /// `ServerKey`.
    pub server_key: Bytes,
    /// How often it was hashed.
    pub iterations: i32,
}

impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iterations = &self.iterations;
        f.debug_struct("ScramCredential")
            .field("iterations", iterations)
            .finish_non_exhaustive()
    }
}

impl ScramCredential {
    /// What is to be kept of a salted password.
    pub(crate) fn of(
        mechanism: ScramMechanism,
        salt: Bytes,
        salted_password: &[u8],
        iterations: i32,
    ) -> ScramCredential {
        let client_key = mechanism.hmac(salted_password, b"Client Key");
        let stored_key = mechanism.digest(&client_key);
        let server_key = mechanism.hmac(salted_password, b"Server Key");
        ScramCredential { salt, stored_key, server_key, iterations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Python's hashlib and hmac, for "pencil" and the salt of RFC 7677, 4,096 times: the
    /// salted password, StoredKey and ServerKey.
    const PENCIL: [&str; 3] = [
        "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d",
        "586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6",
        "c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = (0..hex.len()).step_by(2);
        pairs.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn keys_are_derived_as_others_derive_them() {
        let [salted, stored, server] = PENCIL.map(bytes);
        let salt = Bytes::from_static(b"salt");
        let mechanism = ScramMechanism::Sha256;
        let credential = ScramCredential::of(mechanism, salt, &salted, 4_096);
        assert_eq!(credential.stored_key, stored);
        assert_eq!(credential.server_key, server);
        let mechanism = ScramMechanism::Sha512;
        let other = ScramCredential::of(mechanism, Bytes::new(), &salted, 4_096);
        assert_eq!(other.stored_key.len(), mechanism.len_bytes());
    }

    #[test]
    fn a_credential_is_not_told() {
        let salt = Bytes::from_static(b"salt");
        let credential =
            ScramCredential::of(ScramMechanism::Sha256, salt, b"password", 4_096);
        assert_eq!(format!("{credential:?}"), "ScramCredential { iterations: 4096, .. }");
    }
}
