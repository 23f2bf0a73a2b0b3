//! Where the server is, whose certificate it must have, and with which token to speak.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde::Deserialize;

use crate::failure::Failure;

const URL: &str = "GLOVEBOX_URL";
const CA: &str = "GLOVEBOX_CA";
const TOKEN: &str = "GLOVEBOX_TOKEN";
const PROFILE: &str = "GLOVEBOX_PROFILE";
const AS: &str = "GLOVEBOX_AS";

/// How to reach the server. A token is never an argument: process lists show arguments.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server (a token comes from --token-file, --as with a profile, or GLOVEBOX_TOKEN)")]
pub(crate) struct Connection {
    /// Address of the HTTP face, `https://host:port` [or GLOVEBOX_URL]
    #[arg(long)]
    url: Option<String>,
    /// The certificate to trust, PEM; no other authority is trusted [or GLOVEBOX_CA]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A demo.json or addresses.json that says where the server is [or GLOVEBOX_PROFILE]
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Whose token of the profile: analyst, officer, officer2 or auditor [or GLOVEBOX_AS]
    #[arg(long = "as", value_name = "WHO", conflicts_with = "token_file")]
    who: Option<String>,
}

/// What a `demo.json` or `addresses.json` says; the latter holds no tokens.
#[derive(Debug, Deserialize)]
struct Profile {
    http_url: String,
    ca_cert: PathBuf,
    #[serde(default)]
    tokens: BTreeMap<String, String>,
}

/// A connection with nothing left open.
pub(crate) struct Resolved {
    /// `https://host:port`, without a slash at its end.
    pub(crate) url: String,
    /// The certificate to trust.
    pub(crate) ca: PathBuf,
    /// The token.
    pub(crate) token: String,
}

impl Connection {
    /// Settles everything; arguments go before the environment, and both before the profile.
    pub(crate) fn resolve(&self) -> Result<Resolved, Failure> {
        self.resolve_with(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn resolve_with(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Resolved, Failure> {
        let file = self.profile.clone().or_else(|| environment(PROFILE).map(PathBuf::from));
        let profile = file.as_deref().map(read_profile).transpose()?;
        let known = profile.as_ref();
        let url = self.url.clone().or_else(|| environment(URL)).or_else(|| known.map(|known| known.http_url.clone()));
        let ca = self.ca.clone().or_else(|| environment(CA).map(PathBuf::from));
        let ca = ca.or_else(|| known.map(|known| known.ca_cert.clone()));
        let url = url.ok_or_else(|| missing("where the server is", &format!("--url, {URL} or --profile")))?;
        let ca = ca.ok_or_else(|| missing("which certificate to trust", &format!("--ca, {CA} or --profile")))?;
        if !url.starts_with("https://") {
            return Err(Failure::Usage(format!("`{url}` is not an address of the form https://host:port")));
        }
        let token = self.token(known, environment)?;
        Ok(Resolved { url: url.trim_end_matches('/').to_owned(), ca, token })
    }

    fn token(
        &self,
        profile: Option<&Profile>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        if let Some(path) = &self.token_file {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("`{}` cannot be read", path.display()))?;
            return token_of(&text).ok_or_else(|| anyhow!("`{}` does not hold a token", path.display()).into());
        }
        // A profile that has no tokens goes with a token from the environment.
        let who = self.who.clone().or_else(|| environment(AS).filter(|_| profile.is_some_and(Profile::has_tokens)));
        if let Some(who) = who {
            let profile = profile.ok_or_else(|| Failure::Usage("--as needs a profile".to_owned()))?;
            return profile.tokens.get(&who).and_then(|text| token_of(text)).ok_or_else(|| {
                let names = profile.tokens.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                Failure::Usage(format!("the profile has no token of `{who}`, only of: {names}"))
            });
        }
        match environment(TOKEN) {
            Some(text) => token_of(&text).ok_or_else(|| anyhow!("{TOKEN} does not hold a token").into()),
            None => Err(missing("who asks", &format!("--token-file, {TOKEN}, or --profile with --as"))),
        }
    }
}

impl Profile {
    fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }
}

fn missing(what: &str, ways: &str) -> Failure {
    Failure::Usage(format!("it is not said {what}: give {ways}"))
}

/// A token that a header can carry.
fn token_of(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}

fn read_profile(path: &Path) -> Result<Profile, Failure> {
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let profile = serde_json::from_str(&text).with_context(|| format!("`{}` is not a profile", path.display()));
    let mut profile: Profile = profile?;
    if let Some(folder) = path.parent() {
        profile.ca_cert = folder.join(&profile.ca_cert);
    }
    Ok(profile)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn nothing() -> Connection {
        Connection { url: None, ca: None, token_file: None, profile: None, who: None }
    }

    fn with(set: &[(&'static str, &str)]) -> impl Fn(&str) -> Option<String> {
        let set: BTreeMap<&str, String> = set.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        move |name| set.get(name).cloned()
    }

    fn complaint(connection: &Connection, set: &[(&'static str, &str)]) -> String {
        match connection.resolve_with(&with(set)) {
            Err(Failure::Usage(text)) => text,
            other => format!("{:?}", other.map(|resolved| resolved.url)),
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(complaint(&nothing(), &[]).contains(URL));
        assert!(complaint(&nothing(), &[(URL, "https://h:1")]).contains(CA));
        assert!(complaint(&nothing(), &[(URL, "https://h:1"), (CA, "x")]).contains(TOKEN));
        assert!(complaint(&nothing(), &[(URL, "http://h:1"), (CA, "x"), (TOKEN, "t")]).contains("https://"));
    }

    #[test]
    fn arguments_go_before_the_environment_and_both_before_the_profile() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("demo.json");
        let text = r#"{"http_url":"https://p:1/","flight_url":"x","ca_cert":"ca.pem","tokens":{"analyst":"a"}}"#;
        std::fs::write(&file, text).unwrap();
        let path = file.display().to_string();
        let profile = Connection { profile: Some(file), who: Some("analyst".to_owned()), ..nothing() };
        let got = profile.resolve_with(&with(&[(TOKEN, "e")])).unwrap();
        assert_eq!((got.url.as_str(), got.token.as_str()), ("https://p:1", "a"));
        assert_eq!(got.ca, dir.path().join("ca.pem"));
        let set = [(PROFILE, path.as_str()), (URL, "https://e:1"), (TOKEN, " e\n")];
        let got = nothing().resolve_with(&with(&set)).unwrap();
        assert_eq!((got.url.as_str(), got.token.as_str()), ("https://e:1", "e"));
        let argued = Connection { url: Some("https://a:1".to_owned()), ..nothing() };
        assert_eq!(argued.resolve_with(&with(&set)).unwrap().url, "https://a:1");
        let stranger = Connection { who: Some("nobody".to_owned()), ..nothing() };
        assert!(complaint(&stranger, &set).contains("only of: analyst"));
    }
}
