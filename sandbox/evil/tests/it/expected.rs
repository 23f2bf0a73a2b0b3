//! Every attack ends as the record says, however rows and workers are cut, and an honest job beside it is served.

use glovebox_evil::attack::HONEST;
use glovebox_evil::record::{self, Record};
use glovebox_evil::suite::{CUT, PLAIN};

use crate::support::{attacks, named, shipped, wait_for};

/// With BLESS=1 the record is written anew.
#[test]
fn every_attack_ends_as_expected_and_disturbs_nobody() {
    let (suite, honest) = (shipped(), named(HONEST));
    let mut found = Record::new();
    wait_for(async {
        let right = suite.cells(&honest, PLAIN).await.unwrap();
        for attack in attacks() {
            // An honest job runs at the same time, and after every attack that came before.
            let (line, served) = tokio::join!(record::observe(&suite, &attack), suite.cells(&honest, CUT));
            assert_eq!(served.unwrap(), right, "an honest job beside `{}`", attack.name);
            if line.starts_with("run: ") {
                let cut = suite.cells(&attack, CUT).await.unwrap();
                assert!(line.contains(&record::cells(&cut)), "`{}` cut otherwise: {cut:?}, {line}", attack.name);
            }
            found.insert(attack.name, line);
        }
    });
    let mut expected = record::committed().unwrap();
    if std::env::var_os("BLESS").is_some() {
        // What these tests leave out is recorded by `attack-guests`.
        expected.retain(|name, _| named(name).slow);
        expected.extend(found);
        record::bless(&expected).unwrap();
        return;
    }
    expected.retain(|name, _| !named(name).slow);
    let differences = record::differences(&expected, &found);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
