//! Who asks: a token, a sign-in or a client certificate, the same way on both faces.
//!
//! INVARIANT (nothing presented is ignored): each thing that came with a request (a token, a certificate) must be good, and
//! all must be of one person. A bad token is not made up for by a good certificate, nor the other way round.
//!
//! What is presented is looked up by its SHA-256, so the time that it takes tells nothing of how near a guess was.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, HeaderValue, ORIGIN};
use axum::http::{Extensions, HeaderMap};
use axum_server::tls::TlsInfo;
use glovebox_engine::Engine;
use glovebox_policy::{Caller, Reason, Refusal, Role};

use crate::client_auth::ClientAuthority;
use crate::limits::AUTHORIZATION_BYTES;
use crate::sign_in::{Attempts, SignIns, basic};
use crate::{blocking, operator_log};

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// REST.
    Http,
    /// Flight SQL.
    Flight,
}

/// What the `authorization` header holds.
enum Authorization {
    /// There is none.
    Missing,
    /// A token of some kind.
    Bearer(String),
    /// User and password as they came, still encoded.
    Basic(String),
    /// Something else, or too long, or more than one.
    Unusable,
}

/// What came with a request that says who asks.
pub(crate) struct Credentials {
    authorization: Authorization,
    tls: Option<Arc<TlsInfo>>,
    from: IpAddr,
    /// Whether a browser sent this for a page of another site.
    foreign: bool,
}

impl Credentials {
    /// Out of a request of either face.
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let from = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Self {
            authorization: authorization(headers),
            tls: extensions.get::<Arc<TlsInfo>>().filter(|tls| !tls.peer_certificates.is_empty()).cloned(),
            from: from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            foreign: comes_from_another_site(headers),
        }
    }

    /// The token that came.
    pub(crate) fn token(&self) -> Option<&str> {
        match &self.authorization {
            Authorization::Bearer(token) => Some(token),
            _ => None,
        }
    }
}

/// A client certificate that came without anything that says that its holder meant to call.
fn led_here() -> Refusal {
    Refusal::about(Reason::CertificateRefused, "the call comes from a page of another site")
}

fn comes_from_another_site(headers: &HeaderMap) -> bool {
    let of_ours = |value: &HeaderValue| matches!(value.as_bytes(), b"same-origin" | b"none");
    match headers.get("sec-fetch-site") {
        Some(site) => !of_ours(site),
        None => headers.contains_key(ORIGIN),
    }
}

fn authorization(headers: &HeaderMap) -> Authorization {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else {
        return Authorization::Missing;
    };
    if more.is_some() || value.len() > AUTHORIZATION_BYTES {
        return Authorization::Unusable;
    }
    let Ok(text) = value.to_str() else {
        return Authorization::Unusable;
    };
    if let Some(token) = crate::credentials(text, "bearer") {
        Authorization::Bearer(token.to_owned())
    } else if let Some(encoded) = crate::credentials(text, "basic") {
        Authorization::Basic(encoded.to_owned())
    } else {
        Authorization::Unusable
    }
}

/// Settles who asks, for both faces. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Identities {
    engine: Engine,
    authority: Option<ClientAuthority>,
    /// The roles that come in with a certificate only.
    certified: Arc<[Role]>,
    sign_ins: Arc<SignIns>,
    /// Sessions of the web pages: on another shelf, so that the name of one kind is nothing to the other.
    visits: Arc<SignIns>,
    attempts: Arc<Attempts>,
}

impl Identities {
    /// On an engine, with the authorities of client certificates where there are any, and the roles that need one.
    pub(crate) fn new(engine: Engine, authority: Option<ClientAuthority>, certified: &[Role]) -> Self {
        Self {
            engine,
            authority,
            certified: certified.into(),
            sign_ins: Arc::new(SignIns::new()),
            visits: Arc::new(SignIns::new()),
            attempts: Arc::default(),
        }
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] or [`Reason::CertificateRefused`].
    pub(crate) async fn identify(&self, credentials: Credentials, face: Face) -> Result<Caller, Refusal> {
        let own = self.clone();
        blocking(move || {
            let by_token = match &credentials.authorization {
                // A browser sends its client certificate along whoever made it call. A token is sent by nobody who does
                // not know it, so this matters only where the certificate stands alone.
                Authorization::Missing if credentials.tls.is_some() && credentials.foreign => {
                    return Err(led_here());
                }
                Authorization::Missing => None,
                Authorization::Bearer(token) => Some(own.by_token(token, face)?),
                Authorization::Basic(_) | Authorization::Unusable => return Err(Reason::Unauthenticated.into()),
            };
            own.with_certificate(by_token, credentials.tls.as_deref())
        })
        .await
    }

    /// A sign-in with user and password; gives the bearer token. One constant refusal, whatever was wrong.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`], [`Reason::TooManyAttempts`], [`Reason::CertificateRefused`], [`Reason::Busy`].
    pub(crate) async fn sign_in(&self, credentials: Credentials) -> Result<String, Refusal> {
        let from = credentials.from;
        let own = self.clone();
        let signed_in = blocking(move || own.check(&credentials)).await;
        self.counted(from, signed_in)
    }

    /// Counts a sign-in that failed.
    fn counted(&self, from: IpAddr, signed_in: Result<String, Refusal>) -> Result<String, Refusal> {
        if let Err(refusal) = &signed_in
            && matches!(refusal.reason(), Reason::Unauthenticated | Reason::CertificateRefused)
        {
            if !self.attempts.fail(from) {
                return Err(Reason::TooManyAttempts.into());
            }
            // Neither name nor password: people type the one into the place of the other.
            operator_log::note("a sign-in failed", &format_args!("from {from}: {}", refusal.reason()));
        }
        signed_in
    }

    /// Who reads a page: by the name of a session, by a client certificate, or by both, which must be of one person. `None`
    /// is somebody who has to sign in, also by a name that is none any more.
    ///
    /// # Errors
    /// [`Reason::CertificateRefused`]; [`Reason::BadRequest`] when a header says who asks, which pages take no notice of.
    pub(crate) async fn visit(
        &self,
        session: Option<&str>,
        credentials: Credentials,
    ) -> Result<Option<Caller>, Refusal> {
        if !matches!(credentials.authorization, Authorization::Missing) {
            return Err(Refusal::about(Reason::BadRequest, "pages take no `authorization` header; sign in"));
        }
        let (own, session) = (self.clone(), session.map(str::to_owned));
        blocking(move || {
            let by_session = match session.map(|name| own.visitor(&name)) {
                None if credentials.tls.is_none() => return Ok(None),
                // A link from elsewhere brings the certificate along, and no cookie that says that it was meant.
                None if credentials.foreign => return Err(led_here()),
                None => None,
                Some(Ok(caller)) => Some(caller),
                Some(Err(refusal)) if refusal.reason() == Reason::Unauthenticated => return Ok(None),
                Some(Err(refusal)) => return Err(refusal),
            };
            own.with_certificate(by_session, credentials.tls.as_deref()).map(Some)
        })
        .await
    }

    fn visitor(&self, session: &str) -> Result<Caller, Refusal> {
        let (person, digest) = self.visits.find(session)?;
        let caller = self.engine.token_holder(&digest)?;
        if caller.person == person { Ok(caller) } else { Err(Reason::Unauthenticated.into()) }
    }

    /// A session for a token that was pasted into a page; gives the session's name.
    ///
    /// # Errors
    /// As [`Identities::sign_in`].
    pub(crate) async fn enter(&self, token: &str, credentials: Credentials) -> Result<String, Refusal> {
        let from = credentials.from;
        let (own, token) = (self.clone(), token.to_owned());
        let entered = blocking(move || {
            let caller = own.with_certificate(Some(own.engine.authenticate(&token)?), credentials.tls.as_deref())?;
            own.visits.make(&caller.person, &token)
        })
        .await;
        self.counted(from, entered)
    }

    /// Ends a session.
    pub(crate) fn leave(&self, session: &str) {
        self.visits.end(session);
    }

    /// Whatever comes is looked up, also for a user that cannot be one, so that all refusals cost the same.
    fn check(&self, credentials: &Credentials) -> Result<String, Refusal> {
        let presented = match &credentials.authorization {
            Authorization::Basic(encoded) => basic(encoded),
            _ => None,
        };
        let (user, password) = presented.unwrap_or_default();
        let caller = self.engine.authenticate(&password)?;
        if caller.person.as_str() != user {
            return Err(Reason::Unauthenticated.into());
        }
        let caller = self.with_certificate(Some(caller), credentials.tls.as_deref())?;
        self.sign_ins.make(&caller.person, &password)
    }

    fn by_token(&self, token: &str, face: Face) -> Result<Caller, Refusal> {
        if face != Face::Flight || !SignIns::is_one(token) {
            return self.engine.authenticate(token);
        }
        let (person, digest) = self.sign_ins.find(token)?;
        let caller = self.engine.token_holder(&digest)?;
        if caller.person == person { Ok(caller) } else { Err(Reason::Unauthenticated.into()) }
    }

    fn with_certificate(&self, by_token: Option<Caller>, tls: Option<&TlsInfo>) -> Result<Caller, Refusal> {
        let Some(tls) = tls else {
            let caller = by_token.ok_or(Reason::Unauthenticated)?;
            if self.certified.contains(&caller.role) {
                return Err(Refusal::about(Reason::CertificateRefused, "none came, and your role needs one here"));
            }
            return Ok(caller);
        };
        // Without an authority no certificate is asked for, so none comes; one that did would prove nothing.
        let authority = self.authority.as_ref().ok_or(Reason::Unauthenticated)?;
        let holder = self.engine.certificate_holder(&authority.judge(&tls.peer_certificates)?)?;
        match by_token {
            Some(caller) if caller.person != holder.person => {
                Err(Refusal::about(Reason::CertificateRefused, "it is not of the person whose token came with it"))
            }
            _ => Ok(holder),
        }
    }
}
