//! Sessions: what is meant by a statement that does not say otherwise.
//!
//! `SetSessionOptions` of the Flight protocol keeps options under a random name that the client sends back in a cookie, as
//! database drivers do. The cookie authenticates nobody: it works only beside the credentials of the person whose session
//! it names. An option that a statement writes itself wins. INVARIANT (a lost session is no default): a cookie that names no
//! session of the caller's is refused, since a statement that was to cost little must not be asked at the contract's default.

use std::collections::HashMap;
use std::pin::Pin;

use arrow_flight::Action;
use futures::Stream;
use glovebox_engine::SqlAsk;
use glovebox_policy::contract::MAX_DELTA;
use glovebox_policy::{ContractId, Digest, NanoEpsilon, PersonId, Purpose, Reason, Refusal};
use prost::Message as _;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Response, Status};

use super::session_wire::{
    CloseSessionResult, ErrorValue, GetSessionOptionsResult, OptionError, OptionValue, SessionOptionValue,
    SetSessionOptionsRequest, SetSessionOptionsResult, Status as Closed,
};
use crate::limits::SESSION_LIFE;
use crate::shelf::Shelf;
use crate::status::status_of;

/// The action that sets options.
pub(crate) const SET: &str = "SetSessionOptions";
/// The action that tells the options.
pub(crate) const GET: &str = "GetSessionOptions";
/// The action that forgets the session.
pub(crate) const CLOSE: &str = "CloseSession";

/// The protocol's suggestion for the cookie's name.
const COOKIE: &str = "arrow_flight_session_id";

type Results = Pin<Box<dyn Stream<Item = Result<arrow_flight::Result, Status>> + Send>>;

/// What a session says beside each statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    epsilon: Option<f64>,
    delta: Option<f64>,
    max_groups_contributed: Option<u32>,
    purpose: Option<Purpose>,
    contract: Option<ContractId>,
}

/// The session that a request came in, if it came in one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    name: Option<Digest>,
    options: Options,
}

impl Session {
    /// Its options.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

fn number(value: &OptionValue) -> Option<f64> {
    match value {
        OptionValue::Text(text) => text.trim().parse().ok(),
        OptionValue::Double(number) => Some(*number),
        // Options are small numbers; a larger one is out of range either way.
        OptionValue::Int(number) => i32::try_from(*number).ok().map(f64::from),
        OptionValue::Bool(_) | OptionValue::List(_) => None,
    }
}

fn name<T: std::str::FromStr>(value: &OptionValue) -> Option<T> {
    match value {
        OptionValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

impl Options {
    /// A statement under these options.
    pub(crate) fn ask(&self, sql: String) -> SqlAsk {
        let Self { epsilon, delta, max_groups_contributed, purpose, contract } = self.clone();
        SqlAsk { sql, purpose, epsilon, delta, max_groups_contributed, contract, parameters: Vec::new() }
    }

    /// Sets one option, or takes it away where there is no value.
    fn set(&mut self, option: &str, value: Option<&OptionValue>) -> Result<(), ErrorValue> {
        fn read<T>(
            value: Option<&OptionValue>,
            read: impl Fn(&OptionValue) -> Option<T>,
        ) -> Result<Option<T>, ErrorValue> {
            value.map(|value| read(value).ok_or(ErrorValue::InvalidValue)).transpose()
        }
        match option {
            "epsilon" => {
                let good = |epsilon: &f64| NanoEpsilon::from_epsilon(*epsilon).is_some();
                self.epsilon = read(value, |value| number(value).filter(good))?;
            }
            "delta" => self.delta = read(value, |value| number(value).filter(|d| (0.0..=MAX_DELTA).contains(d)))?,
            "max_groups_contributed" => {
                self.max_groups_contributed = read(value, |value| {
                    let whole = match value {
                        OptionValue::Text(text) => text.trim().parse().ok(),
                        OptionValue::Int(number) => u32::try_from(*number).ok(),
                        _ => None,
                    };
                    whole.filter(|most| *most > 0)
                })?;
            }
            "purpose" => self.purpose = read(value, name)?,
            "contract" => self.contract = read(value, name)?,
            _ => return Err(ErrorValue::InvalidName),
        }
        Ok(())
    }

    /// Sets what can be set, and gives what could not.
    fn set_all(&mut self, request: SetSessionOptionsRequest) -> HashMap<String, OptionError> {
        let set = request.session_options.into_iter().filter_map(|(name, value)| {
            let error = self.set(&name, value.value.as_ref()).err()?;
            Some((name, OptionError { value: error.into() }))
        });
        set.collect()
    }

    /// The options that are set.
    fn told(&self) -> HashMap<String, SessionOptionValue> {
        let text = |text: &str| OptionValue::Text(text.to_owned());
        [
            ("epsilon", self.epsilon.map(OptionValue::Double)),
            ("delta", self.delta.map(OptionValue::Double)),
            ("max_groups_contributed", self.max_groups_contributed.map(|most| OptionValue::Int(i64::from(most)))),
            ("purpose", self.purpose.as_ref().map(|purpose| text(purpose.as_str()))),
            ("contract", self.contract.as_ref().map(|contract| text(contract.as_str()))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), SessionOptionValue { value: Some(value?) })))
        .collect()
    }
}

/// The sessions of everybody.
pub(crate) struct Sessions {
    shelf: Shelf<Options>,
}

/// The name that a cookie header holds; `Err` for what cannot be one.
fn name_in(metadata: &MetadataMap) -> Result<Option<Digest>, Refusal> {
    let mut found = None;
    for header in metadata.get_all("cookie") {
        let text = header.to_str().map_err(|_| Reason::SessionUnknown)?;
        for cookie in text.split(';') {
            if let Some((COOKIE, value)) = cookie.trim().split_once('=') {
                let value: Digest = value.trim_matches('"').parse().map_err(|_| Reason::SessionUnknown)?;
                if found.replace(value).is_some_and(|before| before != value) {
                    return Err(Reason::SessionUnknown.into());
                }
            }
        }
    }
    Ok(found)
}

fn cookie(text: String) -> Result<MetadataValue<Ascii>, Status> {
    text.parse().map_err(|_| status_of(&Reason::Internal.into()))
}

fn forgotten() -> MetadataValue<Ascii> {
    MetadataValue::from_static("arrow_flight_session_id=; Max-Age=0")
}

fn one(bytes: Vec<u8>) -> Response<Results> {
    let result = arrow_flight::Result { body: bytes.into() };
    Response::new(Box::pin(futures::stream::iter([Ok(result)])))
}

impl Sessions {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { shelf: Shelf::new(SESSION_LIFE) }
    }

    /// The session that a request of this person came in. It lives its whole life from now.
    ///
    /// # Errors
    /// [`Reason::SessionUnknown`], the same for unknown, expired and somebody else's; it takes the cookie away.
    pub(crate) fn of(&self, person: &PersonId, metadata: &MetadataMap) -> Result<Session, Status> {
        self.find(person, metadata).map_err(|refusal| {
            let mut status = status_of(&refusal);
            status.metadata_mut().insert("set-cookie", forgotten());
            status
        })
    }

    fn find(&self, person: &PersonId, metadata: &MetadataMap) -> Result<Session, Refusal> {
        let Some(name) = name_in(metadata)? else {
            return Ok(Session::default());
        };
        let options = self.shelf.get(person, name.as_bytes()).map_err(|_| Reason::SessionUnknown)?;
        self.shelf.renew(person, name.as_bytes());
        Ok(Session { name: Some(name), options })
    }

    /// Carries out one of the three actions.
    ///
    /// # Errors
    /// [`Reason::StatementRefused`] for another action, [`Reason::BadRequest`] for a body that cannot be read.
    pub(crate) fn act(
        &self,
        person: &PersonId,
        session: &Session,
        action: &Action,
    ) -> Result<Response<Results>, Status> {
        match action.r#type.as_str() {
            SET => self.set(person, session, &action.body),
            GET => {
                let told = GetSessionOptionsResult { session_options: session.options.told() };
                Ok(one(told.encode_to_vec()))
            }
            CLOSE => {
                if let Some(name) = &session.name {
                    self.shelf.remove(person, name.as_bytes());
                }
                let mut response = one(CloseSessionResult { status: Closed::Closed.into() }.encode_to_vec());
                response.metadata_mut().insert("set-cookie", forgotten());
                Ok(response)
            }
            other => Err(status_of(&Refusal::about(Reason::StatementRefused, other))),
        }
    }

    fn set(&self, person: &PersonId, session: &Session, body: &[u8]) -> Result<Response<Results>, Status> {
        let request = SetSessionOptionsRequest::decode(body)
            .map_err(|_| status_of(&Refusal::about(Reason::BadRequest, "SetSessionOptionsRequest")))?;
        let told = |errors| one(SetSessionOptionsResult { errors }.encode_to_vec());
        match &session.name {
            // On what is kept now, not on what was when the request came in: of two calls at a time neither may undo the
            // other, or a statement would be asked at the contract's default although its ε was set.
            Some(name) => {
                let errors = self.shelf.change(person, name.as_bytes(), |options| options.set_all(request));
                Ok(told(errors.map_err(|_| status_of(&Reason::SessionUnknown.into()))?))
            }
            None => {
                let mut options = Options::default();
                let mut response = told(options.set_all(request));
                let handle = self.shelf.put(person, options).map_err(|refusal| status_of(&refusal))?;
                let text = format!("{COOKIE}={}", Digest::from_bytes(handle.name));
                response.metadata_mut().insert("set-cookie", cookie(text)?);
                Ok(response)
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn options_take_what_drivers_send_and_nothing_out_of_range() {
        let mut options = Options::default();
        for (name, value) in [
            ("epsilon", OptionValue::Double(0.5)),
            ("epsilon", OptionValue::Text("0.25".to_owned())),
            ("delta", OptionValue::Text("1e-9".to_owned())),
            ("delta", OptionValue::Int(0)),
            ("max_groups_contributed", OptionValue::Text("3".to_owned())),
            ("max_groups_contributed", OptionValue::Int(2)),
            ("purpose", OptionValue::Text("ai-research".to_owned())),
            ("contract", OptionValue::Text("c-1".to_owned())),
        ] {
            options.set(name, Some(&value)).unwrap();
        }
        assert_eq!((options.epsilon, options.delta, options.max_groups_contributed), (Some(0.25), Some(0.0), Some(2)));
        assert_eq!(options.told().len(), 5);
        let before = options.clone();
        for (name, value) in [
            ("epsilon", OptionValue::Double(0.0)),
            ("epsilon", OptionValue::Double(f64::NAN)),
            ("epsilon", OptionValue::Double(f64::INFINITY)),
            ("epsilon", OptionValue::Int(i64::MAX)),
            ("epsilon", OptionValue::Bool(true)),
            ("delta", OptionValue::Double(0.1)),
            ("delta", OptionValue::Text("-1".to_owned())),
            ("max_groups_contributed", OptionValue::Int(0)),
            ("max_groups_contributed", OptionValue::Double(1.5)),
            ("purpose", OptionValue::Text("No Purpose!".to_owned())),
            ("contract", OptionValue::Int(1)),
        ] {
            assert_eq!(options.set(name, Some(&value)), Err(ErrorValue::InvalidValue), "{name} {value:?}");
        }
        assert_eq!(options.set("noise", None), Err(ErrorValue::InvalidName));
        assert_eq!(options, before);
        options.set("epsilon", None).unwrap();
        assert_eq!(options.epsilon, None);
    }

    #[test]
    fn of_two_calls_at_a_time_neither_undoes_the_other() {
        let (sessions, ana) = (Sessions::new(), "ana".parse().unwrap());
        let set = |session: &Session, name: &str| {
            let value = SessionOptionValue { value: Some(OptionValue::Text("0.0001".to_owned())) };
            let session_options = [(name.to_owned(), value)].into();
            let body = SetSessionOptionsRequest { session_options }.encode_to_vec();
            sessions.set(&ana, session, &body).unwrap()
        };
        let opened = set(&Session::default(), "an option that there is not");
        let cookie = opened.metadata().get("set-cookie").unwrap().to_str().unwrap();
        let mut metadata = MetadataMap::new();
        metadata.insert("cookie", cookie.parse().unwrap());
        let admitted = [sessions.find(&ana, &metadata).unwrap(), sessions.find(&ana, &metadata).unwrap()];
        set(&admitted[0], "epsilon");
        set(&admitted[1], "delta");
        let now = sessions.find(&ana, &metadata).unwrap().options;
        assert_eq!((now.epsilon, now.delta), (Some(0.0001), Some(0.0001)));
    }

    #[test]
    fn one_session_is_named_among_other_cookies() {
        let read = |headers: &[&str]| {
            let mut metadata = MetadataMap::new();
            for header in headers {
                metadata.append("cookie", header.parse().unwrap());
            }
            name_in(&metadata)
        };
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["a=b; c"]), Ok(None));
        assert_eq!(read(&[&format!("a=b; {COOKIE}={one}; c=d")]), Ok(Some(one)));
        assert_eq!(read(&["a=b", &format!("{COOKIE}=\"{one}\"")]), Ok(Some(one)));
        let (first, second) = (format!("{COOKIE}={one}"), format!("{COOKIE}={two}"));
        for headers in
            [vec![first.as_str(), &second], vec!["arrow_flight_session_id="], vec!["arrow_flight_session_id=x"]]
        {
            assert_eq!(read(&headers).unwrap_err().reason(), Reason::SessionUnknown);
        }
    }
}
