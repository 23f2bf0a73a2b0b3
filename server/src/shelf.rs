//! What a client holds only a random name of: tickets, prepared statements, sign-ins and sessions.
//!
//! A name is 256 bits from the operating system, tells nothing, works only for the person it was given to, and expires.
//! Names are kept as digests, so that finding one takes no comparison with a secret.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use glovebox_policy::{Digest, PersonId, Reason, Refusal};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::limits::{HANDLES_IN_ALL, HANDLES_PER_PERSON};

/// Bytes of a name.
pub(crate) const NAME_BYTES: usize = 32;

struct Entry<T> {
    owner: PersonId,
    order: u64,
    expires: Instant,
    value: T,
}

struct Inner<T> {
    entries: HashMap<Digest, Entry<T>>,
    count: u64,
}

/// Values by random name.
pub(crate) struct Shelf<T> {
    life: Duration,
    inner: Mutex<Inner<T>>,
}

/// A name as it is handed out, and when it ends.
pub(crate) struct Handle {
    pub(crate) name: [u8; NAME_BYTES],
    pub(crate) expires: SystemTime,
}

impl<T: Clone> Shelf<T> {
    /// An empty shelf whose names live this long.
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, inner: Mutex::new(Inner { entries: HashMap::new(), count: 0 }) }
    }

    /// Keeps a value for its owner. The owner's oldest value gives way when the owner holds too many.
    ///
    /// # Errors
    /// [`Reason::Busy`] when all places are taken by others, [`Reason::Internal`] without randomness.
    pub(crate) fn put(&self, owner: &PersonId, value: T) -> Result<Handle, Refusal> {
        let mut name = [0; NAME_BYTES];
        SystemRandom::new().fill(&mut name).map_err(|_| Reason::Internal)?;
        let now = Instant::now();
        let mut inner = self.lock();
        inner.entries.retain(|_, entry| entry.expires > now);
        let mut own: Vec<_> = inner.entries.iter().filter(|(_, entry)| entry.owner == *owner).collect();
        if own.len() >= HANDLES_PER_PERSON {
            own.sort_by_key(|(_, entry)| entry.order);
            if let Some(oldest) = own.first().map(|(key, _)| **key) {
                inner.entries.remove(&oldest);
            }
        }
        if inner.entries.len() >= HANDLES_IN_ALL {
            return Err(Reason::Busy.into());
        }
        inner.count += 1;
        let entry = Entry { owner: owner.clone(), order: inner.count, expires: now + self.life, value };
        inner.entries.insert(Digest::of(&name), entry);
        Ok(Handle { name, expires: SystemTime::now() + self.life })
    }

    /// The value behind a name.
    ///
    /// # Errors
    /// [`Reason::TicketUnknown`], the same for unknown, expired and somebody else's.
    pub(crate) fn get(&self, owner: &PersonId, name: &[u8]) -> Result<T, Refusal> {
        self.change(owner, name, |value| value.clone())
    }

    /// Works on the value behind a name.
    ///
    /// # Errors
    /// As [`Shelf::get`].
    pub(crate) fn change<U>(
        &self,
        owner: &PersonId,
        name: &[u8],
        work: impl FnOnce(&mut T) -> U,
    ) -> Result<U, Refusal> {
        let now = Instant::now();
        match self.lock().entries.get_mut(&Digest::of(name)) {
            Some(entry) if entry.owner == *owner && entry.expires > now => Ok(work(&mut entry.value)),
            _ => Err(Reason::TicketUnknown.into()),
        }
    }

    /// The value behind a name, and whose it is, for a name that itself says who asks.
    pub(crate) fn find(&self, name: &[u8]) -> Option<(PersonId, T)> {
        let now = Instant::now();
        let inner = self.lock();
        let entry = inner.entries.get(&Digest::of(name)).filter(|entry| entry.expires > now)?;
        Some((entry.owner.clone(), entry.value.clone()))
    }

    /// Lets a name live its whole life from now.
    pub(crate) fn renew(&self, owner: &PersonId, name: &[u8]) {
        if let Some(entry) = self.lock().entries.get_mut(&Digest::of(name)).filter(|entry| entry.owner == *owner) {
            entry.expires = Instant::now() + self.life;
        }
    }

    /// Forgets a name of its owner.
    pub(crate) fn remove(&self, owner: &PersonId, name: &[u8]) {
        let mut inner = self.lock();
        let key = Digest::of(name);
        if inner.entries.get(&key).is_some_and(|entry| entry.owner == *owner) {
            inner.entries.remove(&key);
        }
    }

    /// Every change is one step on the map, so a panic elsewhere cannot have left it half done.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn person(name: &str) -> PersonId {
        name.parse().unwrap()
    }

    #[test]
    fn a_name_works_for_its_owner_until_it_ends() {
        let shelf = Shelf::new(Duration::from_millis(40));
        let (li, wang) = (person("li"), person("wang"));
        let handle = shelf.put(&li, 7).unwrap();
        assert_eq!(shelf.get(&li, &handle.name), Ok(7));
        let unknown = Err(Refusal::new(Reason::TicketUnknown));
        assert_eq!(shelf.get(&wang, &handle.name), unknown);
        assert_eq!(shelf.get(&li, &[0; NAME_BYTES]), unknown);
        shelf.remove(&wang, &handle.name);
        shelf.change(&li, &handle.name, |value| *value = 8).unwrap();
        assert_eq!(shelf.get(&li, &handle.name), Ok(8));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(shelf.get(&li, &handle.name), unknown);
    }

    #[test]
    fn one_person_displaces_only_their_own() {
        let shelf = Shelf::new(Duration::from_secs(60));
        let (li, wang) = (person("li"), person("wang"));
        let kept = shelf.put(&wang, 0).unwrap();
        let first = shelf.put(&li, 1).unwrap();
        for value in 0..HANDLES_PER_PERSON {
            shelf.put(&li, value).unwrap();
        }
        assert!(shelf.get(&li, &first.name).is_err());
        assert!(shelf.get(&wang, &kept.name).is_ok());
    }
}
