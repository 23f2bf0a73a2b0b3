//! Applications in a browser: written by the firm, read, drafted from and rejected by an officer, under the rules of all forms.

use glovebox_policy::contract::sign_contract;
use serde_json::json;

use crate::applications::application;
use crate::fixture::DATASET;
use crate::pages::assert_inert;
use crate::pages_access::{OWN, form_of, open, sign_in};
use crate::world::{Got, World};

/// What a firm could write to mislead the officer who reads it.
const HOSTILE: &str = "</textarea></pre><script>alert(1)</script>\\\" onload=\\\"x \u{202e}abc";

async fn send(world: &World, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Got {
    let form = form_of(&open(world, "/", cookie).await.text).to_owned();
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("form", &form).extend_pairs(fields).finish();
    world.browse("POST", path, &[OWN, ("cookie", cookie)], &body).await
}

fn location(got: &Got) -> String {
    assert_eq!(got.status, 303, "{got:?}");
    got.headers["location"].to_str().unwrap().to_owned()
}

async fn hand_in(world: &World, cookie: &str, why: &str) -> String {
    location(&send(world, "/applications", cookie, &[("application", &application(why).replace('\n', "\r\n"))]).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firm_writes_one_and_an_officer_answers_it_from_the_draft() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let (analyst, officer) = (sign_in(&world, &tokens.analyst).await, sign_in(&world, &tokens.officer).await);
    assert!(open(&world, "/applications/new", &analyst).await.text.contains(&format!("?dataset={DATASET}")));
    let begun = open(&world, &format!("/applications/new?dataset={DATASET}"), &analyst).await;
    assert_inert("a new application", &begun.text);
    assert!(begun.text.contains("why = &#34;&#34;") && !begun.text.contains("phone"), "identifiers are not asked for");

    // What cannot be granted comes back with the text and the reason.
    let no = send(&world, "/applications", &analyst, &[("application", &application(""))]).await;
    assert_eq!(no.status, 400);
    assert!(no.text.contains("application-invalid") && no.text.contains("role=\"alert\"") && no.text.contains(DATASET));
    assert_inert("an application that is not taken", &no.text);

    let path = hand_in(&world, &analyst, "a model of costs").await;
    let id = path.rsplit('/').next().unwrap();
    let stored = world.get(&path, &tokens.analyst).await.json();
    assert_eq!(
        (&stored["why"], &stored["text"]),
        (&json!("a model of costs"), &json!(application("a model of costs")))
    );
    let own = open(&world, &path, &analyst).await.text;
    assert!(own.contains("/withdrawal\"") && !own.contains("id=\"draft\"") && !own.contains("id=\"rejection\""));
    assert!(open(&world, "/", &officer).await.text.contains(&format!("href=\"{path}\"")), "it waits for the officer");

    // The officer reads the very text that the command fetches, under a name of the officer's choice.
    let shown = open(&world, &format!("{path}?contract=firm-more&lang=en"), &officer).await.text;
    let draft = world.get(&format!("{path}/draft?contract=firm-more"), &tokens.officer).await.json();
    let draft = draft["contract"].as_str().unwrap();
    let escaped = draft.replace('"', "&#34;").replace('\'', "&#39;");
    assert!(shown.contains(&escaped), "{shown}");
    assert!(shown.contains(&format!("glovebox application draft {id} --contract firm-more --out contract.toml")));
    for name in ["Firm", "x; rm -rf", "%22%3E"] {
        let got = open(&world, &format!("{path}?contract={}", name.replace(' ', "+")), &officer).await.text;
        assert!(got.contains("contract-invalid") && !got.contains("--out contract.toml"), "{name}");
        assert_inert("a draft without a name", &got);
    }
    let envelope = serde_json::to_value(sign_contract(draft, &tokens.officer_key).unwrap()).unwrap();
    assert_eq!(world.post("/contracts", &tokens.officer, &envelope).await.status, 201);
    let granted = open(&world, &path, &officer).await.text;
    assert!(granted.contains("state granted") && granted.contains("firm-more") && !granted.contains("id=\"draft\""));
    // Too late, both ways: the page says so and nothing changes.
    for (who, act, fields) in [(&analyst, "withdrawal", vec![]), (&officer, "rejection", vec![("reason", "no")])] {
        let late = send(&world, &format!("{path}/{act}"), who, &fields).await;
        assert_eq!(late.status, 409, "{act}");
        assert!(late.text.contains("application-closed") && late.text.contains("state granted"));
    }
    for cookie in [&analyst, &officer] {
        let list = open(&world, "/applications", cookie).await;
        assert!(list.text.contains(&path));
        assert_inert("applications", &list.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_ends_what_is_not_theirs() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let analyst = sign_in(&world, &tokens.analyst).await;
    let path = hand_in(&world, &analyst, "a model").await;
    let (outsider, of_firm) = (sign_in(&world, &tokens.outsider).await, sign_in(&world, &tokens.firm_officer).await);
    let (officer, auditor) = (sign_in(&world, &tokens.officer).await, sign_in(&world, &tokens.auditor).await);
    let withdrawal = format!("{path}/withdrawal");
    let rejection = format!("{path}/rejection");
    let why = [("reason", "not for this purpose")];

    assert_eq!(open(&world, &path, &outsider).await.status, 404);
    assert!(!open(&world, "/applications", &outsider).await.text.contains(&path));
    assert_eq!(send(&world, &withdrawal, &outsider, &[]).await.status, 404);
    for (cookie, act) in
        [(&officer, &withdrawal), (&auditor, &withdrawal), (&auditor, &rejection), (&analyst, &rejection)]
    {
        assert_eq!(send(&world, act, cookie, &why).await.status, 403, "{act}");
    }
    for cookie in [&officer, &auditor, &of_firm] {
        assert_eq!(send(&world, "/applications", cookie, &[("application", &application("x"))]).await.status, 403);
        assert_eq!(open(&world, "/applications/new", cookie).await.status, 403);
    }
    // An officer of the firm reads it, and is offered nothing.
    let shown = open(&world, &path, &of_firm).await.text;
    assert!(!shown.contains("id=\"draft\"") && !shown.contains("id=\"rejection\""));
    assert!(send(&world, &rejection, &of_firm, &why).await.text.contains("own-request"));
    let shown = open(&world, &path, &auditor).await.text;
    assert!(!shown.contains("id=\"draft\"") && !shown.contains("method=\"post\" action=\"/applications"));

    // Forms of elsewhere, of another session, and of none.
    let form = form_of(&open(&world, "/", &officer).await.text).to_owned();
    let foreign = form_of(&open(&world, "/", &outsider).await.text).to_owned();
    let browse = |headers: Vec<(&'static str, String)>, body: String| {
        let (world, rejection) = (&world, &rejection);
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.browse("POST", rejection, &headers, &body).await.status
        }
    };
    let site = |from: &str| ("sec-fetch-site", from.to_owned());
    let cookie = ("cookie", officer.clone());
    assert_eq!(browse(vec![site("cross-site"), cookie.clone()], format!("form={form}&reason=x")).await, 400);
    assert_eq!(browse(vec![site("same-origin"), cookie.clone()], format!("form={foreign}&reason=x")).await, 400);
    assert_eq!(browse(vec![site("same-origin"), cookie.clone()], "reason=x".to_owned()).await, 400);
    assert_eq!(browse(vec![site("same-origin")], format!("form={form}&reason=x")).await, 401);
    let long = format!("form={form}&reason={}", "x".repeat(70_000));
    assert_eq!(browse(vec![site("same-origin"), cookie], long).await, 400);
    assert_eq!(world.get(&path, &tokens.analyst).await.json()["status"], "waiting");

    let empty = send(&world, &rejection, &officer, &[("reason", " ")]).await;
    assert!(empty.status == 400 && empty.text.contains("application-invalid") && empty.text.contains("state waiting"));
    assert_eq!(location(&send(&world, &rejection, &officer, &why).await), path);
    assert!(open(&world, &path, &analyst).await.text.contains("not for this purpose"));
    let other = hand_in(&world, &analyst, "another").await;
    assert_eq!(location(&send(&world, &format!("{other}/withdrawal"), &analyst, &[]).await), other);
    assert!(open(&world, &other, &analyst).await.text.contains("state withdrawn"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_firm_wrote_is_shown_as_it_is() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let (analyst, officer) = (sign_in(&world, &tokens.analyst).await, sign_in(&world, &tokens.officer).await);
    let path = hand_in(&world, &analyst, HOSTILE).await;
    let rejected = send(&world, &format!("{path}/rejection"), &officer, &[("reason", HOSTILE)]).await;
    assert_eq!(location(&rejected), path);
    let bad = application(HOSTILE).replace("max_delta = 1e-6", "max_delta = 1e-12");
    let refused = send(&world, "/applications", &analyst, &[("application", &bad)]).await;
    assert_eq!(refused.status, 400);
    assert_inert("an application that is not taken", &refused.text);
    for (cookie, language) in [(&analyst, "zh"), (&officer, "en")] {
        for path in [path.as_str(), "/applications", "/"] {
            assert_inert(path, &open(&world, &format!("{path}?lang={language}"), cookie).await.text);
        }
        let shown = open(&world, &path, cookie).await.text;
        assert!(shown.contains("&#60;script&#62;alert(1)"));
        let sheet =
            shown.split("<pre class=\"sheet long\"").nth(1).and_then(|rest| rest.split("</pre>").next()).unwrap();
        assert!(!sheet.contains('\u{202e}') && sheet.contains("\\u{202e}"), "what turns the direction is spelled out");
    }
}
