//! x
use crate::support::*;
#[test]
fn explore() {
    let text = std::fs::read_to_string("/tmp/explore.sql").unwrap();
    for sql in text.split(";;").map(str::trim).filter(|s| !s.is_empty()) {
        let t = std::time::Instant::now();
        match analyse(sql) {
            Ok(a) => println!(
                "OK   {sql}\n        {:?} {:?}",
                a.noise().families().iter().map(|f| format!("{} linf {}", f.label.get(), f.linf)).collect::<Vec<_>>(),
                a.columns().iter().map(|c| format!("{} {:?}", c.name, c.kind)).collect::<Vec<_>>()
            ),
            Err(r) => println!("NO   {sql}\n        {} {:?}", r.reason().code(), r.quotation()),
        }
        println!("        {:?}", t.elapsed());
    }
}
