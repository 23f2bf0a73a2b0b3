//! The list of attacks is in order.

use glovebox_evil::attack;

#[test]
fn there_are_many_attacks_and_each_says_what_it_tries() {
    let attacks = attack::all().unwrap();
    assert!(attacks.len() >= 150, "{} attacks", attacks.len());
    for attack in attacks {
        assert!(attack.about.ends_with('.'), "{}: {}", attack.name, attack.about);
        assert!(attack.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{}", attack.name);
    }
}
