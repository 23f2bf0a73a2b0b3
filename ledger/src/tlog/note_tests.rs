//! Vectors of c2sp.org/signed-note and of golang.org/x/mod/sumdb/note, and what must be refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

fn verify(note: &str, by: &str) -> Result<(), NoteError> {
    Note::parse(note.as_bytes())?.verify(&key(by))
}

fn is_malformed(note: &str) -> bool {
    matches!(Note::parse(note.as_bytes()), Err(NoteError::Malformed(_)))
}

#[test]
fn the_example_of_the_specification_verifies() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    verify(note, vkey).unwrap();
    assert_eq!(key(vkey).to_string(), vkey);
    assert_eq!(verify(&note.replace("an example", "no example"), vkey), Err(NoteError::WrongSignature));
}

#[test]
fn signing_gives_the_bytes_of_the_go_package() {
    let seed = STANDARD.decode(PETER_SEED).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.split_first().unwrap().1).unwrap();
    assert_eq!(sign(TEXT, &pair, &key(PETER)).unwrap(), format!("{TEXT}\n{PETER_LINE}"));
    assert!(sign("abc", &pair, &key(PETER)).is_err());
    assert!(sign("a\tb\n", &pair, &key(PETER)).is_err());
}

#[test]
fn unknown_signatures_are_ignored_and_wrong_ones_are_not() {
    let both = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    verify(&both, PETER).unwrap();
    verify(&both, ENOCH).unwrap();
    let note = Note::parse(both.as_bytes()).unwrap();
    assert_eq!((note.text(), note.signatures().len()), (TEXT, 2));
    assert_eq!(verify(&format!("{TEXT}\n{ENOCH_LINE}"), PETER), Err(NoteError::NotSigned));
    // Same name with another id is another key; same name and id must verify.
    let other_id = "— PeterNeumann KioqKgECAw==\n";
    verify(&format!("{TEXT}\n{other_id}{PETER_LINE}"), PETER).unwrap();
    let wrong = PETER_LINE.replace("ZJku", "ZJkv");
    assert_eq!(verify(&format!("{TEXT}\n{wrong}"), PETER), Err(NoteError::WrongSignature));
    assert_eq!(verify(&format!("{TEXT}\n{PETER_LINE}{wrong}"), PETER), Err(NoteError::WrongSignature));
}

#[test]
fn the_text_ends_at_the_last_empty_line() {
    let seed = STANDARD.decode(PETER_SEED).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.split_first().unwrap().1).unwrap();
    let text = "one\n\n— not a signature\n\nlast\n";
    let note = sign(text, &pair, &key(PETER)).unwrap();
    let read = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(read.text(), text);
    read.verify(&key(PETER)).unwrap();
}

/// The cases of `TestOpen` of the Go package.
#[test]
fn malformed_notes_are_refused() {
    let (text, peter) = (TEXT, PETER_LINE);
    let bare = text.trim_end();
    let cut = peter.trim_end();
    for note in [
        text.to_owned(),
        format!("{bare}\n{peter}"),
        format!("{bare}{peter}"),
        format!("{text}\n"),
        format!("{text}\n{cut}"),
        format!("{text}\n{cut} \n"),
        format!("{text}\n{peter}\n"),
        format!("{text}\n{peter}— \n"),
        format!("{text}\n{peter}— a+b {}", cut.rsplit(' ').next().unwrap()),
        format!("{text}\n{peter}Peter x08go/ZJku\n"),
        format!("{text}\n{peter}— PeterNeumann AAAA\n"),
        format!("{text}\n{peter}— PeterNeumann AAAAAA==\n"),
        format!("{text}\n{peter}— PeterNeumann x08go/ZJ kuBS\n"),
        format!("{text}\n{peter}— PeterNeumann x08go/ZJkuB\n"),
        format!("\x01{text}\n{peter}"),
        format!("{text}\r\n\n{peter}"),
        String::new(),
        "\n\n".to_owned(),
    ] {
        assert!(is_malformed(&note), "{note:?}");
    }
    assert!(Note::parse(&[TEXT.as_bytes(), b"\xff\n\n", peter.as_bytes()].concat()).is_err());
    assert!(is_malformed(&format!("{text}\n{}", peter.repeat(SIGNATURES_MAX + 1))));
    assert!(!is_malformed(&format!("{text}\n{}", peter.repeat(SIGNATURES_MAX))));
    assert!(is_malformed(&format!("{}\n{peter}", "a\n".repeat(NOTE_MAX_BYTES / 2))));
}

/// `TestNewVerifier` of the Go package.
#[test]
fn mangled_verifier_keys_are_refused() {
    for from in 0..=PETER.len() {
        for to in from..=PETER.len() {
            let part = PETER.get(from..to).unwrap();
            assert!(part == PETER || part.parse::<VerifierKey>().is_err(), "{part}");
        }
    }
    for at in 0..PETER.len() {
        for flip in 1..128_u8 {
            let mut bytes = PETER.as_bytes().to_vec();
            *bytes.get_mut(at).unwrap() ^= flip;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed.parse::<VerifierKey>().is_err(), "{changed}");
        }
    }
    for bad in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", &"a".repeat(NAME_MAX_BYTES + 1)] {
        assert_eq!(VerifierKey::new(name, [0; 32]), Err(NoteError::Name), "{name:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text: String) {
        let _ = Note::parse(&bytes);
        let _ = text.parse::<VerifierKey>();
        let _ = Note::parse(format!("{text}\n\n— {text}\n").as_bytes());
    }
}
