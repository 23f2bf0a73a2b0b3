//! Verdicts: about these very bytes, by somebody who may, once. And jobs that are not approved.

use glovebox_policy::{Decision, Digest, NanoEpsilon, Verdict};

use crate::fixture::new_key;
use crate::jobs;
use crate::world::assert_clean;

/// What a verdict is changed in, and how.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Verdict));

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_counts_only_about_these_very_bytes_and_from_an_officer_who_may() {
    let world = jobs::world().await;
    let (tokens, job) = (&world.tokens, jobs::submitted(&world).await);
    let honest = jobs::verdict(&world, &job, Decision::Approve).await;
    let other = Digest::of(b"other bytes");
    let changes: [Change<'_>; 10] = [
        ("job", &|v| v.subjects.manifest = other),
        ("code", &|v| v.subjects.module = other),
        ("contract", &|v| v.subjects.contract = other),
        ("request", &|v| v.job = "j-0000000000000000".parse().unwrap()),
        ("statementSeen", &|v| v.page = other),
        ("codeDiffFrom", &|v| v.previous_module = Some(other)),
        ("maxEpsNano", &|v| v.max_epsilon = NanoEpsilon::from_nano(v.max_epsilon.nano() - 1)),
        ("maxExecutions", &|v| v.max_executions += 1),
        ("executeBy", &|v| v.execute_by += chrono::Duration::days(1)),
        ("approver", &|v| v.approver = "firm-officer".parse().unwrap()),
    ];
    for (what, change) in changes {
        let mut wrong = honest.clone();
        change(&mut wrong);
        let got = jobs::decide(&world, &tokens.officer, &job, jobs::signed(&wrong, &tokens.officer_key)).await;
        assert_eq!((got.status, got.code().as_str()), (403, "approval-invalid"), "{what}: {got:?}");
        assert!(got.json()["message"].as_str().unwrap().contains(&format!("`{what}`")), "{got:?}");
    }

    let envelope = jobs::signed(&honest, &tokens.officer_key);
    let mut of_firm = honest.clone();
    of_firm.approver = "firm-officer".parse().unwrap();
    let of_firm = jobs::signed(&of_firm, &tokens.firm_officer_key);
    for (token, sent, status, code) in [
        (&tokens.firm_officer, of_firm.clone(), 403, "own-request"),
        (&tokens.firm_officer, envelope.clone(), 403, "own-request"),
        (&tokens.officer, of_firm, 403, "approval-invalid"),
        (&tokens.officer, jobs::signed(&honest, &new_key()), 403, "signature-invalid"),
        (&tokens.officer, b"{}".to_vec(), 403, "signature-invalid"),
        (&tokens.officer, vec![b' '; 100 * 1024], 403, "approval-invalid"),
        (&tokens.officer, vec![b' '; 300 * 1024], 400, "bad-request"),
        (&tokens.auditor, envelope.clone(), 403, "role-forbidden"),
        (&tokens.analyst, envelope.clone(), 403, "role-forbidden"),
    ] {
        let got = jobs::decide(&world, token, &job, sent).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{got:?}");
        assert_clean(&got.text);
    }
    assert_eq!(world.get(&format!("/jobs/{job}"), &tokens.analyst).await.json()["state"], "submitted");
    assert_eq!(jobs::decide(&world, &tokens.officer, &job, envelope.clone()).await.status, 201);
    assert_eq!(jobs::decide(&world, &tokens.officer, &job, envelope).await.code(), "job-closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_approved_is_not_run() {
    let world = jobs::world().await;
    let tokens = &world.tokens;
    let (job, to_reject) = (jobs::submitted(&world).await, jobs::submitted(&world).await);
    let cards = world.get("/jobs", &tokens.analyst2).await.json();
    let listed: Vec<_> = cards["jobs"].as_array().unwrap().iter().map(|card| card["job"].as_str().unwrap()).collect();
    assert_eq!(listed, [to_reject.as_str(), job.as_str()], "newest first, for the whole firm");
    for token in [&tokens.officer, &tokens.auditor] {
        assert_eq!(world.get("/jobs", token).await.json(), cards);
        assert_eq!(world.get(&format!("/jobs/{job}/review"), token).await.status, 200);
        assert_eq!(world.get(&format!("/jobs/{job}/result"), token).await.code(), "role-forbidden");
        assert_eq!(jobs::run(&world, token, &job).await.code(), "role-forbidden");
    }
    let result = format!("/jobs/{job}/result");
    assert_eq!(jobs::run(&world, &tokens.analyst, &job).await.code(), "approval-missing");
    assert_eq!(world.get(&result, &tokens.analyst).await.code(), "not-released");

    let approval = jobs::signed(&jobs::verdict(&world, &job, Decision::Approve).await, &tokens.officer_key);
    let path = format!("/jobs/{job}");
    assert_eq!(world.call("DELETE", &path, &tokens.outsider, None).await.status, 404);
    let got = world.call("DELETE", &path, &tokens.analyst2, None).await;
    assert_eq!((got.status, got.json()["state"].as_str()), (200, Some("cancelled")), "{got:?}");
    assert_eq!(world.call("DELETE", &path, &tokens.analyst, None).await.code(), "job-closed");
    assert_eq!(jobs::decide(&world, &tokens.officer, &job, approval).await.code(), "job-closed");

    let rejection = jobs::signed(&jobs::verdict(&world, &to_reject, Decision::Reject).await, &tokens.officer_key);
    let got = jobs::decide(&world, &tokens.officer, &to_reject, rejection).await;
    assert_eq!((got.status, got.json()["state"].as_str()), (201, Some("rejected")), "{got:?}");
    assert_eq!(got.json()["verdicts"][0]["reason"], "理由 the columns are not needed");
    for closed in [&job, &to_reject] {
        let got = jobs::run(&world, &tokens.analyst, closed).await;
        assert!(["approval-missing", "job-closed"].contains(&got.code().as_str()), "{got:?}");
        assert_eq!(world.get(&format!("/jobs/{closed}/result"), &tokens.analyst).await.code(), "not-released");
    }
    let budget = world.get("/budget", &tokens.analyst).await.json();
    assert!(budget["budgets"][0]["spent"]["rho"].as_f64().unwrap() < 1e-9, "{budget}");
}
