//! Sign-ins: an account and one of its tokens for a bearer token that lives some minutes.
//!
//! Database drivers know users and passwords, and send them once. Here the user is the account and the password one of its
//! access tokens, so there is no password to be chosen, stored or guessed. What a sign-in gives is a random name that is kept
//! in memory, ends with the token it was made with, and is good on the Flight face alone, where it can ask questions and not
//! make tokens.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use glovebox_policy::{Digest, PersonId, Reason, Refusal};

use crate::limits::{SIGN_IN_ADDRESSES, SIGN_IN_FAILURE_TIME, SIGN_IN_FAILURES, SIGN_IN_LIFE, SIGN_IN_LONGEST};
use crate::shelf::Shelf;

/// Tells the bearer token of a sign-in from an access token.
const PREFIX: &str = "gbs_";

/// ADBC's drivers leave the padding away.
const INDIFFERENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// User and password out of the credentials of the scheme `Basic`: RFC 7617, so all after the first colon is password.
pub(crate) fn basic(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(INDIFFERENT.decode(credentials).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// A sign-in that lasts.
#[derive(Debug, Clone, Copy)]
struct SignIn {
    /// SHA-256 of the access token that it was made with.
    token: Digest,
    ends: Instant,
}

/// The sign-ins of everybody.
pub(crate) struct SignIns {
    shelf: Shelf<SignIn>,
}

impl SignIns {
    /// Nobody is signed in.
    pub(crate) fn new() -> Self {
        Self { shelf: Shelf::new(SIGN_IN_LIFE) }
    }

    /// Signs a person in by an access token, and gives the bearer token.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub(crate) fn make(&self, person: &PersonId, token: &str) -> Result<String, Refusal> {
        let sign_in = SignIn { token: Digest::of(token.as_bytes()), ends: Instant::now() + SIGN_IN_LONGEST };
        let handle = self.shelf.put(person, sign_in)?;
        Ok(format!("{PREFIX}{}", Digest::from_bytes(handle.name)))
    }

    /// Whether a bearer token has the form of a sign-in's.
    pub(crate) fn is_one(bearer: &str) -> bool {
        bearer.starts_with(PREFIX)
    }

    /// Who signed in, and the digest of the token that it was done with. Whether that token still holds is for the caller
    /// to ask.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`].
    pub(crate) fn find(&self, bearer: &str) -> Result<(PersonId, Digest), Refusal> {
        let name: Digest =
            bearer.strip_prefix(PREFIX).and_then(|name| name.parse().ok()).ok_or(Reason::Unauthenticated)?;
        let (person, sign_in) = self.shelf.find(name.as_bytes()).ok_or(Reason::Unauthenticated)?;
        if sign_in.ends <= Instant::now() {
            self.shelf.remove(&person, name.as_bytes());
            return Err(Reason::Unauthenticated.into());
        }
        self.shelf.renew(&person, name.as_bytes());
        Ok((person, sign_in.token))
    }

    /// Ends a sign-in, if it is one.
    pub(crate) fn end(&self, bearer: &str) {
        let name = bearer.strip_prefix(PREFIX).and_then(|name| name.parse::<Digest>().ok());
        if let Some(name) = name
            && let Some((person, _)) = self.shelf.find(name.as_bytes())
        {
            self.shelf.remove(&person, name.as_bytes());
        }
    }
}

/// How many failures an address has left.
#[derive(Debug, Clone, Copy)]
struct Left {
    failures: u32,
    since: Instant,
}

impl Left {
    fn whole(now: Instant) -> Self {
        Self { failures: SIGN_IN_FAILURES, since: now }
    }

    /// With what has grown back.
    fn at(self, now: Instant) -> Self {
        let grown = now.duration_since(self.since).as_secs() / SIGN_IN_FAILURE_TIME.as_secs().max(1);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        let failures = self.failures.saturating_add(grown).min(SIGN_IN_FAILURES);
        Self { failures, since: self.since + SIGN_IN_FAILURE_TIME.saturating_mul(grown) }
    }
}

/// Failed sign-ins by address. Tokens are too long to be guessed: what this saves is the operator's log. What is good comes
/// in however many others failed, so that nobody can lock out who shares an address with them, nor, with a network of
/// addresses, everybody.
#[derive(Default)]
pub(crate) struct Attempts {
    left: Mutex<HashMap<IpAddr, Left>>,
}

impl Attempts {
    /// Counts a failure; whether the address had one left.
    pub(crate) fn fail(&self, from: IpAddr) -> bool {
        self.fail_at(from, Instant::now())
    }

    fn fail_at(&self, from: IpAddr, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(&left, from, now);
        if left.len() >= SIGN_IN_ADDRESSES && !left.contains_key(&key) {
            left.retain(|_, left| left.at(now).failures < SIGN_IN_FAILURES);
        }
        let entry = left.entry(key).or_insert_with(|| Left::whole(now));
        *entry = entry.at(now);
        let some = entry.failures > 0;
        entry.failures = entry.failures.saturating_sub(1);
        some
    }
}

/// What an address is counted under: of IPv6 the network that one customer has; beyond the most addresses all the rest.
fn key(left: &HashMap<IpAddr, Left>, from: IpAddr, now: Instant) -> IpAddr {
    let own = match from.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    };
    let full = || left.values().filter(|left| left.at(now).failures < SIGN_IN_FAILURES).count() >= SIGN_IN_ADDRESSES;
    if left.contains_key(&own) || left.len() < SIGN_IN_ADDRESSES || !full() {
        own
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn basic_takes_colons_and_any_padding() {
        let both = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(basic("YW5hOnBhc3M="), both("ana", "pass"));
        assert_eq!(basic("YW5hOnBhc3M"), both("ana", "pass"));
        assert_eq!(basic("YW5hOmE6Yjo6Yw=="), both("ana", "a:b::c"));
        assert_eq!(basic("YW5hOmE6Yjo6Yw"), both("ana", "a:b::c"));
        assert_eq!(basic("YW5hOg"), both("ana", ""));
        for text in ["", "YW5h", "YW5hOnBhc3M==", "*", "/////w", "YW5h OnBhc3M", "YW5hOnBhc3M=x"] {
            assert_eq!(basic(text), None, "{text}");
        }
    }

    #[test]
    fn a_sign_in_is_found_by_its_own_name_only() {
        let sign_ins = SignIns::new();
        let bearer = sign_ins.make(&"ana".parse().unwrap(), "gbx_1").unwrap();
        assert!(SignIns::is_one(&bearer) && !SignIns::is_one("gbx_1"));
        assert_eq!(sign_ins.find(&bearer).unwrap(), ("ana".parse().unwrap(), Digest::of(b"gbx_1")));
        let other = format!("gbs_{}", "0".repeat(64));
        for wrong in [other.as_str(), "gbs_", &bearer.to_uppercase(), &format!("{bearer}0"), bearer.get(4..).unwrap()] {
            assert_eq!(sign_ins.find(wrong).unwrap_err().reason(), Reason::Unauthenticated, "{wrong}");
            sign_ins.end(wrong);
        }
        assert!(sign_ins.find(&bearer).is_ok());
        sign_ins.end(&bearer);
        assert!(sign_ins.find(&bearer).is_err());
    }

    #[test]
    fn an_address_runs_out_of_failures_alone_and_they_grow_back() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let (one, two) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)));
        for _ in 0..SIGN_IN_FAILURES {
            assert!(attempts.fail_at(one, now));
        }
        assert!(!attempts.fail_at(one, now));
        assert!(attempts.fail_at(two, now));
        assert!(!attempts.fail_at(one, now + SIGN_IN_FAILURE_TIME / 2));
        assert!(attempts.fail_at(one, now + SIGN_IN_FAILURE_TIME));
        assert!(!attempts.fail_at(one, now + SIGN_IN_FAILURE_TIME));
        assert!(attempts.fail_at(one, now + Duration::from_secs(3600)));
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_room() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for number in 0..SIGN_IN_ADDRESSES as u32 + 100 {
            attempts.fail_at(IpAddr::from(Ipv4Addr::from(number + 1)), now);
        }
        assert!(attempts.left.lock().unwrap().len() <= SIGN_IN_ADDRESSES + 1);
        let late = now + Duration::from_secs(3600);
        assert!(attempts.fail_at(IpAddr::from(Ipv4Addr::LOCALHOST), late));
        assert!(attempts.left.lock().unwrap().len() <= 2);
        let network = |last: &str| format!("2001:db8::{last}").parse::<IpAddr>().unwrap();
        for _ in 0..SIGN_IN_FAILURES {
            assert!(attempts.fail_at(network("1"), late));
        }
        assert!(!attempts.fail_at(network("2"), late), "one network counts once");
    }
}
