-- The ledger's tables, version 4.
--
-- Rules that hold for every table:
--   * integers only; a digest or hash is a BLOB of 32 bytes, a name is TEXT;
--   * facts are appended and never change (triggers abort UPDATE and DELETE);
--   * what does change is a running total that only grows, and each has a CHECK against its cap;
--   * every fact names the log leaf that was appended in the same transaction.
-- Privacy loss is in steps: rho in 2^-40, delta in 2^-60. Times are seconds since 1970, UTC.

CREATE TABLE schema_version (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    version  INTEGER NOT NULL
) STRICT;

-- The latest instant that any budget decision was taken at. It never goes back, whatever the system clock does.
CREATE TABLE clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    last_seen INTEGER NOT NULL CHECK (last_seen >= 0)
) STRICT;
CREATE TRIGGER clock_only_forward BEFORE UPDATE ON clock WHEN NEW.last_seen < OLD.last_seen
    BEGIN SELECT RAISE(ABORT, 'the clock never goes back'); END;

-- The log: leaf number `seq` of an RFC 6962 tree. `leaf` is SHA-256(0x00 || entry).
CREATE TABLE log_entry (
    seq   INTEGER PRIMARY KEY CHECK (seq >= 0),
    entry BLOB NOT NULL CHECK (length(entry) BETWEEN 1 AND 65535),
    leaf  BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;
CREATE TRIGGER log_entry_in_order BEFORE INSERT ON log_entry WHEN NEW.seq <> (SELECT size FROM log_head)
    BEGIN SELECT RAISE(ABORT, 'log entries are appended in order'); END;

-- The tree's size and frontier: the roots of its maximal complete subtrees, largest first, 32 bytes each.
CREATE TABLE log_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    size     INTEGER NOT NULL CHECK (size >= 0),
    frontier BLOB NOT NULL CHECK (length(frontier) % 32 = 0)
) STRICT;
CREATE TRIGGER log_head_one_step BEFORE UPDATE ON log_head WHEN NEW.size <> OLD.size + 1
    BEGIN SELECT RAISE(ABORT, 'the log grows by one entry at a time'); END;

-- The inner nodes of the tree that are complete: node `place` of `level` covers the leaves from place * 2^level on, 2^level
-- of them. Level 0 is `log_entry.leaf`. Tiles and proofs read these, so that they cost a few reads at any size.
CREATE TABLE log_node (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 62),
    place INTEGER NOT NULL CHECK (place >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER log_node_with_last_leaf BEFORE INSERT ON log_node
    WHEN ((NEW.place + 1) << NEW.level) <> (SELECT size + 1 FROM log_head)
    BEGIN SELECT RAISE(ABORT, 'a node of the log comes with its last leaf'); END;

-- The verifier key of the log, in the form of c2sp.org/signed-note: one log, one key, one origin.
CREATE TABLE log_key (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    verifier TEXT NOT NULL
) STRICT;

CREATE TABLE person (
    person TEXT PRIMARY KEY,
    org    TEXT NOT NULL,
    role   TEXT NOT NULL CHECK (role IN ('analyst', 'officer', 'auditor')),
    name   TEXT NOT NULL,
    leaf   INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

CREATE TABLE token (
    digest     BLOB PRIMARY KEY CHECK (length(digest) = 32),
    person     TEXT NOT NULL REFERENCES person (person),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    leaf       INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;
CREATE INDEX token_by_person ON token (person);

CREATE TABLE token_revocation (
    digest     BLOB PRIMARY KEY REFERENCES token (digest),
    revoked_at INTEGER NOT NULL,
    leaf       INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

-- A TLS client certificate that stands for a person, by the SHA-256 of its DER. One that was revoked never comes back.
CREATE TABLE client_certificate (
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    person      TEXT NOT NULL REFERENCES person (person),
    officer     TEXT NOT NULL REFERENCES person (person),
    added_at    INTEGER NOT NULL,
    leaf        INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;
CREATE INDEX client_certificate_by_person ON client_certificate (person);

CREATE TABLE client_certificate_revocation (
    fingerprint BLOB PRIMARY KEY REFERENCES client_certificate (fingerprint),
    revoked_at  INTEGER NOT NULL,
    leaf        INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

CREATE TABLE officer_key (
    key_id     TEXT PRIMARY KEY,
    person     TEXT NOT NULL REFERENCES person (person),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    leaf       INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

CREATE TABLE domain (
    domain          TEXT PRIMARY KEY,
    cap_rho         INTEGER NOT NULL CHECK (cap_rho >= 0),
    cap_delta       INTEGER NOT NULL CHECK (cap_delta >= 0),
    published_delta INTEGER NOT NULL CHECK (published_delta >= 0),
    spent_rho       INTEGER NOT NULL DEFAULT 0 CHECK (spent_rho BETWEEN 0 AND cap_rho),
    spent_delta     INTEGER NOT NULL DEFAULT 0 CHECK (spent_delta BETWEEN 0 AND cap_delta),
    leaf            INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;
CREATE TRIGGER domain_fixed BEFORE UPDATE OF domain, cap_rho, cap_delta, published_delta, leaf ON domain
    BEGIN SELECT RAISE(ABORT, 'a domain never changes its caps'); END;
CREATE TRIGGER domain_only_grows BEFORE UPDATE ON domain
    WHEN NEW.spent_rho < OLD.spent_rho OR NEW.spent_delta < OLD.spent_delta
    BEGIN SELECT RAISE(ABORT, 'what is spent stays spent'); END;

CREATE TABLE dataset (
    dataset TEXT PRIMARY KEY,
    domain  TEXT NOT NULL REFERENCES domain (domain),
    leaf    INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

CREATE TABLE snapshot (
    snapshot TEXT PRIMARY KEY,
    dataset  TEXT NOT NULL REFERENCES dataset (dataset),
    manifest BLOB NOT NULL CHECK (length(manifest) = 32),
    person   TEXT NOT NULL REFERENCES person (person),
    leaf     INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;

CREATE TABLE contract (
    contract        TEXT PRIMARY KEY,
    org             TEXT NOT NULL,
    dataset         TEXT NOT NULL REFERENCES dataset (dataset),
    domain          TEXT NOT NULL REFERENCES domain (domain),
    digest          BLOB NOT NULL CHECK (length(digest) = 32),
    envelope        BLOB NOT NULL,
    signer          TEXT NOT NULL REFERENCES person (person),
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL CHECK (ends_at > starts_at),
    allotment_rho   INTEGER NOT NULL CHECK (allotment_rho >= 0),
    allotment_delta INTEGER NOT NULL CHECK (allotment_delta >= 0),
    per_day_rho     INTEGER NOT NULL CHECK (per_day_rho >= 0),
    per_day_delta   INTEGER NOT NULL CHECK (per_day_delta >= 0),
    officers        INTEGER NOT NULL CHECK (officers >= 1),
    debited_rho     INTEGER NOT NULL DEFAULT 0 CHECK (debited_rho BETWEEN 0 AND allotment_rho),
    debited_delta   INTEGER NOT NULL DEFAULT 0 CHECK (debited_delta BETWEEN 0 AND allotment_delta),
    leaf            INTEGER NOT NULL REFERENCES log_entry (seq)
) STRICT;
CREATE INDEX contract_by_domain ON contract (domain, ends_at);
CREATE TRIGGER contract_fixed BEFORE UPDATE OF contract, org, dataset, domain, digest, envelope, signer, starts_at,
    ends_at, allotment_rho, allotment_delta, per_day_rho, per_day_delta, officers, leaf ON contract
    BEGIN SELECT RAISE(ABORT, 'a contract never changes'); END;
CREATE TRIGGER contract_only_grows BEFORE UPDATE ON contract
    WHEN NEW.debited_rho < OLD.debited_rho OR NEW.debited_delta < OLD.debited_delta
    BEGIN SELECT RAISE(ABORT, 'what is debited stays debited'); END;

-- What a contract was debited on one UTC day, counted in days since 1970. The contract's cap is repeated for the CHECK.
CREATE TABLE contract_day (
    contract      TEXT NOT NULL REFERENCES contract (contract),
    day           INTEGER NOT NULL,
    per_day_rho   INTEGER NOT NULL,
    per_day_delta INTEGER NOT NULL,
    debited_rho   INTEGER NOT NULL CHECK (debited_rho BETWEEN 0 AND per_day_rho),
    debited_delta INTEGER NOT NULL CHECK (debited_delta BETWEEN 0 AND per_day_delta),
    PRIMARY KEY (contract, day)
) STRICT;
CREATE TRIGGER contract_day_fixed BEFORE UPDATE OF contract, day, per_day_rho, per_day_delta ON contract_day
    BEGIN SELECT RAISE(ABORT, 'a day never changes its cap'); END;
CREATE TRIGGER contract_day_only_grows BEFORE UPDATE ON contract_day
    WHEN NEW.debited_rho < OLD.debited_rho OR NEW.debited_delta < OLD.debited_delta
    BEGIN SELECT RAISE(ABORT, 'what is debited stays debited'); END;

-- What a policy decision rested on. Debits and log entries name it by its digest.
CREATE TABLE decision (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    record BLOB NOT NULL
) STRICT;

-- A request that was paid for by its domain, once, before any row was read.
CREATE TABLE charge (
    request  BLOB PRIMARY KEY CHECK (length(request) = 32),
    domain   TEXT NOT NULL REFERENCES domain (domain),
    contract TEXT NOT NULL REFERENCES contract (contract),
    person   TEXT NOT NULL REFERENCES person (person),
    snapshot TEXT NOT NULL REFERENCES snapshot (snapshot),
    rho      INTEGER NOT NULL CHECK (rho >= 0),
    delta    INTEGER NOT NULL CHECK (delta >= 0),
    at       INTEGER NOT NULL,
    leaf     INTEGER NOT NULL REFERENCES log_entry (seq),
    CHECK (rho + delta > 0)
) STRICT;

-- One run of a charged request: the first and at most two resumptions after crashes.
CREATE TABLE attempt (
    request  BLOB NOT NULL REFERENCES charge (request),
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND 3),
    contract TEXT NOT NULL REFERENCES contract (contract),
    person   TEXT NOT NULL REFERENCES person (person),
    at       INTEGER NOT NULL,
    leaf     INTEGER NOT NULL REFERENCES log_entry (seq),
    PRIMARY KEY (request, number)
) STRICT;

-- What a contract paid for a request, whether the request was new or its answer stored: at most once each.
CREATE TABLE debit (
    request  BLOB NOT NULL REFERENCES charge (request),
    contract TEXT NOT NULL REFERENCES contract (contract),
    person   TEXT NOT NULL REFERENCES person (person),
    decision BLOB NOT NULL REFERENCES decision (digest),
    at       INTEGER NOT NULL,
    day      INTEGER NOT NULL,
    rho      INTEGER NOT NULL CHECK (rho >= 0),
    delta    INTEGER NOT NULL CHECK (delta >= 0),
    price    INTEGER NOT NULL CHECK (price >= 0),
    leaf     INTEGER NOT NULL REFERENCES log_entry (seq),
    PRIMARY KEY (request, contract)
) STRICT;
CREATE INDEX debit_by_contract ON debit (contract, day);

-- `claims` is what the plan says about the noise, in canonical JSON; certificates repeat it.
CREATE TABLE release (
    request       BLOB PRIMARY KEY REFERENCES charge (request),
    attempt       INTEGER NOT NULL,
    body          BLOB NOT NULL,
    digest        BLOB NOT NULL CHECK (length(digest) = 32),
    claims        BLOB NOT NULL,
    claims_digest BLOB NOT NULL CHECK (length(claims_digest) = 32),
    at            INTEGER NOT NULL,
    leaf          INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    FOREIGN KEY (request, attempt) REFERENCES attempt (request, number)
) STRICT;
CREATE TRIGGER release_not_lost BEFORE INSERT ON release WHEN EXISTS (SELECT 1 FROM lost WHERE request = NEW.request)
    BEGIN SELECT RAISE(ABORT, 'a lost request is never released'); END;

CREATE TABLE lost (
    request BLOB PRIMARY KEY REFERENCES charge (request),
    attempt INTEGER NOT NULL,
    person  TEXT NOT NULL REFERENCES person (person),
    at      INTEGER NOT NULL,
    leaf    INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    FOREIGN KEY (request, attempt) REFERENCES attempt (request, number)
) STRICT;
CREATE TRIGGER lost_not_released BEFORE INSERT ON lost WHEN EXISTS (SELECT 1 FROM release WHERE request = NEW.request)
    BEGIN SELECT RAISE(ABORT, 'a released request is never lost'); END;
CREATE INDEX lost_by_person ON lost (person);

-- What officers froze and let go: where a subject stands is what its last row says.
CREATE TABLE freeze (
    leaf       INTEGER PRIMARY KEY REFERENCES log_entry (seq),
    kind       TEXT NOT NULL CHECK (kind IN ('dataset', 'contract', 'person')),
    name       TEXT NOT NULL,
    frozen     INTEGER NOT NULL CHECK (frozen IN (0, 1)),
    officer    TEXT NOT NULL REFERENCES person (person),
    why        TEXT NOT NULL,
    why_digest BLOB NOT NULL CHECK (length(why_digest) = 32),
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX freeze_by_subject ON freeze (kind, name, leaf);

-- A job as it was handed in: one request for review. Verdicts and certificates name its bytes by their digests.
CREATE TABLE job (
    job             TEXT PRIMARY KEY,
    person          TEXT NOT NULL REFERENCES person (person),
    org             TEXT NOT NULL,
    contract        TEXT NOT NULL REFERENCES contract (contract),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    module_digest   BLOB NOT NULL CHECK (length(module_digest) = 32),
    submitted_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL CHECK (expires_at > submitted_at),
    leaf            INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    -- Last, so that the columns before them are read without the pages that these fill.
    manifest        BLOB NOT NULL,
    module          BLOB NOT NULL
) STRICT;
CREATE INDEX job_by_org ON job (org, submitted_at);

-- What an officer signed about a job: at most once for each officer.
CREATE TABLE verdict (
    job            TEXT NOT NULL REFERENCES job (job),
    person         TEXT NOT NULL REFERENCES person (person),
    decision       TEXT NOT NULL CHECK (decision IN ('approve', 'reject')),
    envelope       BLOB NOT NULL,
    digest         BLOB NOT NULL CHECK (length(digest) = 32),
    execute_by     INTEGER NOT NULL,
    max_executions INTEGER NOT NULL CHECK (max_executions BETWEEN 1 AND 4294967295),
    at             INTEGER NOT NULL,
    leaf           INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    PRIMARY KEY (job, person)
) STRICT;
-- What came of all verdicts on a job: made with the last of them.
CREATE TABLE outcome (
    job      TEXT PRIMARY KEY REFERENCES job (job),
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'reject')),
    at       INTEGER NOT NULL,
    leaf     INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq)
) STRICT;
CREATE TRIGGER verdict_not_decided BEFORE INSERT ON verdict
    WHEN EXISTS (SELECT 1 FROM outcome WHERE job = NEW.job)
    BEGIN SELECT RAISE(ABORT, 'nobody decides on a decided job'); END;
CREATE TRIGGER verdict_not_cancelled BEFORE INSERT ON verdict
    WHEN EXISTS (SELECT 1 FROM cancellation WHERE job = NEW.job)
    BEGIN SELECT RAISE(ABORT, 'nobody decides on a cancelled job'); END;

CREATE TABLE cancellation (
    job    TEXT PRIMARY KEY REFERENCES job (job),
    person TEXT NOT NULL REFERENCES person (person),
    at     INTEGER NOT NULL,
    leaf   INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq)
) STRICT;

-- A charged request that a job was run for, numbered 1, 2, … within what its approval allows.
CREATE TABLE job_run (
    job     TEXT NOT NULL REFERENCES job (job),
    number  INTEGER NOT NULL CHECK (number >= 1),
    request BLOB NOT NULL REFERENCES charge (request),
    at      INTEGER NOT NULL,
    leaf    INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    PRIMARY KEY (job, number),
    UNIQUE (job, request)
) STRICT;
CREATE TRIGGER job_run_in_order BEFORE INSERT ON job_run
    WHEN NEW.number <> (SELECT count(*) + 1 FROM job_run WHERE job = NEW.job)
    BEGIN SELECT RAISE(ABORT, 'the runs of a job are numbered in order'); END;
CREATE TRIGGER job_run_approved BEFORE INSERT ON job_run
    WHEN (SELECT count(*) FROM verdict WHERE job = NEW.job)
            < (SELECT k.officers FROM contract k JOIN job j ON j.contract = k.contract WHERE j.job = NEW.job)
        OR EXISTS (SELECT 1 FROM verdict WHERE job = NEW.job AND decision <> 'approve')
        OR EXISTS (SELECT 1 FROM cancellation WHERE job = NEW.job)
    BEGIN SELECT RAISE(ABORT, 'only an approved job runs'); END;
CREATE TRIGGER job_run_within BEFORE INSERT ON job_run
    WHEN EXISTS (SELECT 1 FROM verdict WHERE job = NEW.job
        AND (max_executions < NEW.number OR execute_by <= NEW.at))
    BEGIN SELECT RAISE(ABORT, 'a job runs no more often and no later than approved'); END;

-- What a contract holds in its hand of a release: one for each contract, and only for what was released and paid for.
CREATE TABLE certificate (
    request  BLOB NOT NULL REFERENCES release (request),
    contract TEXT NOT NULL,
    envelope BLOB NOT NULL,
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    leaf     INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq),
    PRIMARY KEY (request, contract),
    FOREIGN KEY (request, contract) REFERENCES debit (request, contract)
) STRICT;

-- What firms asked for, and what became of it: one end at most. `detail` is the contract, the reason, or empty.
CREATE TABLE application (
    application TEXT PRIMARY KEY,
    person      TEXT NOT NULL REFERENCES person (person),
    org         TEXT NOT NULL,
    dataset     TEXT NOT NULL REFERENCES dataset (dataset),
    text        TEXT NOT NULL,
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    at          INTEGER NOT NULL,
    leaf        INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq)
) STRICT;
CREATE INDEX application_by_org ON application (org);
CREATE TABLE application_end (
    application TEXT PRIMARY KEY REFERENCES application (application),
    decision    TEXT NOT NULL CHECK (decision IN ('granted', 'rejected', 'withdrawn')),
    person      TEXT NOT NULL REFERENCES person (person),
    detail      TEXT NOT NULL,
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    at          INTEGER NOT NULL,
    leaf        INTEGER NOT NULL UNIQUE REFERENCES log_entry (seq)
) STRICT;

-- Facts never change, nothing is deleted, and `INSERT OR REPLACE` replaces nothing either.
CREATE TRIGGER schema_version_no_update BEFORE UPDATE ON schema_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER schema_version_no_delete BEFORE DELETE ON schema_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER schema_version_no_replace BEFORE INSERT ON schema_version
    WHEN EXISTS (SELECT 1 FROM schema_version WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER clock_no_delete BEFORE DELETE ON clock BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER clock_no_replace BEFORE INSERT ON clock
    WHEN EXISTS (SELECT 1 FROM clock WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_head_no_replace BEFORE INSERT ON log_head
    WHEN EXISTS (SELECT 1 FROM log_head WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_node_no_replace BEFORE INSERT ON log_node
    WHEN EXISTS (SELECT 1 FROM log_node WHERE level = NEW.level AND place = NEW.place)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_key_no_update BEFORE UPDATE ON log_key BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_key_no_delete BEFORE DELETE ON log_key BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_key_no_replace BEFORE INSERT ON log_key
    WHEN EXISTS (SELECT 1 FROM log_key WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_entry_no_delete BEFORE DELETE ON log_entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER log_entry_no_replace BEFORE INSERT ON log_entry
    WHEN EXISTS (SELECT 1 FROM log_entry WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER person_no_update BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER person_no_delete BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER person_no_replace BEFORE INSERT ON person
    WHEN EXISTS (SELECT 1 FROM person WHERE person = NEW.person OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_no_update BEFORE UPDATE ON token BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_no_delete BEFORE DELETE ON token BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_no_replace BEFORE INSERT ON token
    WHEN EXISTS (SELECT 1 FROM token WHERE digest = NEW.digest OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_revocation_no_update BEFORE UPDATE ON token_revocation
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_revocation_no_delete BEFORE DELETE ON token_revocation
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER token_revocation_no_replace BEFORE INSERT ON token_revocation
    WHEN EXISTS (SELECT 1 FROM token_revocation WHERE digest = NEW.digest OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_no_update BEFORE UPDATE ON client_certificate
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_no_delete BEFORE DELETE ON client_certificate
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_no_replace BEFORE INSERT ON client_certificate
    WHEN EXISTS (SELECT 1 FROM client_certificate WHERE fingerprint = NEW.fingerprint OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_revocation_no_update BEFORE UPDATE ON client_certificate_revocation
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_revocation_no_delete BEFORE DELETE ON client_certificate_revocation
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER client_certificate_revocation_no_replace BEFORE INSERT ON client_certificate_revocation
    WHEN EXISTS (SELECT 1 FROM client_certificate_revocation WHERE fingerprint = NEW.fingerprint OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER officer_key_no_update BEFORE UPDATE ON officer_key BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER officer_key_no_delete BEFORE DELETE ON officer_key BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER officer_key_no_replace BEFORE INSERT ON officer_key
    WHEN EXISTS (SELECT 1 FROM officer_key WHERE key_id = NEW.key_id OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER domain_no_delete BEFORE DELETE ON domain BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER domain_no_replace BEFORE INSERT ON domain
    WHEN EXISTS (SELECT 1 FROM domain WHERE domain = NEW.domain OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER dataset_no_update BEFORE UPDATE ON dataset BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER dataset_no_delete BEFORE DELETE ON dataset BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER dataset_no_replace BEFORE INSERT ON dataset
    WHEN EXISTS (SELECT 1 FROM dataset WHERE dataset = NEW.dataset OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER snapshot_no_update BEFORE UPDATE ON snapshot BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER snapshot_no_delete BEFORE DELETE ON snapshot BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER snapshot_no_replace BEFORE INSERT ON snapshot
    WHEN EXISTS (SELECT 1 FROM snapshot WHERE snapshot = NEW.snapshot OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER contract_no_delete BEFORE DELETE ON contract BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER contract_no_replace BEFORE INSERT ON contract
    WHEN EXISTS (SELECT 1 FROM contract WHERE contract = NEW.contract OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER contract_day_no_delete BEFORE DELETE ON contract_day BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER contract_day_no_replace BEFORE INSERT ON contract_day
    WHEN EXISTS (SELECT 1 FROM contract_day WHERE (contract = NEW.contract AND day = NEW.day) OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER charge_no_update BEFORE UPDATE ON charge BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER charge_no_delete BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER charge_no_replace BEFORE INSERT ON charge
    WHEN EXISTS (SELECT 1 FROM charge WHERE request = NEW.request OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER attempt_no_replace BEFORE INSERT ON attempt
    WHEN EXISTS (SELECT 1 FROM attempt WHERE (request = NEW.request AND number = NEW.number) OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER debit_no_update BEFORE UPDATE ON debit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER debit_no_delete BEFORE DELETE ON debit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER debit_no_replace BEFORE INSERT ON debit
    WHEN EXISTS (SELECT 1 FROM debit WHERE (request = NEW.request AND contract = NEW.contract) OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER release_no_update BEFORE UPDATE ON release BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER release_no_delete BEFORE DELETE ON release BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER release_no_replace BEFORE INSERT ON release
    WHEN EXISTS (SELECT 1 FROM release WHERE request = NEW.request OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER lost_no_update BEFORE UPDATE ON lost BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER lost_no_delete BEFORE DELETE ON lost BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER lost_no_replace BEFORE INSERT ON lost
    WHEN EXISTS (SELECT 1 FROM lost WHERE request = NEW.request OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER decision_no_replace BEFORE INSERT ON decision
    WHEN EXISTS (SELECT 1 FROM decision WHERE digest = NEW.digest)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER freeze_no_update BEFORE UPDATE ON freeze BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER freeze_no_delete BEFORE DELETE ON freeze BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER freeze_no_replace BEFORE INSERT ON freeze
    WHEN EXISTS (SELECT 1 FROM freeze WHERE leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_no_update BEFORE UPDATE ON application BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_no_delete BEFORE DELETE ON application BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_no_replace BEFORE INSERT ON application
    WHEN EXISTS (SELECT 1 FROM application WHERE application = NEW.application OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_end_no_update BEFORE UPDATE ON application_end BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_end_no_delete BEFORE DELETE ON application_end BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER application_end_no_replace BEFORE INSERT ON application_end
    WHEN EXISTS (SELECT 1 FROM application_end WHERE application = NEW.application OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_no_update BEFORE UPDATE ON job BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_no_delete BEFORE DELETE ON job BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_no_replace BEFORE INSERT ON job
    WHEN EXISTS (SELECT 1 FROM job WHERE job = NEW.job OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER verdict_no_update BEFORE UPDATE ON verdict BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER verdict_no_delete BEFORE DELETE ON verdict BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER verdict_no_replace BEFORE INSERT ON verdict
    WHEN EXISTS (SELECT 1 FROM verdict WHERE (job = NEW.job AND person = NEW.person)
        OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER outcome_no_update BEFORE UPDATE ON outcome BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER outcome_no_delete BEFORE DELETE ON outcome BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER outcome_no_replace BEFORE INSERT ON outcome
    WHEN EXISTS (SELECT 1 FROM outcome WHERE job = NEW.job OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER cancellation_no_update BEFORE UPDATE ON cancellation BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER cancellation_no_delete BEFORE DELETE ON cancellation BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER cancellation_no_replace BEFORE INSERT ON cancellation
    WHEN EXISTS (SELECT 1 FROM cancellation WHERE job = NEW.job OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_run_no_update BEFORE UPDATE ON job_run BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_run_no_delete BEFORE DELETE ON job_run BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER job_run_no_replace BEFORE INSERT ON job_run
    WHEN EXISTS (SELECT 1 FROM job_run WHERE (job = NEW.job AND (number = NEW.number OR request = NEW.request))
        OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER certificate_no_update BEFORE UPDATE ON certificate BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER certificate_no_replace BEFORE INSERT ON certificate
    WHEN EXISTS (SELECT 1 FROM certificate WHERE (request = NEW.request AND contract = NEW.contract)
        OR rowid = NEW.rowid OR leaf = NEW.leaf)
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;

INSERT INTO schema_version (id, version) VALUES (1, 4);
INSERT INTO clock (id, last_seen) VALUES (1, 0);
INSERT INTO log_head (id, size, frontier) VALUES (1, 0, x'');
