//! The signature of a webhook, as Standard Webhooks has it: HMAC-SHA256 over id, time and body. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Begins a secret that is written in base64.
const ENCODED: &str = "whsec_";

/// A secret by which messages are signed.
pub(super) struct Secret(hmac::Key);

impl Secret {
    /// As it is in its file: `whsec_` and base64, or any other text, of which the bytes count.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let bytes = match text.strip_prefix(ENCODED) {
            Some(encoded) => {
                STANDARD.decode(encoded).map_err(|_| "has `whsec_` and then something that is no base64")?
            }
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() { Err("is empty") } else { Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))) }
    }

    /// The value of `webhook-signature` for a body that is sent at `seconds` since 1970.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut signed = hmac::Context::with_key(&self.0);
        signed.update(format!("{id}.{seconds}.").as_bytes());
        signed.update(body);
        format!("v1,{}", STANDARD.encode(signed.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published with the libraries of Standard Webhooks.
    #[test]
    fn the_known_message_has_its_known_signature() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// RFC 4231, test case 2: the key is a text.
    #[test]
    fn a_secret_without_a_prefix_is_its_bytes() {
        let secret = Secret::parse("Jefe").unwrap();
        let tag = hmac::sign(&secret.0, b"what do ya want for nothing?");
        let (begin, end) = tag.as_ref().split_at(16);
        let halves = [begin, end].map(|half| u128::from_be_bytes(half.try_into().unwrap()));
        assert_eq!(
            halves,
            [0x5bdc_c146_bf60_754e_6a04_2426_0895_75c7, 0x5a00_3f08_9d27_3983_9dec_58b9_64ec_3843]
        );
    }

    #[test]
    fn nothing_is_signed_with_nothing() {
        for (text, wrong) in
            [("", "is empty"), (" \n", "is empty"), ("whsec_", "is empty"), ("whsec_?", "base64")]
        {
            assert!(Secret::parse(text).err().unwrap().contains(wrong), "{text}");
        }
    }
}
