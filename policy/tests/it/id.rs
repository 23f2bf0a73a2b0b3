//! Which names are taken and which are refused.

use glovebox_policy::{ColumnName, DatasetName, Digest, OrgId, Purpose, Role, SnapshotId};

#[test]
fn slugs() {
    let longest = "a".repeat(64);
    for good in ["a", "0", "9-to-5", "rand_hie", "a--b__c", longest.as_str()] {
        let name: OrgId = good.parse().unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str(), String::from(name.clone()).as_str()), (good, good, good));
        assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{good}\""));
    }
    let too_long = "a".repeat(65);
    let bad = [
        "",
        " ",
        "_a",
        "-a",
        "A",
        "aB",
        "a b",
        " a",
        "a ",
        "a.b",
        "a/b",
        "a\"b",
        "a'b",
        "a;b",
        "a\0",
        "a\n",
        "é",
        "数据",
        "ａ",
        "а",
        "\u{202e}a",
        "Org::\"a\"",
        too_long.as_str(),
    ];
    for bad in bad {
        assert!(bad.parse::<OrgId>().is_err(), "{bad:?}");
        assert!(bad.parse::<ColumnName>().is_err(), "{bad:?}");
        assert!(Purpose::try_from(bad.to_owned()).is_err(), "{bad:?}");
        assert!(serde_json::from_value::<Purpose>(bad.into()).is_err(), "{bad:?}");
    }
}

/// Columns that the service adds itself start with `_`, so no request can name them.
#[test]
fn the_units_own_column_cannot_be_named() {
    assert!("__gb_unit".parse::<ColumnName>().is_err());
}

#[test]
fn dataset_names() {
    let name: DatasetName = "medical.rand_hie".parse().unwrap();
    assert_eq!((name.schema(), name.table(), name.to_string().as_str()), ("medical", "rand_hie", "medical.rand_hie"));
    for bad in ["", ".", "medical", "medical.", ".rand", "a.b.c", "a..b", "a. b", "A.b", "a.B", "\"a\".b", "a.b/c"] {
        assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        assert!(serde_json::from_value::<DatasetName>(bad.into()).is_err(), "{bad:?}");
    }
}

#[test]
fn roles() {
    for role in [Role::Analyst, Role::Officer, Role::Auditor] {
        assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
    }
    for bad in ["", "Analyst", "ANALYST", "admin", "analyst ", "root"] {
        assert!(bad.parse::<Role>().is_err(), "{bad:?}");
    }
}

#[test]
fn digests() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Digest::of(b"").to_string(), empty);
    assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
    assert_eq!(empty.to_uppercase().parse::<Digest>().unwrap().to_string(), empty);
    assert_eq!(Digest::from_bytes(*Digest::of(b"x").as_bytes()), Digest::of(b"x"));
    for bad in ["", &empty[1..], &format!("{empty}00"), &empty.replace('e', "g")] {
        assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
    }
}

/// One snapshot has one spelling, or one request would have two digests.
#[test]
fn snapshot_ids() {
    let id = SnapshotId::from_random([0xab; 16]);
    assert_eq!(id.as_str(), "ab".repeat(16));
    assert_eq!(SnapshotId::try_from(id.to_string()).unwrap(), id);
    for bad in ["".to_owned(), "AB".repeat(16), "ab".repeat(15), "ab".repeat(17), "zz".repeat(16)] {
        assert!(SnapshotId::try_from(bad.clone()).is_err(), "{bad:?}");
    }
}

#[test]
fn the_error_says_what_was_wrong() {
    let error = "No Such Org".parse::<OrgId>().unwrap_err().to_string();
    assert!(error.starts_with("`No Such Org` is not a valid organisation name: "), "{error}");
}
