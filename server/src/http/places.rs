//! Places for submissions: few in all, and one for each person, so that one account does not keep the others out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use glovebox_policy::PersonId;

/// Places that are taken, each by another person.
#[derive(Clone)]
pub(crate) struct Places {
    most: usize,
    taken: Arc<Mutex<HashSet<PersonId>>>,
}

/// A place; free again when this is dropped.
pub(crate) struct Place {
    of: Places,
    person: PersonId,
}

impl Places {
    /// All places free.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place for a person, unless all are taken or the person has one.
    pub(crate) fn take(&self, person: &PersonId) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = taken.len() < self.most && taken.insert(person.clone());
        free.then(|| Place { of: self.clone(), person: person.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.person);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_place_and_all_together_have_so_many() {
        let [ana, ben, cai] = ["ana", "ben", "cai"].map(|name| name.parse::<PersonId>().unwrap());
        let places = Places::new(2);
        let first = places.take(&ana).unwrap();
        assert!(places.take(&ana).is_none(), "the place of another submission of hers");
        let second = places.take(&ben).unwrap();
        assert!(places.take(&cai).is_none());
        drop(first);
        let third = places.take(&cai).unwrap();
        assert!(places.take(&ana).is_none());
        drop((second, third));
        assert!(places.take(&ana).is_some());
    }
}
