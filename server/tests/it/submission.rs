//! What may come as a job, and hostile names of jobs, releases and entries.

use crate::jobs::{GUEST, manifest, module, submit};
use crate::rest::multipart;
use crate::world::{World, assert_clean};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_job_is_refused_in_our_words() {
    let world = World::start().await;
    let module = module();
    let manifest = manifest(&module);
    let (text, code) = (("manifest", None, manifest.as_bytes()), ("module", None, module.as_slice()));
    let (long_text, long_code, larger_code) = (vec![b'#'; (64 << 10) + 1], vec![0; (1 << 20) + 1], vec![0; 8 << 20]);
    for (parts, expected) in [
        (vec![], "bad-request"),
        (vec![text], "bad-request"),
        (vec![code], "bad-request"),
        (vec![text, text, code], "bad-request"),
        (vec![text, code, code], "bad-request"),
        (vec![text, code, ("approval", None, b"yes".as_slice())], "bad-request"),
        (vec![("manifest", None, long_text.as_slice()), code], "job-manifest-invalid"),
        (vec![("manifest", None, b"\xff\xfe".as_slice()), code], "job-manifest-invalid"),
        (vec![text, ("module", None, long_code.as_slice())], "module-invalid"),
        (vec![text, ("module", None, larger_code.as_slice())], "module-invalid"),
    ] {
        let (kind, body) = multipart(&parts);
        let got = world.call("POST", "/jobs", &world.tokens.analyst, Some((&kind, body))).await;
        assert_eq!((got.status, got.code().as_str()), (400, expected), "{got:?}");
        assert_clean(&got.text);
    }
    for (kind, body) in [
        ("application/json", "{}"),
        ("multipart/form-data", ""),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"manifest\"\r\n\r\nbroken"),
    ] {
        let got = world.call("POST", "/jobs", &world.tokens.analyst, Some((kind, body.into()))).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad-request"), "{got:?}");
        assert_clean(&got.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_could_not_be_run_is_not_taken() {
    let world = World::start().await;
    let (analyst, module) = (&world.tokens.analyst, module());
    let job = manifest(&module);
    for (from, to, expected) in [
        ("kind = \"map\"", "kind = \"reduce\"", "job-manifest-invalid"),
        ("\"years\"", "\"../../etc/passwd\"", "job-manifest-invalid"),
        ("fuel = 100_000", "fuel = 1_000_000_000", "job-too-expensive"),
        ("medical.visits", "medical.nothing", "table-unknown"),
        ("firm-visits", "no-such-contract", "contract-unknown"),
        ("ai-research", "public-statistics", "not-permitted"),
        ("\"note\"]", "\"nothing\"]", "column-unknown"),
        ("\"note\"]", "\"phone\"]", "column-is-identifier"),
        ("\"note\"]", "\"cost\"]", "not-permitted"),
        ("\"note\"]", "\"__gb_unit\"]", "job-manifest-invalid"),
        ("epsilon = 1.0", "epsilon = 1.5", "epsilon-above-cap"),
    ] {
        assert!(job.contains(from));
        let got = submit(&world, analyst, job.replace(from, to).as_bytes(), &module).await;
        assert_eq!(got.code(), expected, "{to}: {got:?}");
        assert_clean(&got.text);
    }
    let importing = GUEST.replacen("(memory", "(import \"env\" \"clock\" (func)) (memory", 1);
    let importing = wat::parse_str(importing).unwrap();
    for (job, module) in [
        (job.clone(), importing.clone()),
        (manifest(&importing), importing),
        (manifest(b"no module"), b"no module".to_vec()),
        (manifest(b""), Vec::new()),
    ] {
        let got = submit(&world, analyst, job.as_bytes(), &module).await;
        assert_eq!((got.status, got.code().as_str()), (400, "module-invalid"), "{got:?}");
        assert_clean(&got.text);
    }
    let got = submit(&world, &world.tokens.outsider, job.as_bytes(), &module).await;
    assert_eq!(got.code(), "contract-unknown");
    assert_eq!(world.get("/jobs", &world.tokens.officer).await.json(), serde_json::json!({ "jobs": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_in_paths_name_nothing() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let long = "x".repeat(5000);
    let names =
        ["..", ".", "%2e%2e%2f%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "j-%27%20OR%201=1--", "-1", &long];
    for name in names {
        for (method, path, token) in [
            ("GET", format!("/jobs/{name}"), &tokens.analyst),
            ("DELETE", format!("/jobs/{name}"), &tokens.analyst),
            ("GET", format!("/jobs/{name}/review"), &tokens.officer),
            ("GET", format!("/jobs/{name}/module"), &tokens.officer),
            ("POST", format!("/jobs/{name}/verdicts"), &tokens.officer),
            ("POST", format!("/jobs/{name}/runs"), &tokens.analyst),
            ("GET", format!("/jobs/{name}/result"), &tokens.analyst),
            ("GET", format!("/releases/{name}/result"), &tokens.analyst),
            ("GET", format!("/releases/{}/{name}", "0".repeat(64)), &tokens.analyst),
            ("GET", format!("/log/proof/{name}"), &tokens.auditor),
            ("GET", format!("/log/tile/{name}"), &tokens.auditor),
        ] {
            let got = world.call(method, &path, token, None).await;
            assert_eq!((got.status, got.code().as_str()), (404, "not-found"), "{method} {path:.60}: {got:?}");
            assert!(got.text.len() < 2000, "{method} {path:.60}: a refusal as long as the name");
            assert!(!got.text.contains("root:"), "{got:?}");
        }
    }
}
