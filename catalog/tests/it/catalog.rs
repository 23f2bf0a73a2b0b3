//! What lies on disk: encrypted, whole or absent, and closed to every other key.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use glovebox_catalog::{Catalog, CatalogError};

use crate::support::{Place, csv, found_in, lines, plain_visits, stored, visits};

const CANARY: &str = "canary-3f1c";

#[tokio::test]
async fn a_registered_dataset_is_there_after_reopening() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv((0..50).map(|n| (n % 20, n as f64)))).unwrap();
    let before = stored(&added.dataset).await;
    let reopened = Catalog::open(&place.catalog_dir(), &place.key()).unwrap();
    let name = plain_visits().name().clone();
    assert_eq!(reopened.names(), std::slice::from_ref(&name));
    let dataset = reopened.get(&name).unwrap();
    assert_eq!(stored(&dataset).await, before);
    assert_eq!(dataset.manifest(), &plain_visits());
    assert_eq!(dataset.snapshot(), added.dataset.snapshot());
    assert_eq!(dataset.manifest_digest(), plain_visits().digest());
}

#[tokio::test]
async fn no_cell_lies_on_disk_in_the_clear() {
    let place = Place::new();
    let manifest = visits(|text| text.replace("\"east\"", "\"north\""));
    let rows: String = (0..500).map(|n| format!("{n},{CANARY}-phone,{CANARY}-ward,1\n")).collect();
    let added = place.add(&manifest, &format!("person,phone,ward,cost\n{rows}")).unwrap();
    assert!(found_in(place.dir.path(), CANARY), "the officer's file has it");
    assert!(!found_in(&place.catalog_dir(), CANARY));
    let kept = lines(&stored(&added.dataset).await);
    assert!(kept.iter().all(|line| line.contains("canary-3f1c-ward") && !line.contains("phone")));
    // Column names are public, and are in the manifest, but the footer is encrypted too.
    let data = fs::read(place.catalog_dir().join("medical.visits/data.parquet")).unwrap();
    assert!(!data.windows(4).any(|window| window == b"ward"));
    assert!(data.starts_with(b"PARE"));
}

#[test]
fn another_master_key_opens_nothing() {
    let place = Place::new();
    place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let other = place.file("other.key", [7; 32]);
    let open = || Catalog::open(&place.catalog_dir(), &other);
    assert!(open().unwrap_err().to_string().contains("(mode 0600)"), "others may read it");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open().unwrap_err().to_string().contains("does not open this catalog"));
    fs::write(&other, [7; 31]).unwrap();
    assert!(open().unwrap_err().to_string().contains("exactly 32 bytes"));
}

#[test]
fn whatever_is_altered_fails_to_open() {
    let alter = |file: &str, edit: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let place = Place::new();
        place.add(&plain_visits(), &csv([(1, 1.0), (2, 5.0)])).unwrap();
        let path = place.catalog_dir().join("medical.visits").join(file);
        fs::write(&path, edit(fs::read(&path).unwrap())).unwrap();
        Catalog::open(&place.catalog_dir(), &place.key()).map(|_| ()).unwrap_err().to_string()
    };
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1).into_bytes()
        }
    };
    assert!(alter("manifest.toml", &replace("upper = 100.0", "upper = 999.0")).contains("was altered"));
    assert!(alter("manifest.toml", &replace("max_units = 100000", "max_units = 5")).contains("was altered"));
    assert!(alter("manifest.toml", &replace("[dataset]", "[data]")).contains("damaged"));
    assert!(alter("snapshot.json", &replace("\"rows\": \"", "\"rows\": \"0")).contains("was altered"));
    assert!(alter("snapshot.json", &replace("\"format\": 1", "\"format\": 2")).contains("damaged"));
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 40].to_vec();
    assert!(alter("data.parquet", &cut).contains("damaged"));
    let flip = |mut bytes: Vec<u8>| {
        let place = bytes.len() - 60;
        bytes[place] ^= 1;
        bytes
    };
    assert!(alter("data.parquet", &flip).contains("damaged"));
}

#[test]
fn rows_of_one_dataset_cannot_stand_in_for_another() {
    let place = Place::new();
    place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let other = visits(|text| text.replace("medical.visits", "medical.other"));
    place.add(&other, &csv([(2, 2.0)])).unwrap();
    let dir = place.catalog_dir();
    fs::copy(dir.join("medical.other/data.parquet"), dir.join("medical.visits/data.parquet")).unwrap();
    assert!(Catalog::open(&dir, &place.key()).is_err());
}

#[test]
fn an_interrupted_registration_leaves_nothing() {
    let place = Place::new();
    let dir = place.catalog_dir();
    fs::create_dir(dir.join(".unfinished-1")).unwrap();
    fs::write(dir.join(".unfinished-1/data.parquet"), "half").unwrap();
    let catalog = Catalog::open(&dir, &place.key()).unwrap();
    assert!(catalog.names().is_empty());
    assert!(!dir.join(".unfinished-1").exists());
    // A refused file leaves nothing either.
    assert!(place.add(&plain_visits(), "person\nx\n").is_err());
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "only catalog.json");
}

#[test]
fn a_catalog_is_made_once_and_its_key_lies_elsewhere() {
    let place = Place::new();
    let again = Catalog::create(&place.catalog_dir(), &place.key());
    assert!(matches!(again, Err(CatalogError::Exists(_))));
    let inside = place.dir.path().join("inside");
    let refused = Catalog::create(&inside, &inside.join("master.key"));
    assert!(matches!(refused, Err(CatalogError::KeyInside(_))));
    assert_eq!(fs::metadata(place.key()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(place.key()).unwrap().len(), 32);
}
