//! The server's half of SCRAM (RFC 5802) over SHA-256 and SHA-512 (RFC 7677), as a state machine
//! without a socket and without a random source.
//!
//! ```text
//!   client                                          server
//!   n,,n=user,r=nonce                          ──►
//!                                              ◄──  r=nonce+ours,s=salt,i=iterations
//!   c=biws,r=nonce+ours,p=proof                ──►
//!                                              ◄──  v=signature
//! ```
//!
//! Names are taken as they are, without SASLprep, as Kafka takes them. Channel binding is not
//! offered.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use topomotion_broker::scram::ScramCredential;

/// How often the password is hashed: Kafka's least.
pub(super) const ITERATIONS: u32 = 4_096;

/// Which hash SCRAM is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(data).to_vec(),
            Hash::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    pub(super) fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        const ANY: &str = "HMAC takes keys of every length";
        match self {
            Hash::Sha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key).expect(ANY);
                mac.update(data);
                mac.finalize().into_bytes().to_vec()
            }
            Hash::Sha512 => {
                let mut mac = Hmac::<Sha512>::new_from_slice(key).expect(ANY);
                mac.update(data);
                mac.finalize().into_bytes().to_vec()
            }
        }
    }

    /// `Hi` of RFC 5802.
    fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Hash::Sha256 => {
                let mut out = vec![0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut out);
                out
            }
            Hash::Sha512 => {
                let mut out = vec![0; 64];
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut out);
                out
            }
        }
    }
}

/// What a server keeps of a password: enough to know it again, too little to use it elsewhere.
#[derive(Clone)]
pub(crate) struct Keys {
    salt: Vec<u8>,
    iterations: u32,
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(hidden)")
    }
}

impl Keys {
    pub(super) fn of(hash: Hash, password: &str, salt: Vec<u8>) -> Keys {
        let salted = hash.salted(password.as_bytes(), &salt, ITERATIONS);
        let stored = hash.digest(&hash.hmac(&salted, b"Client Key"));
        let server = hash.hmac(&salted, b"Server Key");
        Keys { salt, iterations: ITERATIONS, stored, server }
    }

    /// Those that the cluster keeps.
    pub(super) fn kept(credential: &ScramCredential) -> Keys {
        Keys {
            salt: credential.salt.to_vec(),
            iterations: u32::try_from(credential.iterations).unwrap_or(ITERATIONS),
            stored: credential.stored_key.to_vec(),
            server: credential.server_key.to_vec(),
        }
    }
}

/// A message that is none of SCRAM, or none of this log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a client begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct First {
    pub(super) user: String,
    nonce: String,
    /// `n,,` or with an authorization id: what the proof has to be about, too.
    header: String,
    bare: String,
}

impl First {
    pub(super) fn read(token: &[u8]) -> Result<First, Malformed> {
        let text = std::str::from_utf8(token).map_err(|_| Malformed)?;
        let mut parts = text.splitn(3, ',');
        let (binding, id) = (parts.next(), parts.next());
        let (Some("n" | "y"), Some(id), Some(bare)) = (binding, id, parts.next()) else {
            return Err(Malformed);
        };
        let header = &text[..text.len() - bare.len()];
        let mut attributes = bare.split(',');
        let user = attributes.next().and_then(|it| it.strip_prefix("n="));
        let nonce = attributes.next().and_then(|it| it.strip_prefix("r="));
        let user = unescaped(user.ok_or(Malformed)?)?;
        let nonce = nonce.filter(|it| is_nonce(it)).ok_or(Malformed)?;
        // To act as somebody else is not possible here.
        let is_own = match id.strip_prefix("a=") {
            Some(id) => unescaped(id)? == user,
            None => id.is_empty(),
        };
        if user.is_empty() || !is_own {
            return Err(Malformed);
        }
        let (nonce, header, bare) =
            (nonce.to_owned(), header.to_owned(), bare.to_owned());
        Ok(First { user, nonce, header, bare })
    }
}

/// Printable, and no comma.
fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| (0x21..=0x7e).contains(&it) && it != b',')
}

/// A name as it was before `,` and `=` were written as `=2C` and `=3D`.
fn unescaped(name: &str) -> Result<String, Malformed> {
    let mut parts = name.split('=');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).ok_or(Malformed)?;
        out.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return Err(Malformed),
        });
        out.push_str(rest);
    }
    Ok(out)
}

/// A log-in that has begun: the challenge is out, the proof is awaited.
#[derive(Debug)]
pub(super) struct Exchange {
    hash: Hash,
    keys: Keys,
    first: First,
    nonce: String,
    challenge: String,
}

impl Exchange {
    /// Begins with what the client said, a user's keys and our part of the nonce.
    pub(super) fn begin(hash: Hash, first: First, keys: Keys, ours: &str) -> Exchange {
        let nonce = format!("{}{ours}", first.nonce);
        let salt = BASE64_STANDARD.encode(&keys.salt);
        let challenge = format!("r={nonce},s={salt},i={}", keys.iterations);
        Exchange { hash, keys, first, nonce, challenge }
    }

    pub(super) fn challenge(&self) -> Vec<u8> {
        self.challenge.clone().into_bytes()
    }

    /// Judges the client's proof: our own signature for it, or nothing if it is wrong.
    pub(super) fn judge(&self, token: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        let text = std::str::from_utf8(token).map_err(|_| Malformed)?;
        let (told, proof) = text.rsplit_once(",p=").ok_or(Malformed)?;
        let mut attributes = told.split(',');
        let binding = attributes.next().and_then(|it| it.strip_prefix("c="));
        let nonce = attributes.next().and_then(|it| it.strip_prefix("r="));
        // As in Kafka: librdkafka before 2.6.1 repeats its own part of the nonce in front.
        let is_ours = nonce.is_some_and(|nonce| nonce.ends_with(&self.nonce));
        if binding != Some(&*BASE64_STANDARD.encode(&self.first.header)) || !is_ours {
            return Err(Malformed);
        }
        let proof = BASE64_STANDARD.decode(proof).map_err(|_| Malformed)?;
        let about = format!("{},{},{told}", self.first.bare, self.challenge);
        let signature = self.hash.hmac(&self.keys.stored, about.as_bytes());
        if proof.len() != signature.len() {
            return Err(Malformed);
        }
        let key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if !is_same(&self.hash.digest(&key), &self.keys.stored) {
            return Ok(None);
        }
        let own = self.hash.hmac(&self.keys.server, about.as_bytes());
        Ok(Some(format!("v={}", BASE64_STANDARD.encode(own)).into_bytes()))
    }

    pub(super) fn user(&self) -> &str {
        &self.first.user
    }
}

/// Compares without telling by its duration where the difference is.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    /// The exchange of RFC 7677, section 3, with this password.
    fn rfc_7677(password: &str) -> Exchange {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::of(Hash::Sha256, password, salt);
        let first = First::read(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        Exchange::begin(Hash::Sha256, first, keys, NONCE)
    }

    #[test]
    fn the_exchange_of_rfc_7677_comes_out_word_for_word() {
        let exchange = rfc_7677("pencil");
        assert_eq!(
            String::from_utf8(exchange.challenge()).unwrap(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let told = exchange.judge(FINAL.as_bytes()).unwrap().unwrap();
        assert_eq!(told, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_proof_of_another_password_is_wrong() {
        assert_eq!(rfc_7677("Pencil").judge(FINAL.as_bytes()), Ok(None));
    }

    #[test]
    fn an_older_librdkafka_repeats_its_nonce_and_gets_in() {
        // What 2.0.2 said.
        let first = First::read(b"n,,n=bob,r=H0WO@e7B|~mS;IdLUF=/YPltkN?;-R;z").unwrap();
        let salt = BASE64_STANDARD.decode("G8D/bJ17ZUJJPWutItiDZ9JtzAFZ+zOM").unwrap();
        let keys = Keys::of(Hash::Sha256, "bob-secret", salt);
        let ours = "FsDShtaCHbySkyExbmK4riu07eeox9We";
        let exchange = Exchange::begin(Hash::Sha256, first, keys, ours);
        let told = "c=biws,r=H0WO@e7B|~mS;IdLUF=/YPltkN?;-R;zH0WO@e7B|~mS;IdLUF=/YPltkN?;-R;z\
                    FsDShtaCHbySkyExbmK4riu07eeox9We,\
                    p=jB2DliJHaMWn2vZtQDESk/xYnYAnGpo3OtSPxSyP7XA=";
        assert!(exchange.judge(told.as_bytes()).unwrap().is_some());
    }

    #[test]
    fn a_proof_of_another_log_in_is_refused() {
        let exchange = rfc_7677("pencil");
        let elsewhere = FINAL.replace("k0,p", "k1,p");
        assert_eq!(exchange.judge(elsewhere.as_bytes()), Err(Malformed));
        let bound = FINAL.replace("biws", "eSws");
        assert_eq!(exchange.judge(bound.as_bytes()), Err(Malformed));
    }

    #[test]
    fn sha_512_derives_what_others_derive() {
        // hashlib.pbkdf2_hmac and hmac of Python, for "pencil", the salt of RFC 7677, 4096.
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::of(Hash::Sha512, "pencil", salt);
        assert_eq!(
            BASE64_STANDARD.encode(&keys.stored),
            "6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg=="
        );
        assert_eq!(
            BASE64_STANDARD.encode(&keys.server),
            "jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA=="
        );
    }

    #[test]
    fn names_carry_commas_and_equal_signs() {
        let first = First::read(b"n,a=a=2Cb=3D,n=a=2Cb=3D,r=x").unwrap();
        assert_eq!((&*first.user, &*first.header), ("a,b=", "n,a=a=2Cb=3D,"));
    }

    #[test]
    fn what_is_no_first_message_is_refused() {
        for wrong in [
            &b""[..],
            b"n,,",
            b"n,,n=user",
            b"n,,n=,r=x",
            b"n,,n=user,r=",
            b"n,,n=us=er,r=x",
            b"n,a=root,n=user,r=x",
            b"p=tls-unique,,n=user,r=x",
            b"n,,m=ext,n=user,r=x",
            b"n,,n=\xff,r=x",
        ] {
            assert_eq!(First::read(wrong), Err(Malformed), "{wrong:?}");
        }
    }
}
