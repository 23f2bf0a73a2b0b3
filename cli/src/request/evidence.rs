//! What a verdict is about, computed here from the bytes that the server sent.
//!
//! INVARIANT (what you see is what you sign): the digests that are signed are computed from the very bytes that were
//! fetched, and the page's from the very text that is shown. Whatever the server says of them must agree, and the page
//! must show them and hold nothing that a terminal does not show; else nothing is signed.

use anyhow::{anyhow, bail, ensure};
use glovebox_policy::contract::CONTRACT_TYPE;
use glovebox_policy::dsse::Envelope;
use glovebox_policy::text::shows_itself;
use glovebox_policy::{Contract, Digest, JobId, JobManifest, NanoEpsilon, Subjects};

use crate::cards::{Job, Review};
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::rest::Rest;

/// A job's page, and the digests of what it is about.
pub(super) struct Evidence {
    pub(super) review: Review,
    pub(super) subjects: Subjects,
    pub(super) page: Digest,
    /// ε of one execution, from the manifest.
    pub(super) epsilon: NanoEpsilon,
}

impl Evidence {
    /// Fetches review, module and card, and checks that they agree.
    ///
    /// # Errors
    /// What the server refuses, or what does not agree.
    pub(super) fn fetch(rest: &Rest, id: &JobId) -> Result<Self, Failure> {
        let job: Job = rest.get(&format!("/jobs/{id}"))?.read()?;
        let review: Review = rest.get(&format!("/jobs/{id}/review"))?.read()?;
        let module = rest.get_bytes(&format!("/jobs/{id}/module"))?;
        Ok(Self::of(id, &job, review, &module).map_err(|what| what.context("the server's answers do not agree"))?)
    }

    fn of(id: &JobId, job: &Job, review: Review, module: &[u8]) -> anyhow::Result<Self> {
        let manifest = JobManifest::parse(&review.manifest)?;
        let text = contract_text(&review.contract)?;
        let contract = Contract::parse(&text)?;
        let subjects = Subjects {
            manifest: Digest::of(review.manifest.as_bytes()),
            module: Digest::of(module),
            contract: Digest::of(text.as_bytes()),
        };
        ensure!(review.job == *id && job.job == *id, "they are about another job");
        ensure!(job.manifest == subjects.manifest, "the manifest is not the one of the job's card");
        ensure!(job.module == subjects.module, "the module is not the one of the job's card");
        ensure!(manifest.module == subjects.module, "the module is not the one that the manifest names");
        ensure!(review.contract_digest == subjects.contract, "the contract's text is not the one that was named");
        ensure!(contract.id == manifest.contract, "the contract is not the one that the manifest names");
        ensure!(contract.dataset == manifest.dataset, "the contract is on another dataset than the manifest names");
        ensure!(review.epsilon_nano == manifest.epsilon.nano(), "epsilon is not the one of the manifest");
        ensure!(review.executions == manifest.executions, "the executions are not those of the manifest");
        check_page(&review.page, &subjects)?;
        let (page, epsilon) = (Digest::of(review.page.as_bytes()), manifest.epsilon);
        Ok(Self { review, subjects, page, epsilon })
    }

    /// The digests, for reading.
    pub(super) fn facts(&self, view: &View) -> Page {
        Page::default()
            .fact(view.words("page sha256", "页面 sha256"), self.page)
            .fact(view.words("manifest sha256", "清单 sha256"), self.subjects.manifest)
            .fact(view.words("module sha256", "模块 sha256"), self.subjects.module)
            .fact(view.words("contract sha256", "合同 sha256"), self.subjects.contract)
    }
}

/// The signed text of a contract. Who signed it is for the server to check: it holds the officers' keys.
fn contract_text(envelope: &str) -> anyhow::Result<String> {
    let envelope: Envelope =
        serde_json::from_str(envelope).map_err(|_| anyhow!("the contract is no signed envelope"))?;
    ensure!(envelope.payload_type == CONTRACT_TYPE, "the contract's envelope holds something else");
    let payload = glovebox_policy::dsse::payload_of(&envelope);
    let text = payload.and_then(|payload| String::from_utf8(payload).ok());
    text.ok_or_else(|| anyhow!("the contract's envelope holds no text"))
}

fn check_page(page: &str, subjects: &Subjects) -> anyhow::Result<()> {
    if let Some(c) = page.chars().find(|c| *c != '\n' && !shows_itself(*c)) {
        bail!("the page holds the character {}, which a terminal does not show as itself", c.escape_unicode());
    }
    // Lines of the service: an author's line, which may hold any digest, does not begin so.
    let shown = [
        ("manifest", "  sha256        ", subjects.manifest),
        ("module", "  sha256        ", subjects.module),
        ("contract", "  its sha256    ", subjects.contract),
    ];
    for (what, head, digest) in shown {
        let line = format!("{head}{digest}");
        ensure!(page.lines().any(|found| found == line), "the page does not show the digest of the {what}");
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use glovebox_policy::contract::sign_contract;
    use ring::rand::SystemRandom;
    use ring::signature::Ed25519KeyPair;
    use serde_json::{Value, json};

    use super::*;

    const MODULE: &[u8] = b"not looked into here";

    const CONTRACT: &str = r#"
id = "acme-visits"
org = "acme"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2120-01-01T00:00:00Z"
budget = { allotment_rho = 0.2, per_day_rho = 0.1 }
per_query = { max_epsilon = 1.0, max_delta = 1e-6, default_epsilon = 0.5, default_delta = 1e-9, max_groups_contributed = 2 }
grants = [{ roles = ["wasmInput"], columns = ["visits"] }]
"#;

    fn manifest() -> String {
        format!(
            r#"
name = "rows"
kind = "map"
dataset = "medical.visits"
contract = "acme-visits"
purpose = "ai-research"
module = {{ sha256 = "{}", fuel = 1000 }}
input = {{ columns = ["visits"] }}
output = {{ keys = ["a"], basis = "x", max_rows = 1, max_keys = 1, count_units = true, default = {{ key = "a" }} }}
privacy = {{ epsilon = 1.0, delta = 1e-9 }}
"#,
            Digest::of(MODULE)
        )
    }

    /// The lines of a page that this program looks for.
    fn page(manifest: Digest, module: Digest, contract: Digest) -> String {
        format!(
            "Job request j-1\n  its sha256    {contract}\n[1]\n  sha256        {manifest}\n[2]\n  sha256        {module}\n"
        )
    }

    /// The card and the review that an honest server sends.
    fn answers() -> (Value, Value) {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        let contract = serde_json::to_string(&sign_contract(CONTRACT, &key).unwrap()).unwrap();
        let manifest = manifest();
        let [text, code, terms] = [manifest.as_bytes(), MODULE, CONTRACT.as_bytes()].map(Digest::of);
        let card = json!({
            "job": "j-1", "name": "rows", "state": "submitted", "org": "acme", "person": "ana",
            "contract": "acme-visits", "manifest": text, "module": code, "submitted": "", "review_until": "",
            "officers": 1, "verdicts": [], "execute_by": null, "max_executions": 0, "cost": { "rho": 0.1, "delta": 0.0 },
            "takes_ms": 1, "result_at": null, "runs": [],
        });
        let review = json!({
            "job": "j-1", "page": page(text, code, terms), "manifest": manifest,
            "contract": contract, "contract_digest": terms, "previous_module": null,
            "epsilon_nano": 1_000_000_000, "executions": 1, "execute_by_unix_s": 2_000_000_000,
        });
        (card, review)
    }

    fn read(card: &Value, review: &Value, module: &[u8]) -> anyhow::Result<Evidence> {
        let job: Job = serde_json::from_value(card.clone()).unwrap();
        Evidence::of(&"j-1".parse().unwrap(), &job, serde_json::from_value(review.clone()).unwrap(), module)
    }

    fn refused(edit: impl FnOnce(&mut Value, &mut Value), what: &str) {
        let (mut card, mut review) = answers();
        edit(&mut card, &mut review);
        let said = read(&card, &review, MODULE).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains(what), "{what}: {said}");
    }

    fn set(of: &mut Value, field: &str, value: impl Into<Value>) {
        of.as_object_mut().unwrap().insert(field.to_owned(), value.into());
    }

    fn with_page(review: &mut Value, edit: impl FnOnce(&str) -> String) {
        let page = edit(review.get("page").and_then(Value::as_str).unwrap());
        set(review, "page", page);
    }

    #[test]
    fn an_honest_server_is_believed_and_the_digests_are_of_the_bytes() {
        let (card, review) = answers();
        let evidence = read(&card, &review, MODULE).unwrap();
        assert_eq!(evidence.subjects.module, Digest::of(MODULE));
        assert_eq!(evidence.page, Digest::of(evidence.review.page.as_bytes()));
        assert_eq!(evidence.epsilon.nano(), 1_000_000_000);
    }

    #[test]
    fn answers_that_do_not_agree_are_not_signed() {
        let other = Digest::of(b"other").to_string();
        refused(|card, _| set(card, "job", "j-2"), "another job");
        refused(|_, review| set(review, "job", "j-2"), "another job");
        refused(|card, _| set(card, "manifest", other.as_str()), "the manifest is not");
        refused(|card, _| set(card, "module", other.as_str()), "the module is not");
        refused(|_, review| set(review, "contract_digest", other.as_str()), "the contract's text");
        refused(|_, review| set(review, "epsilon_nano", 2_000_000_000), "epsilon");
        refused(|_, review| set(review, "executions", 2), "executions");
        refused(|_, review| set(review, "contract", "{}"), "no signed envelope");
        let (card, review) = answers();
        assert!(read(&card, &review, b"another module").is_err());
        let mut longer = review.clone();
        set(&mut longer, "manifest", manifest() + "# a comment\n");
        assert!(read(&card, &longer, MODULE).is_err());
    }

    #[test]
    fn a_page_that_hides_something_is_not_signed() {
        for hidden in ["\u{1b}[8m", "\u{202e}", "\u{200b}", "\r", "\u{5d0}", "\u{a0}", "\u{301}"] {
            refused(|_, review| with_page(review, |page| page.to_owned() + hidden), "does not show");
        }
        let digest = Digest::of(MODULE).to_string();
        refused(|_, review| with_page(review, |page| page.replace(&digest, "")), "digest of the module");
    }
}
