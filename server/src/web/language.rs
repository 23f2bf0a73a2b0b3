//! Which language a page is in: what the address asks for, what was chosen before, what the browser says, else Chinese.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use super::cookies;
use super::texts::{CHINESE, ENGLISH, Texts};

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// 简体中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// As `?lang=` and the cookie spell it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// As `<html lang>` spells it.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The texts of all pages.
    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }

    /// The other one, for whoever wants to change.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    fn parse(code: &str) -> Option<Self> {
        match code {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// What the address asks for.
    pub(crate) fn asked(query: Option<&str>) -> Option<Self> {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        pairs.find(|(key, _)| key == "lang").and_then(|(_, code)| Self::parse(&code))
    }

    /// The language of a request.
    pub(crate) fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        Self::asked(query)
            .or_else(|| cookies::get(headers, cookies::LANGUAGE).and_then(|code| Self::parse(&code)))
            .or_else(|| preferred(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?))
            .unwrap_or(Self::Chinese)
    }
}

/// The one of ours that stands highest in an `accept-language` header; the earlier one where both stand alike.
fn preferred(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in header.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let primary = parts.next().unwrap_or_default().split('-').next().unwrap_or_default().to_ascii_lowercase();
        let Some(language) = Language::parse(&primary) else { continue };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        let weight = weight.filter(|weight: &f32| *weight > 0.0).unwrap_or(0.0);
        if weight > best.map_or(0.0, |(most, _)| most) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn language(query: Option<&str>, cookie: &str, accept: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", cookie.parse().unwrap());
        headers.insert(ACCEPT_LANGUAGE, accept.parse().unwrap());
        Language::of(query, &headers)
    }

    #[test]
    fn the_address_goes_before_the_cookie_and_that_before_the_browser() {
        use Language::{Chinese, English};
        let zh = "__Host-glovebox-lang=zh";
        assert_eq!(language(Some("start=3&lang=en"), zh, "zh"), English);
        assert_eq!(language(Some("lang=fr"), zh, "en"), Chinese);
        assert_eq!(language(None, zh, "en"), Chinese);
        for (accept, expected) in [
            ("en-GB,en;q=0.9,zh;q=0.8", English),
            ("zh-TW", Chinese),
            ("fr, de;q=0.5", Chinese),
            ("fr, en;q=0.1", English),
            ("en;q=0.2, zh;q=0.7", Chinese),
            ("en;q=0", Chinese),
            ("en;q=nonsense", Chinese),
            ("", Chinese),
        ] {
            assert_eq!(language(None, "", accept), expected, "{accept}");
        }
    }
}
