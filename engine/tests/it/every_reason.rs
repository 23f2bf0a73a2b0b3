//! Every reason to say no comes about: by the smallest statement, here, or by the test that is named.
//!
//! A reason without an entry fails, as does an entry whose test is gone or does not speak of it. The lists are never filled in
//! by a tool.

use glovebox_policy::Caller;
use glovebox_policy::Reason::{self, *};

use crate::world::{OTHER_QUESTION, QUESTION, World, ana, ask, block, gamma, officer};

/// Statements of `ana`, whose contract grants `person` and `visits` for aggregates, `sex` and `visits` for groups and filters.
const STATEMENTS: &[(Reason, &str)] = &[
    (SqlSyntax, "SELECT"),
    (StatementRefused, ""),
    (ExplainRefused, "EXPLAIN"),
    (ClauseRefused, "SELECT 1"),
    (NotAggregated, "SELECT sex FROM medical.visits"),
    (AggregateRefused, "SELECT MAX(visits) FROM medical.visits"),
    (FunctionRefused, "SELECT COUNT(CHR(visits)) FROM medical.visits"),
    (ExpressionRefused, "SELECT COUNT(*) FROM medical.visits WHERE sex LIKE sex"),
    (TypeRefused, "SELECT COUNT(*) FROM medical.visits WHERE CAST(visits AS DECIMAL(3, 1)) > 1"),
    (TableUnknown, "SELECT COUNT(*) FROM t"),
    (ColumnUnknown, "SELECT SUM(x) FROM medical.visits"),
    (GroupKeyNotPublic, "SELECT COUNT(*) FROM medical.visits GROUP BY person"),
    (BoundsMissing, "SELECT SUM(person) FROM medical.visits"),
    (BoundsInvalid, "SELECT SUM(visits, contribution_bounds_per_row => (1, 0)) FROM medical.visits"),
    (OptionUnknown, "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (x = 1) COUNT(*) FROM medical.visits"),
    (OptionInvalid, "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0) COUNT(*) FROM medical.visits"),
    (OverflowPossible, "SELECT SUM(person, contribution_bounds_per_row => (0, 1e18)) FROM medical.visits"),
    (ParameterMissing, "SELECT COUNT(*) FROM medical.visits WHERE visits = $1"),
    (NotPermitted, "SELECT COUNT(*) FROM medical.visits WHERE person = 1"),
    (EpsilonAboveCap, "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 2) COUNT(*) FROM medical.visits"),
];

const HERE: &str = "engine/tests/it/every_reason.rs";
const CAPS: &str = "query/tests/it/caps.rs";
const FOUND_KEYS: &str = "query/tests/it/found_keys.rs";
const JOBS: &str = "engine/tests/it/jobs.rs";
const BOOKS: &str = "ledger/tests/it/caps.rs";
const LEDGER_JOBS: &str = "ledger/tests/it/job.rs";
const APPLICATIONS: &str = "server/tests/it/applications.rs";

/// The tests that bring the others about: file and function.
const TESTS: &[(Reason, &str, &str)] = &[
    (
        Unauthenticated,
        "server/tests/it/mtls.rs",
        "token_and_certificate_are_of_one_person_and_both_are_good_or_nobody_comes_in",
    ),
    (
        CertificateRefused,
        "server/tests/it/mtls.rs",
        "what_is_wrong_with_a_certificate_is_said_and_no_token_makes_up_for_it",
    ),
    (TooManyAttempts, "server/tests/it/identity.rs", "every_failure_is_one_refusal_and_many_are_too_many"),
    (SessionUnknown, "server/tests/it/session.rs", "a_session_is_its_owners_and_a_lost_one_is_no_default"),
    (RoleForbidden, HERE, "what_is_said_to_others_and_at_other_times"),
    (BadRequest, "server/tests/it/rest.rs", "bodies_of_the_wrong_form_are_refused_in_our_words"),
    (NotFound, "server/tests/it/audit.rs", "paths_of_tiles_lead_nowhere_else"),
    (SqlTooLong, CAPS, "bytes"),
    (SqlTooManyTokens, CAPS, "tokens"),
    (SqlTooManyOperators, CAPS, "operators"),
    (ColumnIsIdentifier, "engine/tests/it/identifiers.rs", "no_contract_can_grant_them"),
    (TooManyGroups, CAPS, "groups_and_sums"),
    (FootageRefused, "query/tests/it/footage.rs", "no_statement_reads_footage"),
    (JoinRefused, "query/tests/it/joins.rs", "what_is_joined_and_what_is_not"),
    (ThresholdNeedsDelta, FOUND_KEYS, "others_may_not"),
    (TooManyKeys, FOUND_KEYS, "others_may_not"),
    (TooExpensive, HERE, "what_is_said_to_others_and_at_other_times"),
    (ContractUnknown, "engine/tests/it/refusals.rs", "only_an_analyst_with_a_contract_may_ask"),
    (ContractInactive, "engine/tests/it/refusals.rs", "a_contract_ends_between_preparing_and_running"),
    (ContributionAboveCap, "policy/tests/it/decide.rs", "at_the_caps_and_just_above"),
    (ContractBudgetSpent, HERE, "what_is_said_to_others_and_at_other_times"),
    (DayBudgetSpent, BOOKS, "the_day_cap_holds_at_the_step_and_rolls_over_at_midnight_utc"),
    (Lost, "engine/tests/it/lost.rs", "rows_that_cannot_be_read_are_lost_with_one_constant_refusal"),
    (Frozen, "engine/tests/it/freeze.rs", "a_frozen_contract_or_person_stops_no_other"),
    (DatasetFrozen, "engine/tests/it/freeze.rs", "a_frozen_dataset_answers_nobody"),
    (ContractFrozen, "engine/tests/it/freeze.rs", "a_frozen_contract_or_person_stops_no_other"),
    (FreezeInvalid, "ledger/tests/it/freeze.rs", "what_makes_no_sense_is_refused_and_leaves_nothing"),
    (Busy, HERE, "what_is_said_to_others_and_at_other_times"),
    (TicketUnknown, "engine/tests/it/refusals.rs", "a_statement_is_of_use_to_its_own_asker_alone"),
    (ManifestInvalid, HERE, "what_an_officer_is_told_of_a_dataset"),
    (IngestRefused, HERE, "what_an_officer_is_told_of_a_dataset"),
    (DatasetExists, HERE, "what_an_officer_is_told_of_a_dataset"),
    (ContractInvalid, BOOKS, "contracts_that_cannot_stand_are_refused"),
    (ApplicationInvalid, APPLICATIONS, "what_cannot_be_granted_is_refused_where_it_is_asked_for"),
    (ApplicationsWaiting, "ledger/tests/it/applications.rs", "few_wait_at_a_time"),
    (ApplicationsToday, "ledger/tests/it/applications.rs", "only_so_many_of_a_firm_are_kept_in_a_day"),
    (ApplicationClosed, APPLICATIONS, "an_application_becomes_a_draft_and_a_signed_contract"),
    (ContractExists, BOOKS, "contracts_that_cannot_stand_are_refused"),
    (SignatureInvalid, "server/tests/it/rest.rs", "an_unsigned_contract_is_refused"),
    (AllotmentAboveDomain, BOOKS, "signing_reserves_and_the_last_step_can_be_promised"),
    (JobManifestInvalid, JOBS, "what_could_never_run_is_refused_at_submission"),
    (ModuleInvalid, JOBS, "what_could_never_run_is_refused_at_submission"),
    (JobTooExpensive, JOBS, "what_could_never_run_is_refused_at_submission"),
    (ApprovalMissing, JOBS, "nothing_runs_without_a_standing_approval"),
    (ApprovalInvalid, JOBS, "nothing_runs_without_a_standing_approval"),
    (ApprovalExpired, LEDGER_JOBS, "a_job_runs_only_as_approved_and_the_reasons_come_in_a_fixed_order"),
    (ExecutionsSpent, LEDGER_JOBS, "executions_are_counted_by_request_and_the_same_request_needs_no_other"),
    (OwnRequest, JOBS, "nobody_of_the_firm_decides_on_its_request"),
    (JobClosed, JOBS, "nothing_runs_without_a_standing_approval"),
    (AlreadyDecided, "engine/tests/it/two_officers.rs", "two_officers_approve_and_the_job_runs"),
    (OfficersMissing, "ledger/tests/it/two_officers.rs", "a_contract_needs_officers_who_could_decide"),
    (JobsWaiting, JOBS, "a_firm_at_its_limit_of_waiting_jobs_is_told_so"),
    (JobsToday, LEDGER_JOBS, "only_so_many_jobs_of_a_firm_are_kept_in_a_day"),
    (NotReleased, JOBS, "a_job_goes_from_submission_to_release_and_can_be_proven"),
    (ReplayImpossible, "policy/tests/it/replay.rs", "other_policies_contracts_and_texts_are_told_apart"),
    (Internal, "policy/tests/it/decide.rs", "a_column_described_in_two_ways_is_refused"),
];

/// Second locks: said only when another lock has failed, so that no input brings them about.
const SECOND_LOCKS: &[(Reason, &str)] =
    &[(DomainBudgetSpent, "contracts are granted only what their domain has left, and pay before it does")];

#[test]
fn every_reason_is_in_one_list_once() {
    for reason in Reason::ALL {
        let entries = STATEMENTS.iter().map(|(r, _)| r).chain(TESTS.iter().map(|(r, ..)| r));
        let entries = entries.chain(SECOND_LOCKS.iter().map(|(r, _)| r)).filter(|r| *r == reason).count();
        assert_eq!(entries, 1, "`{reason}`: give the smallest statement, or name the test that brings it about");
    }
}

#[test]
fn each_statement_is_refused_for_its_reason() {
    let world = World::new();
    let engine = world.open();
    for (reason, sql) in STATEMENTS {
        let refusal = block(ask(&engine, &ana(), sql)).unwrap_err();
        assert_eq!(refusal.reason(), *reason, "{sql}: {refusal}");
        assert!(refusal.english().starts_with(&format!("{}: {}", reason.code(), reason.english())), "{refusal}");
    }
    world.audit(0);
}

#[test]
fn each_test_that_is_named_is_there_and_speaks_of_the_reason() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (reason, file, name) in TESTS {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{reason}: no {file}"));
        let after =
            text.split(&format!("fn {name}(")).nth(1).unwrap_or_else(|| panic!("{reason}: no {name} in {file}"));
        let body = after.split("\n}\n").next().unwrap();
        let spoken = body.contains(&format!("{reason:?}")) || body.contains(&format!("\"{}\"", reason.code()));
        assert!(spoken, "{name} in {file} does not speak of {reason}");
    }
}

#[test]
fn what_is_said_to_others_and_at_other_times() {
    let reason = |world: &World, who: &Caller, sql: &str| block(ask(&world.open(), who, sql)).unwrap_err().reason();
    let world = World::new();
    assert_eq!(reason(&world, &officer(), QUESTION), RoleForbidden);
    assert_eq!(reason(&world, &gamma(), QUESTION), ContractBudgetSpent);
    let slow = World::configured("steps_per_second = 20000000", "steps_per_second = 1");
    assert_eq!(reason(&slow, &ana(), QUESTION), TooExpensive);
    // One place, and nobody waits: of two at the same time, one is turned away.
    let full = World::configured("[release]", "[limits]\nthreads = 1\nwaiting = 0\n[release]");
    let engine = full.open();
    let ana = ana();
    let (one, other) = block(async { tokio::join!(ask(&engine, &ana, QUESTION), ask(&engine, &ana, OTHER_QUESTION)) });
    assert!([one, other].into_iter().filter_map(Result::err).any(|refusal| refusal.reason() == Busy));
}

#[test]
fn what_an_officer_is_told_of_a_dataset() {
    let world = World::new();
    let engine = world.open();
    let file = world.path("visits.csv");
    let add = |manifest: &str| engine.add_dataset(&officer(), manifest, &file).unwrap_err().refusal().reason();
    assert_eq!(add(""), ManifestInvalid);
    assert_eq!(add(crate::world::MANIFEST), DatasetExists);
    assert_eq!(
        add(&crate::world::MANIFEST.replace("medical.visits", "medical.more").replace("5000", "3")),
        IngestRefused
    );
}
