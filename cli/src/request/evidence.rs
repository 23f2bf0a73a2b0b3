//! What a verdict is about, computed here from the bytes that the server sent.
//!
//! INVARIANT (what you see is what you sign): the digests that are signed are computed from the very bytes that were
//! fetched, and the page's from the very text that is shown. Whatever the server says of them must agree, and the page
//! must show them and hold nothing that a terminal does not show; else nothing is signed.

use anyhow::{anyhow, bail, ensure};
use glovebox_engine::job::is_hidden;
use glovebox_policy::contract::CONTRACT_TYPE;
use glovebox_policy::dsse::Envelope;
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
    if let Some(c) = page.chars().find(|c| *c != '\n' && is_hidden(*c)) {
        bail!("the page holds the character {}, which a terminal does not show", c.escape_unicode());
    }
    let shown = [("manifest", subjects.manifest), ("module", subjects.module), ("contract", subjects.contract)];
    for (what, digest) in shown {
        ensure!(page.contains(&digest.to_string()), "the page does not show the digest of the {what}");
    }
    Ok(())
}
