//! Files of public keys, which whoever verifies has from elsewhere: one line of text.
//!
//! A key has one form only, so that a file that differs is another key or none. The last newline may be missing, because
//! keys are typed and pasted.

use anyhow::{Context as _, bail};

/// The one line of a key file, without its newline.
///
/// # Errors
/// If there is white space around it, if there are several lines, or if it is no text.
pub(crate) fn line(bytes: &[u8]) -> anyhow::Result<&str> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.trim() == *text && !text.is_empty());
    text.filter(|text| !text.contains('\n')).context("it is not one line of text without white space around it")
}

/// An officer's Ed25519 public key.
///
/// # Errors
/// If the line is not 64 hexadecimal digits in lower case.
pub(crate) fn officer_key(bytes: &[u8]) -> anyhow::Result<[u8; 32]> {
    let text = line(bytes)?;
    let mut key = [0; 32];
    if hex::decode_to_slice(text, &mut key).is_err() || hex::encode(key) != text {
        bail!("it does not hold 64 hexadecimal digits in lower case");
    }
    Ok(key)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_form() {
        let digits = "0a".repeat(32);
        assert_eq!(officer_key(digits.as_bytes()).unwrap(), [10; 32]);
        assert_eq!(officer_key(format!("{digits}\n").as_bytes()).unwrap(), [10; 32]);
        for bad in [digits.to_uppercase(), digits.repeat(2), "0a".to_owned(), "0g".repeat(32)] {
            assert!(officer_key(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [&format!("{digits}\n\n"), &format!("{digits} "), &format!(" {digits}"), "a\nb", "\n", ""] {
            assert!(line(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(line(&[0xff]).is_err());
    }
}
