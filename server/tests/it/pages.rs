//! What pages show: no more than the REST face, and every author's text as text.

use serde_json::json;

use crate::fixture::{CANARY, CONTRACT, DATASET, MANIFEST, QUERY};
use crate::jobs;
use crate::pages_access::{open, sign_in};
use crate::rest::multipart;
use crate::world::{World, assert_clean};
use glovebox_policy::{Decision, Digest};

/// Ends elements, attributes and quotations, and turns the direction of writing.
const HOSTILE: &str = "<script>alert(1)</script>\" onload=\"x' onclick='y --> </td></pre> &lt; \u{202e}abc 中文";

/// Elements that our templates write.
const ELEMENTS: &[&str] = &[
    "!doctype", "a", "article", "b", "bdi", "body", "br", "button", "caption", "code", "dd", "details", "div", "dl",
    "dt", "footer", "form", "h1", "h2", "h3", "head", "header", "html", "img", "input", "label", "li", "line", "link",
    "main", "meta", "nav", "p", "pre", "rect", "section", "span", "strong", "summary", "svg", "table", "tbody", "td",
    "textarea", "th", "thead", "time", "title", "tr", "ul",
];

/// Attributes that our templates write.
const ATTRIBUTES: &[&str] = &[
    "action",
    "alt",
    "aria-current",
    "aria-describedby",
    "aria-invalid",
    "aria-label",
    "aria-labelledby",
    "autocapitalize",
    "autocomplete",
    "charset",
    "class",
    "content",
    "datetime",
    "download",
    "fill",
    "for",
    "height",
    "href",
    "hreflang",
    "html",
    "id",
    "lang",
    "maxlength",
    "method",
    "name",
    "open",
    "preserveaspectratio",
    "rel",
    "required",
    "role",
    "rows",
    "scope",
    "spellcheck",
    "src",
    "stroke",
    "tabindex",
    "type",
    "value",
    "viewbox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// The elements of a page with their attributes, as a browser would find them.
fn elements(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let (mut end, mut quoted) = (rest.len(), false);
        for (at, c) in rest.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let tag = rest[..end].trim_end_matches('/');
        rest = &rest[end..];
        let Some(tag) = (!tag.starts_with('/')).then_some(tag) else { continue };
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let outside = attributes.split('"').step_by(2).flat_map(|text| text.split([' ', '=', '\n']));
        let names = outside.filter(|name| !name.is_empty()).map(str::to_lowercase).collect();
        found.push((name.to_lowercase(), names));
    }
    found
}

pub(crate) fn assert_inert(place: &str, page: &str) {
    for (name, attributes) in elements(page) {
        assert!(ELEMENTS.contains(&name.as_str()), "{place} has an element <{name}>");
        for attribute in attributes {
            assert!(ATTRIBUTES.contains(&attribute.as_str()), "{place}: <{name}> has an attribute {attribute}");
        }
    }
    assert_eq!(page.matches("<h1").count(), 1, "{place}: one heading of the page");
    let (tables, captions) = (page.matches("<table").count(), page.matches("<caption").count());
    assert_eq!(tables, captions, "{place}: every table has a caption");
    assert_eq!(page.matches("<th ").count(), page.matches("scope=").count(), "{place}: every head cell has a scope");
    assert_clean(page);
}

#[test]
fn what_breaks_out_of_a_text_is_found() {
    assert_inert("good", "<h1 class=\"a\">&lt;script&gt;</h1>");
    for bad in ["<h1></h1><script>", "<h1 onload=\"x\">", "<h1><img src=\"\" onerror=\"x\"></h1>"] {
        assert!(std::panic::catch_unwind(|| assert_inert("bad", bad)).is_err(), "{bad}");
    }
}

async fn bring_in(world: &World) -> &'static str {
    let toml = HOSTILE.replace('"', "\\\"");
    let manifest = MANIFEST
        .replace("medical.visits", "medical.hostile")
        .replace("\"Visits\"", &format!("\"{toml}\""))
        .replace("\"就诊\"", &format!("\"{toml}\""))
        .replace("\"made up\"", &format!("\"{toml}\""))
        .replace("\"public domain\"", &format!("\"{toml}\""))
        .replace("\"test\"", &format!("\"{toml}\""))
        .replace("meaning_en = \"plan\"", &format!("meaning_en = \"{toml}\""))
        .replace("\"方案\"", &format!("\"{toml}\""))
        .replace("\"tariff\"", &format!("\"{toml}\""))
        .replace("\"east\"", &format!("\"{toml}\""));
    let rows = format!("person,phone,note,plan,year,cost\n1,{CANARY},{CANARY},west,1,2.5\n");
    let (kind, body) = multipart(&[("manifest", None, manifest.as_bytes()), ("file", Some("x.csv"), rows.as_bytes())]);
    let got = world.call("POST", "/datasets", &world.tokens.officer, Some((&kind, body))).await;
    assert_eq!(got.status, 201, "{got:?}");
    let (manifest, rows) = crate::fixture::PUBLIC;
    let manifest = manifest.replace("\"Plans\"", &format!("\"{toml}\"")).replace("\"方案\"", &format!("\"{toml}\""));
    let (kind, body) = multipart(&[("manifest", None, manifest.as_bytes()), ("file", Some("x.csv"), rows.as_bytes())]);
    let got = world.call("POST", "/datasets", &world.tokens.officer, Some((&kind, body))).await;
    assert_eq!(got.status, 201, "{got:?}");
    "medical.hostile"
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_author_wrote_stays_text_on_every_page() {
    let world = jobs::world().await;
    let (tokens, dataset) = (&world.tokens, bring_in(&world).await);
    let person = json!({"person": "eve", "org": "firm", "role": "analyst", "name": HOSTILE});
    assert_eq!(world.post("/people", &tokens.officer, &person).await.status, 201);
    let module = jobs::module();
    let toml = HOSTILE.replace('"', "\\\"");
    let manifest = jobs::manifest(&module)
        .replace("\"seen\"", &format!("\"{toml}\""))
        .replace("\"by definition\"", &format!("\"{toml}\""))
        .replace("[input]", &format!("[input]\nparams = \"{toml}\""));
    let submitted = jobs::submit(&world, &tokens.analyst, manifest.as_bytes(), &module).await;
    assert_eq!(submitted.status, 201, "{submitted:?}");
    let job = submitted.json()["job"].as_str().unwrap().to_owned();
    let mut verdict = jobs::verdict(&world, &job, Decision::Reject).await;
    verdict.reason = Some(HOSTILE.to_owned());
    let got = jobs::decide(&world, &tokens.officer, &job, jobs::signed(&verdict, &tokens.officer_key)).await;
    assert_eq!(got.status, 201, "{got:?}");

    for token in [&tokens.analyst, &tokens.officer, &tokens.auditor] {
        let cookie = sign_in(&world, token).await;
        for language in ["zh", "en"] {
            for path in ["/", "/datasets", "/jobs", "/budget", "/log"] {
                let got = open(&world, &format!("{path}?lang={language}"), &cookie).await;
                assert_inert(path, &got.text);
            }
            for path in [format!("/datasets/{dataset}"), "/datasets/ref.plans".to_owned(), format!("/jobs/{job}")] {
                let got = open(&world, &format!("{path}?lang={language}"), &cookie).await;
                assert_eq!(got.status, 200, "{path}");
                assert_inert(&path, &got.text);
                assert!(got.text.contains("&#60;script&#62;alert(1)"), "{path}: the text is shown as text");
                assert!(!got.text.contains(CANARY));
            }
        }
    }
    for path in ["/datasets/%3Cscript%3E", "/jobs/%22onload=", "/jobs?start=%3Cscript%3E", "/log?start=-1", "/jobs?x=1"]
    {
        let cookie = sign_in(&world, &tokens.officer).await;
        let got = open(&world, path, &cookie).await;
        assert!([400, 404].contains(&got.status), "{path}: {}", got.status);
        assert_inert(path, &got.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_each_reader_what_the_rest_face_gives_them() {
    let world = jobs::world().await;
    let tokens = &world.tokens;
    let waiting = jobs::submitted(&world).await;
    let (analyst, officer) = (sign_in(&world, &tokens.analyst).await, sign_in(&world, &tokens.officer).await);
    let (outsider, of_firm) = (sign_in(&world, &tokens.outsider).await, sign_in(&world, &tokens.firm_officer).await);

    // The officer reads the page that the command signs, and is told how; nobody of the firm is.
    let review = world.get(&format!("/jobs/{waiting}/review"), &tokens.officer).await.json();
    let page = Digest::of(review["page"].as_str().unwrap().as_bytes()).to_string();
    let command = format!("glovebox request approve {waiting} --key officer.key --page {page}");
    let shown = open(&world, &format!("/jobs/{waiting}"), &officer).await.text;
    assert!(shown.contains(&command), "{shown}");
    for cookie in [&analyst, &of_firm] {
        let shown = open(&world, &format!("/jobs/{waiting}"), cookie).await.text;
        assert!(shown.contains(&page) && !shown.contains("request approve"));
    }
    let home = |cookie| open(&world, "/", cookie);
    let link = format!("href=\"/jobs/{waiting}\"");
    assert!(home(&officer).await.text.contains(&link) && home(&analyst).await.text.contains(&link));
    assert!(!home(&of_firm).await.text.contains(&link), "nobody decides on their own organisation's request");

    // Somebody else's job is not there.
    assert_eq!(open(&world, &format!("/jobs/{waiting}"), &outsider).await.status, 404);
    assert!(!open(&world, "/jobs", &outsider).await.text.contains(&waiting));
    assert!(!open(&world, "/budget", &outsider).await.text.contains("firm-visits"));

    // A firm sees its contract; the domain's total is for officers.
    let domain = "<h3>resident</h3>";
    let (own, all) = (open(&world, "/budget", &analyst).await.text, open(&world, "/budget", &officer).await.text);
    assert!(own.contains("firm-visits") && !own.contains(domain) && all.contains(domain));

    let envelope = jobs::signed(&jobs::verdict(&world, &waiting, Decision::Approve).await, &tokens.officer_key);
    assert_eq!(jobs::decide(&world, &tokens.officer, &waiting, envelope).await.status, 201);
    assert_eq!(jobs::run(&world, &tokens.analyst, &waiting).await.status, 202);
    let running = open(&world, &format!("/jobs/{waiting}?lang=en"), &analyst).await.text;
    assert!(running.contains("running") && !running.contains("id=\"result\"") && !running.contains("/releases/"));
    let card = jobs::settled(&world, &waiting).await;
    assert_eq!(card["state"], "released");

    let result = world.get(&format!("/jobs/{waiting}/result"), &tokens.analyst).await.json();
    let shown = open(&world, &format!("/jobs/{waiting}"), &analyst).await.text;
    assert_inert("a result", &shown);
    for row in result["rows"].as_array().unwrap() {
        let units = row.as_array().unwrap();
        assert!(shown.contains(&format!("<td class=\"num\">{}</td>", units[7])), "{units:?} in {shown}");
    }
    let others = open(&world, &format!("/jobs/{waiting}"), &officer).await.text;
    assert!(!others.contains("id=\"result\"") && others.contains("/releases/"));

    let request = card["runs"][0].as_str().unwrap();
    for part in ["result", "certificate", "entry"] {
        let path = format!("/releases/{request}/{part}?contract=firm-visits");
        let (page, rest) = (open(&world, &path, &analyst).await, world.get(&path, &tokens.analyst).await);
        assert_eq!((page.status, &page.bytes), (200, &rest.bytes), "{part}");
        assert_eq!(open(&world, &path, &outsider).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_rows_is_on_any_page() {
    let world = World::start().await;
    assert_eq!(world.ask_rest(QUERY, &world.tokens.analyst).await.status, 200);
    for token in [&world.tokens.analyst, &world.tokens.officer, &world.tokens.auditor] {
        let cookie = sign_in(&world, token).await;
        for path in ["/", "/datasets", &format!("/datasets/{DATASET}"), "/jobs", "/budget", "/log", "/log?start=0"] {
            let got = open(&world, path, &cookie).await;
            assert!(!got.text.contains(CANARY), "{path}");
            assert_inert(path, &got.text);
        }
    }
    assert!(CONTRACT.contains("firm-visits"));
}
