//! Of the places of both faces, so many at a time for one organisation, that no firm keeps all others out.
//!
//! A request has its place before anybody knows who asks (`shield`); as soon as that is known, its organisation is counted, and one
//! that has all of its share is told that the service is busy. What a firm is told so depends on its own requests alone.
//!
//! INVARIANT (counted as long as it runs): a request brings its [`Seat`] along, and the shield keeps it until the work has
//! ended, also past the deadline and after the client has hung up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Extensions;
use glovebox_policy::{OrgId, Reason, Refusal};

use crate::limits::REQUESTS_PER_ORG;

/// How many requests of each organisation are under way.
#[derive(Clone, Default)]
pub(crate) struct Seats {
    taken: Arc<Mutex<HashMap<OrgId, usize>>>,
}

/// What one request holds: nothing until it is known who asks. Clones are of the same request.
#[derive(Clone)]
pub(crate) struct Seat(Arc<Held>);

struct Held {
    of: Seats,
    org: Mutex<Option<OrgId>>,
}

impl Seats {
    /// For a request of which nobody knows yet who asks.
    pub(crate) fn seat(&self) -> Seat {
        Seat(Arc::new(Held { of: self.clone(), org: Mutex::new(None) }))
    }

    fn take(&self, org: &OrgId) -> Result<(), Refusal> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = taken.entry(org.clone()).or_insert(0);
        if *of_org >= REQUESTS_PER_ORG {
            return Err(Reason::Busy.into());
        }
        *of_org += 1;
        Ok(())
    }

    fn give_back(&self, org: &OrgId) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_org) = taken.get_mut(org) {
            *of_org = of_org.saturating_sub(1);
            if *of_org == 0 {
                taken.remove(org);
            }
        }
    }
}

impl Seat {
    /// Counts the request that these belong to as one of an organisation.
    ///
    /// # Errors
    /// [`Reason::Busy`] when the organisation has its share already; [`Reason::Internal`] where a request came by another way than
    /// the shield.
    pub(crate) fn count(extensions: &Extensions, org: &OrgId) -> Result<(), Refusal> {
        let Self(held) = extensions.get::<Self>().ok_or(Reason::Internal)?;
        let mut counted = held.org.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.is_none() {
            held.of.take(org)?;
            *counted = Some(org.clone());
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(org) = self.org.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.of.give_back(&org);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(seats: &Seats) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(seats.seat());
        extensions
    }

    #[test]
    fn an_organisation_has_its_share_and_the_others_theirs() {
        let (seats, acme, beta) = (Seats::default(), "acme".parse().unwrap(), "beta".parse().unwrap());
        let mut held: Vec<Extensions> = (0..REQUESTS_PER_ORG).map(|_| request(&seats)).collect();
        for extensions in &held {
            Seat::count(extensions, &acme).unwrap();
            // Both gates of one request count it once.
            Seat::count(extensions, &acme).unwrap();
        }
        assert_eq!(Seat::count(&request(&seats), &acme).unwrap_err().reason(), Reason::Busy);
        let other = request(&seats);
        Seat::count(&other, &beta).unwrap();
        held.pop();
        let late = request(&seats);
        Seat::count(&late, &acme).unwrap();
        assert_eq!(Seat::count(&request(&seats), &acme).unwrap_err().reason(), Reason::Busy);
        drop((held, late, other));
        assert!(seats.taken.lock().unwrap().is_empty(), "nothing is left behind");
    }

    #[test]
    fn a_request_past_the_shield_is_not_let_in() {
        let refusal = Seat::count(&Extensions::new(), &"acme".parse().unwrap()).unwrap_err();
        assert_eq!(refusal.reason(), Reason::Internal);
    }
}
