//! Everything that leaves a bureau: each call of REST and each page as everybody who may knock, what Flight offers, the server's
//! own output, and the files at rest, searched for canaries.
//!
//! The lists of calls and pages are the server's own, so a new one is visited without a change here. What a path needs that
//! is not known here, and a call that nobody was given an answer of, are faults of this suite and turn it red.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use glovebox_policy::Role;
use glovebox_policy::contract::sign_contract;
use glovebox_server::http::ACCESS;
use glovebox_server::web::PAGES;
use serde_json::{Value, json};

use crate::bureau::{Bureau, CONTRACT, DATASET, manifest};
use crate::canary::{CANARY, Patterns, csv};
use crate::job;
use crate::rest::{Got, Rest, multipart};
use crate::wire::Wire;

/// Calls that nobody needs to be answered here: what they give is the card that another call gave, or nothing.
const UNREACHED: &[(&str, &str)] = &[("DELETE", "/jobs/{id}")];
/// What a job does, with everything that came back, in [`job::through`].
const BY_THE_JOB: &[(&str, &str)] =
    &[("POST", "/jobs"), ("POST", "/jobs/{id}/verdicts"), ("POST", "/jobs/{id}/runs"), ("GET", "/jobs/{id}/result")];

/// How a browser says that a form comes from a page of the site.
const OWN_SITE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// What left, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Swept {
    /// How many answers were searched.
    pub answers: usize,
    /// How many bytes they had.
    pub bytes: usize,
    /// Canaries by exit, and exits that were not reached.
    pub wrong: Vec<String>,
}

/// What stands for the parts of a path that vary.
struct Names {
    job: String,
    application: String,
    requests: Vec<String>,
    token: String,
    certificate: String,
    log_size: u64,
}

struct Sweep<'b> {
    bureau: &'b Bureau,
    rest: Rest,
    patterns: &'b Patterns,
    swept: Swept,
    reached: BTreeSet<(&'static str, &'static str)>,
}

/// Fetches everything and searches it.
///
/// # Errors
/// If a way out cannot be gone at all.
pub async fn sweep(bureau: &Bureau, patterns: &Patterns) -> Result<Swept> {
    let rest = Rest::of(bureau)?;
    let reached = BY_THE_JOB.iter().chain(UNREACHED).copied().collect();
    let mut sweep = Sweep { bureau, rest, patterns, swept: Swept::default(), reached };
    let names = sweep.things_happen().await?;
    sweep.calls(&names).await?;
    sweep.pages(&names).await?;
    for token in [&bureau.tokens.analyst, &bureau.tokens.officer, &bureau.tokens.auditor] {
        for (name, bytes) in Wire::connect(bureau, token).await?.look_through().await? {
            sweep.search(&format!("Flight {name}"), &bytes);
        }
    }
    sweep.search("the server's own output", &bureau.log());
    for file in bureau.state_files() {
        sweep.search(&format!("the file {}", file.display()), &std::fs::read(&file).unwrap_or_default());
    }
    for access in ACCESS.iter().filter(|access| !sweep.reached.contains(&(access.method, access.path))) {
        sweep.swept.wrong.push(format!("nobody was answered at {} {}", access.method, access.path));
    }
    Ok(sweep.swept)
}

impl Sweep<'_> {
    fn search(&mut self, exit: &str, bytes: &[u8]) {
        self.swept.answers += 1;
        self.swept.bytes += bytes.len();
        if let Some(canary) = self.patterns.found(bytes) {
            self.swept.wrong.push(format!("{canary} left by {exit}"));
        }
    }

    fn search_got(&mut self, exit: &str, got: &Got) {
        self.search(exit, &[got.head.as_slice(), &got.body].concat());
    }

    /// One call; notes whether it was answered.
    async fn call(
        &mut self,
        route: (&'static str, &'static str),
        path: &str,
        token: &str,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Got> {
        let got = self.rest.api(route.0, path, token, body).await?;
        if (200..300).contains(&got.status) {
            self.reached.insert(route);
        }
        self.search_got(&format!("{} {path}", route.0), &got);
        Ok(got)
    }

    /// So that there is something to see: a release, a job, people, tokens, a second dataset and contract, a freeze.
    async fn things_happen(&mut self) -> Result<Names> {
        let tokens = &self.bureau.tokens;
        let (officer, analyst) = (tokens.officer.as_str(), tokens.analyst.as_str());
        let sql = json!({ "sql": format!("SELECT year, AVG(cost) FROM {DATASET} GROUP BY year") });
        let asked = self.call(("POST", "/sql"), "/sql", analyst, json_body(&sql)).await?;
        let release = job::request_of(&asked.json()).context("a release without request")?;
        let (job, job_release, answers) = job::through(self.bureau, &self.rest).await?;
        for got in &answers {
            self.search_got("a step of the job", got);
        }
        self.uploads().await?;
        let application = self.applications().await?;
        let contract = CONTRACT.replace("firm-visits", "firm-visits-2").replace("0.9", "0.01");
        let envelope = serde_json::to_vec(&sign_contract(&contract, &tokens.key)?)?;
        self.call(("POST", "/contracts"), "/contracts", officer, Some(("application/json", envelope))).await?;
        let person = json!({ "person": "newcomer", "org": "firm", "role": "analyst", "name": "New" });
        self.call(("POST", "/people"), "/people", officer, json_body(&person)).await?;
        let fingerprint = "ab".repeat(32);
        let certificate = json!({ "person": "newcomer", "fingerprint": fingerprint });
        self.call(("POST", "/certificates"), "/certificates", officer, json_body(&certificate)).await?;
        for frozen in [true, false] {
            let freeze = json!({ "kind": "person", "name": "newcomer", "frozen": frozen, "reason": "an inquiry" });
            self.call(("POST", "/freezes"), "/freezes", officer, json_body(&freeze)).await?;
        }
        let new = json!({ "person": "newcomer", "days": 1 });
        self.call(("POST", "/tokens"), "/tokens", officer, json_body(&new)).await?;
        let listed = self.call(("GET", "/tokens"), "/tokens?person=newcomer", officer, None).await?.json();
        let certificates = self.call(("GET", "/certificates"), "/certificates", officer, None).await?.json();
        let log = self.call(("GET", "/log"), "/log?start=0&count=1", officer, None).await?.json();
        Ok(Names {
            job,
            application,
            requests: vec![release, job_release],
            token: first_digest(&listed, "tokens").unwrap_or_default(),
            certificate: first_digest(&certificates, "certificates").unwrap_or(fingerprint),
            log_size: log.get("size").and_then(Value::as_u64).context("a log without size")?,
        })
    }

    /// One application that is turned down, and one that waits, whose name this gives.
    async fn applications(&mut self) -> Result<String> {
        let (analyst, officer) = (self.bureau.tokens.analyst.as_str(), self.bureau.tokens.officer.as_str());
        let settled = ["id =", "org =", "budget_domain ="];
        let asked: Vec<&str> =
            CONTRACT.lines().filter(|line| !settled.iter().any(|key| line.starts_with(key))).collect();
        let text = format!("why = \"a model of costs\"\n{}\n", asked.join("\n").replace("_rho = 0.9", "_rho = 0.01"));
        let mut last = String::new();
        for _ in 0..2 {
            if !last.is_empty() {
                let (path, no) =
                    (format!("/applications/{last}/rejection"), json!({ "reason": "not for this purpose" }));
                self.call(("POST", "/applications/{id}/rejection"), &path, officer, json_body(&no)).await?;
            }
            let body = json!({ "application": text });
            let made = self.call(("POST", "/applications"), "/applications", analyst, json_body(&body)).await?;
            last = made.text("id");
        }
        Ok(last)
    }

    /// What an officer uploads: rows that fit, rows that do not, and rows for a draft.
    async fn uploads(&mut self) -> Result<()> {
        let officer = self.bureau.tokens.officer.as_str();
        let rows = csv(true);
        let bad = rows.replace(",east,", &format!(",{CANARY}-east,")).replace(",1,", &format!(",{CANARY},"));
        let other = manifest(None, true).replace("medical.visits", "medical.more");
        for rows in [bad.as_str(), "no,such,columns\n1,2,3\n", rows.as_str()] {
            let parts: [(&str, Option<&str>, &[u8]); 2] =
                [("manifest", None, other.as_bytes()), ("file", Some("visits.csv"), rows.as_bytes())];
            let (kind, body) = multipart(&parts);
            self.call(("POST", "/datasets"), "/datasets", officer, Some((&kind, body))).await?;
        }
        let (kind, body) = multipart(&[("file", Some("visits.csv"), rows.as_bytes())]);
        self.call(("POST", "/datasets/draft"), "/datasets/draft", officer, Some((&kind, body))).await?;
        Ok(())
    }

    /// Every call as everybody; those that end something come last, with a token made for it.
    async fn calls(&mut self, names: &Names) -> Result<()> {
        let tokens = &self.bureau.tokens;
        for ends in [false, true] {
            for access in ACCESS.iter().filter(|access| (access.method == "DELETE") == ends) {
                for path in paths(access.path, names)? {
                    for token in ["", &tokens.analyst, &tokens.officer, &tokens.auditor] {
                        let own =
                            if ends && !token.is_empty() { self.throwaway(token).await? } else { token.to_owned() };
                        let body = (access.method == "POST").then(|| ("application/json", b"{}".to_vec()));
                        self.call((access.method, access.path), &path, &own, body).await?;
                    }
                }
            }
        }
        for (method, path) in
            [("GET", "/nothing"), ("PUT", "/sql"), ("GET", "/datasets/medical.nothing"), ("GET", "/%00")]
        {
            let got = self.rest.api(method, path, &tokens.analyst, None).await?;
            self.search_got(&format!("{method} {path}"), &got);
        }
        Ok(())
    }

    /// Another token of the same person.
    async fn throwaway(&self, token: &str) -> Result<String> {
        let me = self.rest.api("GET", "/me", token, None).await?.text("person");
        let ask = json!({ "person": me, "days": 1 });
        Ok(self.rest.api("POST", "/tokens", token, json_body(&ask)).await?.text("token"))
    }

    /// Every page in both languages as everybody.
    async fn pages(&mut self, names: &Names) -> Result<()> {
        let tokens = &self.bureau.tokens;
        for token in ["", &tokens.analyst, &tokens.officer, &tokens.auditor] {
            let cookie = if token.is_empty() { String::new() } else { self.sign_in(token).await? };
            for page in PAGES.iter().filter(|page| page.path != "/sign-out") {
                for (path, language) in paths(page.path, names)?.iter().flat_map(|path| [(path, "zh"), (path, "en")]) {
                    // Files are in no language, and their path takes the contract alone; a page takes nothing that a call takes.
                    let bare = path.split('?').next().unwrap_or_default();
                    let is_file = page.path.starts_with("/releases/");
                    let path = if is_file { path.clone() } else { format!("{bare}?lang={language}") };
                    let form =
                        (page.method == "POST").then(|| ("application/x-www-form-urlencoded", b"token=x".to_vec()));
                    let got = self.rest.call(page.method, &path, &[OWN_SITE, ("cookie", &cookie)], form).await?;
                    let may_see = page.roles.iter().any(|role| self.is_of(token, *role));
                    let is_fine = got.status < 400 || page.method == "POST" || !may_see;
                    if !is_fine {
                        self.swept.wrong.push(format!("the page {path} has the status {}", got.status));
                    }
                    self.search_got(&format!("the page {path}"), &got);
                }
            }
        }
        Ok(())
    }

    /// Whether a token is of somebody with this role.
    fn is_of(&self, token: &str, role: Role) -> bool {
        let tokens = &self.bureau.tokens;
        token
            == match role {
                Role::Analyst => tokens.analyst.as_str(),
                Role::Officer => &tokens.officer,
                Role::Auditor => &tokens.auditor,
            }
    }

    async fn sign_in(&mut self, token: &str) -> Result<String> {
        let form = format!("token={token}&next=%2Fjobs").into_bytes();
        let form = Some(("application/x-www-form-urlencoded", form));
        let got = self.rest.call("POST", "/sign-in", &[OWN_SITE], form).await?;
        let head = String::from_utf8_lossy(&got.head).into_owned();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).context("no cookie")?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }
}

fn json_body(value: &Value) -> Option<(&'static str, Vec<u8>)> {
    Some(("application/json", value.to_string().into_bytes()))
}

fn first_digest(body: &Value, list: &str) -> Option<String> {
    let first = body.get(list)?.as_array()?.first()?;
    ["digest", "fingerprint"].iter().find_map(|key| Some(first.get(key)?.as_str()?.to_owned()))
}

/// The paths that a route stands for.
fn paths(route: &str, names: &Names) -> Result<Vec<String>> {
    let partial = names.log_size % 256;
    let values = |place: &str| -> Result<Vec<String>> {
        Ok(match place {
            "{name}" => vec![DATASET.to_owned()],
            "{id}" if route.starts_with("/contracts") => vec!["firm-visits".to_owned()],
            "{id}" if route.starts_with("/applications") => vec![names.application.clone()],
            "{id}" if route.starts_with("/jobs") => vec![names.job.clone()],
            "{request}" => names.requests.clone(),
            "{part}" => ["result", "certificate", "entry", "proof"].map(str::to_owned).to_vec(),
            "{digest}" if route.starts_with("/tokens") => vec![names.token.clone()],
            "{digest}" => vec![names.certificate.clone()],
            "{leaf}" => (0..names.log_size).map(|leaf| leaf.to_string()).collect(),
            "{*path}" => vec![format!("0/000.p/{partial}"), format!("entries/000.p/{partial}")],
            other => bail!("{route}: what stands for {other}? Give it a value in server/siege/src/exits.rs"),
        })
    };
    let mut all = vec![String::new()];
    for part in route.split('/').skip(1) {
        let options = if part.starts_with('{') { values(part)? } else { vec![part.to_owned()] };
        all = all.iter().flat_map(|path| options.iter().map(move |option| format!("{path}/{option}"))).collect();
    }
    let query = match route {
        "/datasets/{name}/twin" => "?rows=200&seed=1",
        "/log" => "?start=0&count=1000",
        "/log/consistency" => &format!("?old=1&new={}", names.log_size),
        "/applications/{id}/draft" => "?contract=firm-more",
        "/releases/{request}/{part}" => "?contract=firm-visits",
        _ => "",
    };
    Ok(all.into_iter().map(|path| format!("{path}{query}")).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn names() -> Names {
        let text = |text: &str| text.to_owned();
        Names {
            job: text("j-1"),
            application: text("a-1"),
            requests: vec![text("r1"), text("r2")],
            token: text("t"),
            certificate: text("c"),
            log_size: 3,
        }
    }

    /// A new call or page with a part that varies must say here what stands for it.
    #[test]
    fn every_route_has_paths() {
        let routes = ACCESS.iter().map(|access| access.path).chain(PAGES.iter().map(|page| page.path));
        for route in routes {
            let paths = paths(route, &names()).unwrap();
            assert!(!paths.is_empty() && paths.iter().all(|path| !path.contains('{')), "{route}: {paths:?}");
        }
        assert!(paths("/new/{thing}", &names()).is_err());
        assert_eq!(paths("/releases/{request}/{part}", &names()).unwrap().len(), 8);
        assert_eq!(paths("/", &names()).unwrap(), ["/"]);
    }

    #[test]
    fn exceptions_are_calls() {
        for (method, path) in UNREACHED.iter().chain(BY_THE_JOB) {
            assert!(ACCESS.iter().any(|access| access.method == *method && access.path == *path), "{method} {path}");
        }
    }
}
