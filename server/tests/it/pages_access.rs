//! Signing in to the pages, and who sees which.

use glovebox_policy::Role;
use glovebox_server::web::PAGES;

use crate::fixture::DATASET;
use crate::world::{Got, World};

/// How a browser says that a form comes from a page of this site.
pub(crate) const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Signs in, and gives the cookie.
pub(crate) async fn sign_in(world: &World, token: &str) -> String {
    let got = world.browse("POST", "/sign-in", &[OWN], &format!("token={token}&next=%2Fjobs")).await;
    assert_eq!((got.status, got.headers["location"].to_str().unwrap()), (303, "/jobs"), "{got:?}");
    let cookie = got.headers["set-cookie"].to_str().unwrap();
    let (cookie, attributes) = cookie.split_once(';').unwrap();
    assert!(cookie.starts_with("__Host-glovebox=gbs_"), "{cookie}");
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Strict");
    assert!(!cookie.contains(token));
    cookie.to_owned()
}

/// Opens a page with a cookie.
pub(crate) async fn open(world: &World, path: &str, cookie: &str) -> Got {
    world.browse("GET", path, &[("cookie", cookie)], "").await
}

pub(crate) fn form_of(page: &str) -> &str {
    page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_a_token_and_ends_with_the_form_or_the_token() {
    let world = World::start().await;
    let stranger = world.browse("GET", "/jobs", &[], "").await;
    assert_eq!(stranger.status, 401);
    assert!(stranger.text.contains("<html lang=\"zh-CN\">") && stranger.text.contains("name=\"next\" value=\"/jobs\""));

    for wrong in ["gbx_nonsense", "", "%3Cscript%3E", world.tokens.expired.as_str()] {
        let got = world.browse("POST", "/sign-in", &[OWN], &format!("token={wrong}")).await;
        assert_eq!(got.status, 401, "{wrong}");
        assert!(got.text.contains("role=\"alert\"") && !got.headers.contains_key("set-cookie"));
        assert!(wrong.is_empty() || !got.text.contains(wrong), "a token comes back: {wrong}");
    }

    let cookie = sign_in(&world, &world.tokens.analyst).await;
    let page = open(&world, "/", &cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<b>analyst</b>"));
    // The session's name is nothing to the other faces, and the form does not tell it.
    let name = cookie.split_once('=').unwrap().1;
    assert!(!page.text.contains(name));
    assert_eq!(world.get("/me", name).await.status, 401);
    assert!(world.raw(name).await.info_of("SELECT 1").await.is_err());

    let other = sign_in(&world, &world.tokens.analyst2).await;
    let foreign = form_of(&open(&world, "/", &other).await.text).to_owned();
    for form in ["", "x", foreign.as_str()] {
        let got = world.browse("POST", "/sign-out", &[OWN, ("cookie", &cookie)], &format!("form={form}")).await;
        assert_eq!(got.status, 400, "{form}");
    }
    assert_eq!(open(&world, "/", &cookie).await.status, 200);
    let body = format!("form={}", form_of(&page.text));
    let got = world.browse("POST", "/sign-out", &[OWN, ("cookie", &cookie)], &body).await;
    assert_eq!((got.status, got.headers["location"].to_str().unwrap()), (303, "/sign-in"));
    assert!(got.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(open(&world, "/", &cookie).await.status, 401);

    assert_eq!(open(&world, "/", &other).await.status, 200);
    assert_eq!(world.call("DELETE", "/tokens", &world.tokens.analyst2, None).await.status, 204);
    assert_eq!(open(&world, "/", &other).await.status, 401, "the session ends with its token");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_are_refused() {
    let world = World::start().await;
    let host = world.http_url.clone();
    let body = format!("token={}", world.tokens.analyst);
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("origin", host.as_str())],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("origin", "http://localhost")],
    ] {
        let got = world.browse("POST", "/sign-in", &headers, &body).await;
        assert_eq!((got.status, got.headers.contains_key("set-cookie")), (400, false), "{headers:?}");
    }
    assert_eq!(world.browse("POST", "/sign-in", &[("origin", &host)], &body).await.status, 303);
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aset-cookie:x"] {
        let got = world.browse("POST", "/sign-in", &[OWN], &format!("{body}&next={next}")).await;
        assert_eq!((got.status, got.headers["location"].to_str().unwrap()), (303, "/"), "{next}");
    }
    let long = format!("token={}", "x".repeat(5_000));
    assert_eq!(world.browse("POST", "/sign-in", &[OWN], &long).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_the_pages_of_their_role_and_every_answer_is_hardened() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let none = "00000000000000000000000000000000000000000000000000000000000000ff";
    let mut cookies = vec![(None, String::new())];
    for (role, token) in
        [(Role::Analyst, &tokens.analyst), (Role::Officer, &tokens.officer), (Role::Auditor, &tokens.auditor)]
    {
        cookies.push((Some(role), sign_in(&world, token).await));
    }
    for (role, cookie) in &cookies {
        for page in PAGES.iter().filter(|page| page.method == "GET") {
            let path = page.path.replace("{name}", DATASET).replace("{id}", "j-0000000000000000");
            let path = path.replace("{request}", none).replace("{part}", "certificate");
            let got = open(&world, &path, cookie).await;
            let expected = match role {
                _ if page.roles.is_empty() => 200,
                None => 401,
                Some(role) if !page.roles.contains(role) => 403,
                Some(_) if path.contains("0000") => 404,
                Some(_) => 200,
            };
            assert_eq!(got.status, expected, "{path} for {role:?}");
            assert_hardened(&path, &got);
        }
    }
    for path in ["/nothing", "/api", "/style.css/x", "/%ff", "//evil.example/"] {
        let got = open(&world, path, "").await;
        assert_eq!(got.status, if path == "/api" { 401 } else { 404 }, "{path}");
        if path != "/api" {
            assert_hardened(path, &got);
        }
    }
    let got = world.browse("GET", "/", &[("authorization", &format!("Bearer {}", tokens.analyst))], "").await;
    assert_eq!(got.status, 400, "a header that pages take no notice of is not ignored");
    assert_eq!(open(&world, "/jobs", "__Host-glovebox=gbs_1; __Host-glovebox=gbs_2").await.status, 401);
}

fn assert_hardened(path: &str, got: &Got) {
    let header = |name: &str| got.headers[name].to_str().unwrap();
    assert_eq!(
        header("content-security-policy"),
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
        "{path}"
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(header("cache-control"), "no-store", "{path}");
    assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
    assert!(!got.headers.contains_key("access-control-allow-origin"), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_asked_for_or_remembered_or_the_browsers() {
    let world = World::start().await;
    let lang = |got: &Got| got.text.split("<html lang=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(lang(&open(&world, "/sign-in", "").await), "zh-CN");
    let english = world.browse("GET", "/sign-in", &[("accept-language", "en-GB, zh;q=0.5")], "").await;
    assert_eq!(lang(&english), "en");
    assert!(!english.headers.contains_key("set-cookie"));
    let asked = open(&world, "/sign-in?lang=en", "").await;
    assert_eq!(lang(&asked), "en");
    let cookie = asked.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-glovebox-lang=en; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age="),
        "{cookie}"
    );
    assert_eq!(lang(&open(&world, "/sign-in", "__Host-glovebox-lang=en").await), "en");
    let hostile = open(&world, "/sign-in?lang=%22%3E%3Cscript%3E&x='onload='&%3Cscript%3E", "").await;
    assert!(!hostile.text.contains("<script") && !hostile.text.contains("'onload"), "{}", hostile.text);
}
