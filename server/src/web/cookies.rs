//! The two cookies: one names a session, one a language. Both stay with this very host, and no script reads them.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};

use super::language::Language;

/// Names the session. The prefix has the browser take it only over TLS, from this host, for all paths.
pub(crate) const SESSION: &str = "__Host-glovebox";

/// Names the language.
pub(crate) const LANGUAGE: &str = "__Host-glovebox-lang";

/// How long a browser keeps a chosen language, in seconds.
const LANGUAGE_S: u32 = 365 * 86_400;

/// The value of a cookie. Two of one name are as good as a wrong one.
pub(crate) fn get(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next()?;
    Some(if values.next().is_some() { String::new() } else { value.to_owned() })
}

/// Gives a session's name to the browser, until it is closed.
pub(crate) fn give_session(headers: &mut HeaderMap, name: &str) {
    give(headers, &format!("{SESSION}={name}; Path=/; Secure; HttpOnly; SameSite=Strict"));
}

/// Has the browser forget its session.
pub(crate) fn take_session(headers: &mut HeaderMap) {
    give(headers, &format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"));
}

/// Has the browser remember a language. It comes along when a page is opened from elsewhere, too.
pub(crate) fn give_language(headers: &mut HeaderMap, language: Language) {
    let code = language.code();
    give(headers, &format!("{LANGUAGE}={code}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LANGUAGE_S}"));
}

fn give(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, value);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_found_among_others_and_two_are_none() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            get(&headers, SESSION)
        };
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["glovebox=x; __Host-glovebox-lang=en"]), None);
        assert_eq!(read(&["a=b; __Host-glovebox=gbs_1;c=d"]), some("gbs_1"));
        assert_eq!(read(&["a=b", "__Host-glovebox=gbs_1"]), some("gbs_1"));
        assert_eq!(read(&["__Host-glovebox=gbs_1; __Host-glovebox=gbs_2"]), some(""));
    }
}
