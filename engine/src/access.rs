//! Who comes in, by what they hold: tokens and TLS client certificates, looked up by their digests.
//!
//! The credential itself is checked where it arrives, in the server; here it is settled for whom it stands now.

use glovebox_ledger::{CertificateCard, Person, TokenCard};
use glovebox_policy::{Caller, Digest, PersonId, Reason, Refusal, Role};

use crate::engine::{Engine, internal, now_unix_s, officer, sees_all, taken_or_internal};

fn caller(person: Person) -> Caller {
    Caller { person: person.person, org: person.org, role: person.role }
}

impl Engine {
    /// Whose token this is.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`].
    pub fn authenticate(&self, token: &str) -> Result<Caller, Refusal> {
        let found = self.shared.ledger.authenticate(token, now_unix_s());
        found.map_err(|e| internal("authentication", &e))?.map(caller).ok_or_else(|| Reason::Unauthenticated.into())
    }

    /// Whose token has this SHA-256, for a sign-in that was made with the token and ends with it.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`].
    pub fn token_holder(&self, digest: &Digest) -> Result<Caller, Refusal> {
        let found = self.shared.ledger.token_holder(digest, now_unix_s());
        found.map_err(|e| internal("authentication", &e))?.map(caller).ok_or_else(|| Reason::Unauthenticated.into())
    }

    /// For whom a client certificate stands, named by the SHA-256 of its DER.
    ///
    /// # Errors
    /// [`Reason::CertificateRefused`] when nobody registered it, or it was revoked.
    pub fn certificate_holder(&self, fingerprint: &Digest) -> Result<Caller, Refusal> {
        let found = self.shared.ledger.certificate_holder(fingerprint);
        let refused = || Refusal::about(Reason::CertificateRefused, "it is not registered, or was revoked");
        found.map_err(|e| internal("authentication", &e))?.map(caller).ok_or_else(refused)
    }

    /// The tokens of a person, newest first; never the tokens themselves. Officers and auditors see anybody's.
    ///
    /// # Errors
    /// [`Reason::RoleForbidden`].
    pub fn tokens(&self, caller: &Caller, person: &PersonId) -> Result<Vec<TokenCard>, Refusal> {
        if !sees_all(caller) && caller.person != *person {
            return Err(Reason::RoleForbidden.into());
        }
        self.shared.ledger.tokens(person).map_err(|e| internal("tokens", &e))
    }

    /// Ends a token that is named by its SHA-256: one's own, and officers anybody's.
    ///
    /// # Errors
    /// [`Reason::NotFound`] when there is none of this name that the caller may end.
    pub fn revoke_token_by_digest(&self, caller: &Caller, digest: &Digest) -> Result<(), Refusal> {
        let ledger = &self.shared.ledger;
        if caller.role != Role::Officer {
            let own = ledger.tokens(&caller.person).map_err(|e| internal("tokens", &e))?;
            if !own.iter().any(|card| card.digest == *digest) {
                return Err(Refusal::about(Reason::NotFound, &digest.to_string()));
            }
        }
        ledger.revoke_token(digest).map_err(|e| taken_or_internal(e, &digest.to_string()))
    }

    /// Lets a client certificate stand for a person.
    ///
    /// # Errors
    /// For others than officers; [`Reason::BadRequest`] when it is or was registered; [`Reason::NotFound`].
    pub fn add_certificate(
        &self,
        caller: &Caller,
        person: &PersonId,
        fingerprint: &Digest,
    ) -> Result<CertificateCard, Refusal> {
        officer(caller)?;
        let ledger = &self.shared.ledger;
        let added = ledger.add_client_certificate(person, fingerprint, &caller.person);
        added.map_err(|error| match error {
            glovebox_ledger::LedgerError::Exists { .. } => {
                Refusal::about(Reason::BadRequest, "the certificate is taken")
            }
            other => taken_or_internal(other, person.as_str()),
        })?;
        let cards = ledger.client_certificates(Some(person)).map_err(|e| internal("certificates", &e))?;
        cards.into_iter().find(|card| card.fingerprint == *fingerprint).ok_or_else(|| Reason::Internal.into())
    }

    /// The client certificates that were registered: one's own, and for officers and auditors everybody's.
    ///
    /// # Errors
    /// [`Reason::Internal`].
    pub fn certificates(&self, caller: &Caller) -> Result<Vec<CertificateCard>, Refusal> {
        let whose = (!sees_all(caller)).then_some(&caller.person);
        self.shared.ledger.client_certificates(whose).map_err(|e| internal("certificates", &e))
    }

    /// Revokes a client certificate for good: one's own, and officers anybody's.
    ///
    /// # Errors
    /// [`Reason::NotFound`] when there is none of this name that the caller may revoke.
    pub fn revoke_certificate(&self, caller: &Caller, fingerprint: &Digest) -> Result<(), Refusal> {
        let name = fingerprint.to_string();
        if caller.role != Role::Officer {
            let own = self.shared.ledger.client_certificates(Some(&caller.person));
            let own = own.map_err(|e| internal("certificates", &e))?;
            if !own.iter().any(|card| card.fingerprint == *fingerprint) {
                return Err(Refusal::about(Reason::NotFound, &name));
            }
        }
        self.shared.ledger.revoke_client_certificate(fingerprint).map_err(|e| taken_or_internal(e, &name))
    }
}
