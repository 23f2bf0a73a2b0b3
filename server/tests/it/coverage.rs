//! Every call of the REST face as a stranger, an analyst, an officer and an auditor.
//!
//! The table below says what each gets; it is compared with the server's own table, so that a new call without a line
//! here fails. It is never filled in by a tool.

use glovebox_policy::Role;
use glovebox_server::http::ACCESS;

use crate::fixture::DATASET;
use crate::world::World;

/// Method, path, and who gets past the gate: stranger, analyst, officer, auditor.
type Line = (&'static str, &'static str, [bool; 4]);

const TABLE: &[Line] = &[
    ("GET", "/health", [true, true, true, true]),
    ("GET", "/openapi.json", [true, true, true, true]),
    ("POST", "/sql", [false, true, false, false]),
    ("GET", "/datasets", [false, true, true, true]),
    ("POST", "/datasets", [false, false, true, false]),
    ("POST", "/datasets/draft", [false, false, true, false]),
    ("GET", "/datasets/{name}", [false, true, true, true]),
    ("GET", "/datasets/{name}/twin", [false, true, true, true]),
    ("GET", "/contracts", [false, true, true, true]),
    ("POST", "/contracts", [false, false, true, false]),
    ("GET", "/contracts/{id}", [false, true, true, true]),
    ("GET", "/contracts/{id}/bill", [false, true, true, true]),
    ("GET", "/applications", [false, true, true, true]),
    ("POST", "/applications", [false, true, false, false]),
    ("GET", "/applications/{id}", [false, true, true, true]),
    ("DELETE", "/applications/{id}", [false, true, false, false]),
    ("GET", "/applications/{id}/draft", [false, false, true, false]),
    ("POST", "/applications/{id}/rejection", [false, false, true, false]),
    ("GET", "/budget", [false, true, true, true]),
    ("GET", "/people", [false, false, true, true]),
    ("POST", "/people", [false, false, true, false]),
    ("GET", "/tokens", [false, true, true, true]),
    ("POST", "/tokens", [false, true, true, true]),
    ("DELETE", "/tokens", [false, true, true, true]),
    ("DELETE", "/tokens/{digest}", [false, true, true, true]),
    ("GET", "/certificates", [false, true, true, true]),
    ("POST", "/certificates", [false, false, true, false]),
    ("DELETE", "/certificates/{digest}", [false, true, true, true]),
    ("GET", "/freezes", [false, false, true, true]),
    ("POST", "/freezes", [false, false, true, false]),
    ("GET", "/me", [false, true, true, true]),
    ("POST", "/jobs", [false, true, false, false]),
    ("GET", "/jobs", [false, true, true, true]),
    ("GET", "/jobs/{id}", [false, true, true, true]),
    ("DELETE", "/jobs/{id}", [false, true, false, false]),
    ("GET", "/jobs/{id}/review", [false, true, true, true]),
    ("GET", "/jobs/{id}/module", [false, true, true, true]),
    ("POST", "/jobs/{id}/verdicts", [false, false, true, false]),
    ("POST", "/jobs/{id}/runs", [false, true, false, false]),
    ("GET", "/jobs/{id}/result", [false, true, false, false]),
    ("GET", "/releases/{request}/{part}", [false, true, true, true]),
    ("GET", "/log/key", [false, true, true, true]),
    ("GET", "/log", [false, false, true, true]),
    ("GET", "/log/proof/{leaf}", [false, false, true, true]),
    ("GET", "/log/decision/{leaf}", [false, false, true, true]),
    ("GET", "/log/consistency", [false, false, true, true]),
    ("GET", "/log/checkpoint", [false, false, true, true]),
    ("GET", "/log/tile/{*path}", [false, false, true, true]),
];

const ENDS_TOKEN: (&str, &str) = ("DELETE", "/tokens");

/// What stands in the paths: a dataset that is there, and names that nothing has.
const PLACES: &[(&str, &str)] = &[
    ("{name}", DATASET),
    ("{id}", "nothing-has-this-name"),
    ("{request}", "00000000000000000000000000000000000000000000000000000000000000ff"),
    ("{digest}", "00000000000000000000000000000000000000000000000000000000000000ff"),
    ("{part}", "certificate"),
    ("{leaf}", "0"),
    ("{*path}", "entries/000.p/1"),
];

#[test]
fn the_table_names_every_call() {
    let mine: Vec<_> = TABLE.iter().map(|(method, path, _)| (*method, *path)).collect();
    let theirs: Vec<_> = ACCESS.iter().map(|access| (access.method, access.path)).collect();
    assert_eq!(mine, theirs);
    for (access, (_, path, passes)) in ACCESS.iter().zip(TABLE) {
        let roles = [Role::Analyst, Role::Officer, Role::Auditor].map(|role| access.roles.contains(&role));
        let open = access.roles.is_empty();
        assert_eq!([open, open || roles[0], open || roles[1], open || roles[2]], *passes, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says() {
    let world = World::start().await;
    let tokens = &world.tokens;
    for (who, token) in ["", &tokens.analyst, &tokens.officer, &tokens.auditor].into_iter().enumerate() {
        // The call that ends a token comes last.
        let ends = |line: &&Line| (line.0, line.1) == ENDS_TOKEN;
        for &(method, path, passes) in TABLE.iter().filter(|line| !ends(line)).chain(TABLE.iter().filter(ends)) {
            let path = PLACES.iter().fold(path.to_owned(), |path, (place, value)| path.replace(place, value));
            let body = (method == "POST").then(|| ("application/json", b"{}".to_vec()));
            let got = world.call(method, &path, token, body).await;
            let refused_at_the_gate = match got.status {
                401 => true,
                403 => got.code() == "role-forbidden",
                _ => false,
            };
            assert_eq!(!refused_at_the_gate, passes[who], "{method} {path} as {who}: {got:?}");
            assert_ne!(got.status, 500, "{method} {path} as {who}: {got:?}");
            if who == 0 && !passes[who] {
                assert_eq!(got.status, 401, "{method} {path}");
            }
        }
    }
}
