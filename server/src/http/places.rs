//! Places for submissions: few in all, one for each person and two for each organisation, so that nobody keeps the others
//! out.

use std::sync::{Arc, Mutex, PoisonError};

use glovebox_policy::{Caller, OrgId, PersonId};

use crate::limits::{SUBMISSIONS, SUBMISSIONS_PER_ORG};

/// Who has a place now.
#[derive(Clone, Default)]
pub(crate) struct Places {
    taken: Arc<Mutex<Vec<(PersonId, OrgId)>>>,
}

/// A place; free again when this is dropped.
pub(crate) struct Place {
    of: Places,
    person: PersonId,
}

impl Places {
    /// A place, unless all are taken, or as many as the caller or the organisation may have.
    pub(crate) fn take(&self, caller: &Caller) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = taken.iter().filter(|(_, org)| *org == caller.org).count();
        let has_one = taken.iter().any(|(person, _)| *person == caller.person);
        if taken.len() >= SUBMISSIONS || of_org >= SUBMISSIONS_PER_ORG || has_one {
            return None;
        }
        taken.push((caller.person.clone(), caller.org.clone()));
        Some(Place { of: self.clone(), person: caller.person.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|(person, _)| *person != self.person);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use glovebox_policy::Role;

    use super::*;

    fn caller(person: &str, org: &str) -> Caller {
        Caller { person: person.parse().unwrap(), org: org.parse().unwrap(), role: Role::Analyst }
    }

    #[test]
    fn a_person_has_one_place_and_an_organisation_two() {
        let places = Places::default();
        let first = places.take(&caller("ana", "acme")).unwrap();
        assert!(places.take(&caller("ana", "acme")).is_none(), "another submission of hers");
        let second = places.take(&caller("ben", "acme")).unwrap();
        assert!(places.take(&caller("cai", "acme")).is_none());
        let third = places.take(&caller("dan", "delta")).unwrap();
        drop(first);
        assert!(places.take(&caller("ben", "acme")).is_none());
        let fourth = places.take(&caller("cai", "acme")).unwrap();
        drop((second, third, fourth));
        assert!(places.take(&caller("ana", "acme")).is_some());
    }

    #[test]
    fn all_together_have_so_many() {
        let places = Places::default();
        let name = |number: usize| caller(&format!("p{number}"), &format!("o{}", number / 2));
        let held: Vec<_> = (0..SUBMISSIONS).map(|number| places.take(&name(number)).unwrap()).collect();
        assert!(places.take(&caller("late", "another")).is_none());
        drop(held);
        assert!(places.take(&caller("late", "another")).is_some());
    }
}
