//! Names of things: checked once, at the edge, and kept in a type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that does not have the form its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct BadId {
    kind: &'static str,
    rule: &'static str,
    text: String,
}

const SLUG_RULE: &str = "1 to 64 of a-z, 0-9, `_` and `-`, and a letter or digit first";

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first && text.len() <= 64 && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                if is_slug(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadId { kind: $kind, rule: SLUG_RULE, text: text.to_owned() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug!(
    /// A firm or the bureau itself.
    OrgId, "organisation name"
);
slug!(
    /// A natural person with an account.
    PersonId, "person name"
);
slug!(
    /// A contract between the bureau and one firm on one dataset.
    ContractId, "contract name"
);
slug!(
    /// Who shares one privacy budget: every dataset that may hold the same people (DESIGN §2).
    BudgetDomain, "budget domain"
);
slug!(
    /// Which unit identifiers may be equated with each other.
    IdSpace, "id-space"
);
slug!(
    /// Why data is used, as Cedar knows it.
    Purpose, "purpose"
);
slug!(
    /// An application of a firm for data.
    ApplicationId, "application name"
);
slug!(
    /// A submitted job: one request for review.
    JobId, "job name"
);
slug!(
    /// What an author calls a job; its versions share the name.
    JobName, "job's name"
);
slug!(
    /// A column of a dataset, as SQL writes it.
    ColumnName, "column name"
);

/// A dataset as SQL names it: `<schema>.<table>`, for instance `medical.rand_hie`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName {
    schema: String,
    table: String,
}

impl DatasetName {
    /// The part before the dot.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The part after the dot.
    pub fn table(&self) -> &str {
        &self.table
    }
}

impl FromStr for DatasetName {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.split_once('.') {
            Some((schema, table)) if is_slug(schema) && is_slug(table) => {
                Ok(Self { schema: schema.to_owned(), table: table.to_owned() })
            }
            _ => Err(BadId { kind: "dataset name", rule: "<schema>.<table>", text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for DatasetName {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<DatasetName> for String {
    fn from(name: DatasetName) -> String {
        name.to_string()
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

impl JobId {
    /// A new, random name.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        Ok(Self(format!("j-{}", random_digits()?)))
    }
}

impl ApplicationId {
    /// A new, random name.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        Ok(Self(format!("a-{}", random_digits()?)))
    }
}

/// 64 random bits as hexadecimal digits.
fn random_digits() -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0; 8];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)?;
    Ok(hex::encode(bytes))
}

/// What a person may do (DESIGN §1). One person holds one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Asks questions for a firm.
    Analyst,
    /// Brings data in, signs contracts and approvals.
    Officer,
    /// Reads and verifies the log; changes nothing.
    Auditor,
}

impl Role {
    /// The role as Cedar, tokens and tables spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analyst => "analyst",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text {
            "analyst" => Ok(Self::Analyst),
            "officer" => Ok(Self::Officer),
            "auditor" => Ok(Self::Auditor),
            _ => Err(BadId { kind: "role", rule: "analyst, officer or auditor", text: text.to_owned() }),
        }
    }
}

/// SHA-256 of bytes that are public: a contract, a policy set, a canonical request. Never of raw data (DESIGN §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes public bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
        Self(out)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest read back from where it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut out = [0; 32];
        hex::decode_to_slice(text, &mut out).map_err(|_| BadId {
            kind: "SHA-256 digest",
            rule: "64 hexadecimal digits",
            text: text.to_owned(),
        })?;
        Ok(Self(out))
    }
}

impl TryFrom<String> for Digest {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// One immutable state of a dataset. Random, so that it says nothing about the rows (DESIGN §2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

impl SnapshotId {
    /// A snapshot id from 16 bytes of operating-system randomness.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The id as 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        let good = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(text)) } else { Err(BadId { kind: "snapshot id", rule: "32 of 0-9 and a-f", text }) }
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> String {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
