//! The form of an access token: `gbx_`, 256 random bits in hexadecimal, and a CRC-32 over both.
//!
//! The check sum lets a scanner tell a token from noise, and spares the ledger a look-up for a mistyped one. It proves
//! nothing.

use glovebox_policy::Digest;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::LedgerError;

const PREFIX: &str = "gbx_";
const SECRET_DIGITS: usize = 64;
const CRC_DIGITS: usize = 8;

/// A new token.
pub(crate) fn mint() -> Result<String, LedgerError> {
    let mut secret = [0_u8; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| LedgerError::Randomness)?;
    let body = format!("{PREFIX}{}", hex::encode(secret));
    let crc = crc32(body.as_bytes());
    Ok(format!("{body}{crc:08x}"))
}

/// What is stored and looked up of a token; `None` if it does not have the form of one.
pub(crate) fn digest_of(token: &str) -> Option<Digest> {
    let (body, crc) = token.split_at_checked(PREFIX.len() + SECRET_DIGITS)?;
    let secret = body.strip_prefix(PREFIX)?;
    let lower_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let formed = lower_hex(secret) && crc.len() == CRC_DIGITS && lower_hex(crc);
    (formed && u32::from_str_radix(crc, 16) == Ok(crc32(body.as_bytes()))).then(|| Digest::of(token.as_bytes()))
}

/// CRC-32 as in IEEE 802.3. Tokens are short, so no table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn crc_has_the_standard_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn tokens_have_their_form_and_differ() {
        let token = mint().unwrap();
        assert_eq!(token.len(), 76);
        assert!(digest_of(&token).is_some());
        assert_ne!(token, mint().unwrap());
    }

    #[test]
    fn what_is_not_a_token_has_no_digest() {
        let token = mint().unwrap();
        let mut damaged = token.clone();
        let last = damaged.pop().unwrap();
        damaged.push(if last == '0' { '1' } else { '0' });
        let upper = token.to_uppercase();
        for text in
            ["", "gbx_", "gbx_é", damaged.as_str(), upper.as_str(), &format!("{token}0"), token.get(1..).unwrap()]
        {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }
}
