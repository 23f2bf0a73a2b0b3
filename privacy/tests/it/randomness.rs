//! Where OpenDP's random bytes come from, as the build has it (decision 0002).

/// The block of one package in `Cargo.lock`.
fn locked<'a>(lock: &'a str, name: &str) -> Vec<&'a str> {
    let first_line = format!("name = \"{name}\"\n");
    lock.split("[[package]]\n").filter(|block| block.starts_with(&first_line)).collect()
}

#[test]
fn opendp_draws_through_the_operating_system() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
    let [opendp] = locked(&lock, "opendp")[..] else { panic!("not one OpenDP") };
    // OpenDP depends on it only with the feature under which its one source of bytes is `rand_priv_bytes`.
    assert!(opendp.contains("\n \"openssl\",\n"), "OpenDP is built without `use-openssl`");
    let [openssl] = locked(&lock, "openssl")[..] else { panic!("not one crate of the name `openssl`") };
    assert!(openssl.contains("version = \"0.10.999\"") && !openssl.contains("source ="), "not this workspace's own");
    assert!(openssl.contains("dependencies = [\n \"getrandom"), "it must ask the operating system");
    assert!(locked(&lock, "openssl-sys").is_empty(), "no C library of that name");
}

#[test]
fn bytes_are_there_and_differ() {
    use opendp::traits::samplers::fill_bytes;
    let (mut first, mut second) = ([0; 64], [0; 64]);
    fill_bytes(&mut first).unwrap();
    fill_bytes(&mut second).unwrap();
    assert_ne!(first, second);
    assert!(first.iter().any(|byte| *byte != 0) && second.iter().any(|byte| *byte != 0));
}
