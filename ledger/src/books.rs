//! The audit of the books: every running total is recomputed from the facts beneath it, and the facts are compared with
//! what the log tells of them.

use glovebox_policy::Digest;
use rusqlite::Connection;

use crate::error::LedgerError;
use crate::store::Ledger;
use crate::{job_read, row};

/// Each finds rows that must not exist, and says what they would mean.
const FAULTS: [(&str, &str); 32] = [
    (
        "a domain's total is not the sum of its charges",
        "SELECT 1 FROM domain d WHERE (spent_rho, spent_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM charge c WHERE c.domain = d.domain)",
    ),
    (
        "a contract's total is not the sum of its debits",
        "SELECT 1 FROM contract k WHERE (debited_rho, debited_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM debit d WHERE d.contract = k.contract)",
    ),
    (
        "a day's total is not the sum of its debits",
        "SELECT 1 FROM contract_day t WHERE (debited_rho, debited_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM debit d
              WHERE d.contract = t.contract AND d.day = t.day)",
    ),
    (
        "a debit belongs to no counted day",
        "SELECT 1 FROM debit d WHERE NOT EXISTS
             (SELECT 1 FROM contract_day t WHERE t.contract = d.contract AND t.day = d.day)",
    ),
    (
        "a debit is not of its request's cost",
        "SELECT 1 FROM debit d JOIN charge c ON c.request = d.request WHERE (d.rho, d.delta) IS NOT (c.rho, c.delta)",
    ),
    (
        "a charge was not debited to the contract that asked first",
        "SELECT 1 FROM charge c WHERE NOT EXISTS
             (SELECT 1 FROM debit d WHERE d.request = c.request AND d.contract = c.contract)",
    ),
    (
        "the attempts of a request are not numbered 1, 2, …",
        "SELECT 1 FROM charge c WHERE (SELECT count(*) FROM attempt a WHERE a.request = c.request) IS NOT
             (SELECT max(number) FROM attempt a WHERE a.request = c.request)",
    ),
    ("a request is both released and lost", "SELECT 1 FROM release r JOIN lost l ON l.request = r.request"),
    (
        "a domain is not what its log entry says",
        "SELECT 1 FROM domain f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.domain, t.cap_rho, t.cap_delta) IS NOT ('domain', f.domain, f.cap_rho, f.cap_delta)",
    ),
    (
        "a contract is not what its log entry says",
        "SELECT 1 FROM contract f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.contract, t.domain, t.terms, t.officers, t.allotment_rho, t.allotment_delta)
             IS NOT ('contract', f.contract, f.domain, lower(hex(f.digest)), f.officers, f.allotment_rho,
                 f.allotment_delta)",
    ),
    (
        "a charge is not what its log entry says",
        "SELECT 1 FROM charge f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.request, t.domain, t.rho, t.delta)
             IS NOT ('charge', lower(hex(f.request)), f.domain, f.rho, f.delta)",
    ),
    (
        "a debit is not what its log entry says",
        "SELECT 1 FROM debit f JOIN told t ON t.seq = f.leaf WHERE
             (t.request, t.contract, t.person, t.decision, t.time, t.rho, t.delta, t.price)
             IS NOT (lower(hex(f.request)), f.contract, f.person, lower(hex(f.decision)), f.at, f.rho, f.delta, f.price)",
    ),
    (
        "a release is not what its log entry says",
        "SELECT 1 FROM release f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.request, t.body, t.claims)
             IS NOT ('release', lower(hex(f.request)), lower(hex(f.digest)), lower(hex(f.claims_digest)))",
    ),
    (
        "a job is not what its log entry says",
        "SELECT 1 FROM job f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.job, t.person, t.org, t.contract, t.manifest, t.module, t.time, t.expires)
             IS NOT ('job', f.job, f.person, f.org, f.contract, lower(hex(f.manifest_digest)),
                 lower(hex(f.module_digest)), f.submitted_at, f.expires_at)",
    ),
    (
        "a verdict is not what its log entry says",
        "SELECT 1 FROM verdict f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.job, t.person, t.envelope, t.time)
             IS NOT ('verdict', f.job, f.person, lower(hex(f.digest)), f.at)",
    ),
    (
        "an outcome is not what its log entry says",
        "SELECT 1 FROM outcome f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.job, t.decision, t.time, t.execute_by, t.max_executions)
             IS NOT ('outcome', f.job, f.decision, f.at,
                 (SELECT min(v.execute_by) FROM verdict v WHERE v.job = f.job),
                 (SELECT min(v.max_executions) FROM verdict v WHERE v.job = f.job))",
    ),
    (
        "an outcome is not that of the job's verdicts",
        "SELECT 1 FROM job j JOIN contract k ON k.contract = j.contract LEFT JOIN outcome f ON f.job = j.job WHERE
             f.decision IS NOT CASE
                 WHEN (SELECT count(*) FROM verdict v WHERE v.job = j.job) < k.officers THEN NULL
                 WHEN EXISTS (SELECT 1 FROM verdict v WHERE v.job = j.job AND v.decision <> 'approve') THEN 'reject'
                 ELSE 'approve' END",
    ),
    (
        "a person is not what the log entry says",
        "SELECT 1 FROM person f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.person, t.org, t.role) IS NOT ('person', f.person, f.org, f.role)",
    ),
    (
        "an officer's key is not what its log entry says",
        "SELECT 1 FROM officer_key f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.person, t.key) IS NOT ('officer-key', f.person, lower(hex(f.public_key)))",
    ),
    (
        "a token or a client certificate is not what its log entry says",
        "SELECT 1 FROM token f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.person, t.token, t.expires) IS NOT ('token', f.person, lower(hex(f.digest)), f.expires_at)
         UNION ALL SELECT 1 FROM client_certificate f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.person, t.officer, t.fingerprint)
             IS NOT ('client-certificate', f.person, f.officer, lower(hex(f.fingerprint)))",
    ),
    (
        "the log tells of a debit that is not there",
        "SELECT 1 FROM told WHERE (kind = 'charge' OR kind IN ('reuse', 'join', 'resume') AND debited = 1)
             AND seq NOT IN (SELECT leaf FROM debit)",
    ),
    (
        "a freeze is not what its log entry says",
        "SELECT 1 FROM freeze f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.subject, t.name, t.frozen, t.person, t.why, t.time)
             IS NOT ('freeze', f.kind, f.name, f.frozen, f.officer, lower(hex(f.why_digest)), f.at)",
    ),
    (
        "an application is not what its log entry says",
        "SELECT 1 FROM application f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.application, t.person, t.org, t.dataset, t.text, t.time)
             IS NOT ('application', f.application, f.person, f.org, f.dataset, lower(hex(f.digest)), f.at)",
    ),
    (
        "an application's end is not what its log entry says",
        "SELECT 1 FROM application_end f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.application, t.decision, t.person, t.detail, t.time)
             IS NOT ('application-end', f.application, f.decision, f.person, lower(hex(f.digest)), f.at)",
    ),
    (
        "an application was granted by no contract of its firm on its dataset",
        "SELECT 1 FROM application_end f JOIN application a ON a.application = f.application
             LEFT JOIN contract k ON k.contract = f.detail WHERE f.decision = 'granted' AND
             (k.org, k.dataset, k.signer) IS NOT (a.org, a.dataset, f.person)",
    ),
    (
        "a cancellation is not what its log entry says",
        "SELECT 1 FROM cancellation f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.job, t.person, t.time) IS NOT ('job-cancelled', f.job, f.person, f.at)",
    ),
    (
        "a run of a job is not what its log entry says",
        "SELECT 1 FROM job_run f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.job, t.number, t.request, t.time)
             IS NOT ('job-run', f.job, f.number, lower(hex(f.request)), f.at)",
    ),
    (
        "a certificate is not what its log entry says",
        "SELECT 1 FROM certificate f JOIN told t ON t.seq = f.leaf JOIN release r ON r.request = f.request
             JOIN debit d ON d.request = f.request AND d.contract = f.contract WHERE
             (t.kind, t.request, t.contract, t.certificate, t.body, t.time)
             IS NOT ('certificate', lower(hex(f.request)), f.contract, lower(hex(f.digest)), lower(hex(r.digest)), d.at)",
    ),
    (
        "a release has no certificate of the contract that it was run for",
        "SELECT 1 FROM release r JOIN attempt a ON a.request = r.request AND a.number = r.attempt WHERE NOT EXISTS
             (SELECT 1 FROM certificate c WHERE c.request = r.request AND c.contract = a.contract)",
    ),
    (
        "a job ran that was not approved, too late or too often, or for a request that its contract did not pay",
        "SELECT 1 FROM job_run f JOIN job j ON j.job = f.job WHERE
             NOT EXISTS (SELECT 1 FROM outcome o WHERE o.job = f.job AND o.decision = 'approve')
             OR EXISTS (SELECT 1 FROM verdict v WHERE v.job = f.job
                 AND (v.decision <> 'approve' OR v.max_executions < f.number OR v.execute_by <= f.at))
             OR EXISTS (SELECT 1 FROM cancellation c WHERE c.job = f.job)
             OR NOT EXISTS (SELECT 1 FROM debit d WHERE d.request = f.request AND d.contract = j.contract)",
    ),
    (
        "the runs of a job are not numbered 1, 2, …",
        "SELECT 1 FROM job j WHERE (SELECT count(*) FROM job_run f WHERE f.job = j.job) IS NOT
             (SELECT coalesce(max(number), 0) FROM job_run f WHERE f.job = j.job)",
    ),
    (
        "the log tells of a fact that is not there",
        "SELECT 1 FROM told WHERE
             (kind = 'domain' AND seq NOT IN (SELECT leaf FROM domain))
             OR (kind = 'contract' AND seq NOT IN (SELECT leaf FROM contract))
             OR (kind = 'charge' AND seq NOT IN (SELECT leaf FROM charge))
             OR (kind = 'release' AND seq NOT IN (SELECT leaf FROM release))
             OR (kind = 'lost' AND seq NOT IN (SELECT leaf FROM lost))
             OR (kind = 'job' AND seq NOT IN (SELECT leaf FROM job))
             OR (kind = 'outcome' AND seq NOT IN (SELECT leaf FROM outcome))
             OR (kind = 'freeze' AND seq NOT IN (SELECT leaf FROM freeze))
             OR (kind = 'application' AND seq NOT IN (SELECT leaf FROM application))
             OR (kind = 'application-end' AND seq NOT IN (SELECT leaf FROM application_end))
             OR (kind = 'verdict' AND seq NOT IN (SELECT leaf FROM verdict))
             OR (kind = 'job-cancelled' AND seq NOT IN (SELECT leaf FROM cancellation))
             OR (kind = 'job-run' AND seq NOT IN (SELECT leaf FROM job_run))
             OR (kind = 'certificate' AND seq NOT IN (SELECT leaf FROM certificate))",
    ),
];

/// The log's entries as columns, in front of every query that compares facts with them.
const TOLD: &str = "WITH parsed AS (SELECT seq, CAST(entry AS TEXT) AS e FROM log_entry),
    told AS (SELECT seq, e ->> 'kind' AS kind, e ->> 'domain' AS domain, e ->> 'contract' AS contract,
        e ->> 'request' AS request, e ->> 'terms' AS terms, e ->> 'body' AS body, e ->> 'claims' AS claims,
        e ->> 'certificate' AS certificate, e ->> 'job' AS job, e ->> 'person' AS person, e ->> 'org' AS org,
        e ->> 'manifest' AS manifest, e ->> 'module' AS module, e ->> 'envelope' AS envelope,
        e ->> 'decision' AS decision, e ->> 'subject' AS subject,
        e ->> 'application' AS application, e ->> 'dataset' AS dataset, e ->> 'text' AS text, e ->> 'detail' AS detail, e ->> 'role' AS role,
        e ->> 'key' AS key, e ->> 'token' AS token, e ->> 'officer' AS officer, e ->> 'fingerprint' AS fingerprint,
        e ->> 'debited' AS debited, e ->> 'name' AS name, e ->> 'why' AS why,
        e ->> 'frozen' AS frozen, e ->> 'time' AS time, e ->> 'expires' AS expires, e ->> 'number' AS number,
        e ->> 'execute_by' AS execute_by, e ->> 'max_executions' AS max_executions, e ->> 'officers' AS officers,
        e ->> 'price' AS price, CAST(e ->> 'rho' AS INTEGER) AS rho, CAST(e ->> 'delta' AS INTEGER) AS delta,
        CAST(e ->> 'cap_rho' AS INTEGER) AS cap_rho, CAST(e ->> 'cap_delta' AS INTEGER) AS cap_delta,
        CAST(e ->> 'allotment_rho' AS INTEGER) AS allotment_rho,
        CAST(e ->> 'allotment_delta' AS INTEGER) AS allotment_delta
        FROM parsed) ";

/// Bytes beside the digest that the log holds of them.
const BYTES: [(&str, &str); 10] = [
    ("a release was changed", "SELECT body, digest FROM release"),
    ("the claims of a release were changed", "SELECT claims, claims_digest FROM release"),
    ("the manifest of a job was changed", "SELECT manifest, manifest_digest FROM job"),
    ("the module of a job was changed", "SELECT module, module_digest FROM job"),
    ("the envelope of a verdict was changed", "SELECT envelope, digest FROM verdict"),
    ("what a decision rested on was changed", "SELECT record, digest FROM decision"),
    ("the text of an application was changed", "SELECT CAST(text AS BLOB), digest FROM application"),
    ("how an application ended was changed", "SELECT CAST(detail AS BLOB), digest FROM application_end"),
    ("the reason of a freeze was changed", "SELECT CAST(why AS BLOB), why_digest FROM freeze"),
    ("a certificate was changed", "SELECT envelope, digest FROM certificate"),
];

/// A contract's promise, as the invariant of the module `contract` has it, at the last seen instant.
const OVER_PROMISED: &str = "SELECT 1 FROM domain d WHERE
    spent_rho + (SELECT coalesce(sum(allotment_rho - debited_rho), 0) FROM contract k
                 WHERE k.domain = d.domain AND k.ends_at > (SELECT last_seen FROM clock)) > cap_rho
    OR spent_delta + (SELECT coalesce(sum(allotment_delta - debited_delta), 0) FROM contract k
                 WHERE k.domain = d.domain AND k.ends_at > (SELECT last_seen FROM clock)) > cap_delta";

impl Ledger {
    /// Recomputes every total from the charges and debits beneath it, compares the facts with the log and stored bytes
    /// with their digests, and asks the store to check itself. Together with [`Ledger::verify_log`] this is the whole audit of a ledger.
    ///
    /// Takes time in proportion to the ledger and holds up the service meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with the first fault; else if the store fails.
    pub fn verify_books(&self) -> Result<(), LedgerError> {
        self.read(|tx| {
            for (what, sql) in FAULTS {
                none(tx, what, sql)?;
            }
            for (what, sql) in BYTES {
                unchanged(tx, what, sql)?;
            }
            // What a verdict says stands in its envelope alone, of which the log has the digest.
            for job in job_read::summaries(tx)? {
                job_read::check_verdicts(tx, &job)?;
            }
            none(tx, "a domain has promised more than it has", OVER_PROMISED)?;
            none(tx, "a row refers to nothing", "SELECT 1 FROM pragma_foreign_key_check")?;
            none(tx, "the file is damaged", "SELECT 1 FROM pragma_quick_check WHERE quick_check <> 'ok'")
        })
    }
}

fn none(tx: &Connection, what: &str, sql: &str) -> Result<(), LedgerError> {
    if tx.prepare(&format!("{TOLD}{sql}"))?.exists([])? { Err(LedgerError::Corrupt(what.to_owned())) } else { Ok(()) }
}

fn unchanged(tx: &Connection, what: &str, sql: &str) -> Result<(), LedgerError> {
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(found) = rows.next()? {
        let bytes = found.get_ref(0)?.as_blob().unwrap_or_default();
        if Digest::of(bytes) != row::digest(found.get(1)?) {
            return Err(LedgerError::Corrupt(what.to_owned()));
        }
    }
    Ok(())
}
