//! Reads `[mqtt]`: where it is published how the scanner stands.

use crate::config::reader::Reader;
use crate::config::{Broker, Mqtt};

/// Where Home Assistant looks, unless somebody has told it otherwise.
const DISCOVERY: &str = "homeassistant";
/// Longest topic of ours.
const LONGEST: usize = 128;

pub(super) fn mqtt(mqtt: &mut Reader<'_, '_, '_>) -> Option<Mqtt> {
    let broker: Option<String> = mqtt.required("broker");
    let broker = broker.and_then(|text| match Broker::parse(&text) {
        Ok(broker) => Some(broker),
        // A password may be in it, and is not repeated.
        Err(message) => {
            let hint = "write one like \"mqtt://192.168.1.20\" or \"mqtts://broker.example.org:8883\"; name and password have keys of \
                        their own";
            mqtt.reject("broker", message, hint);
            None
        }
    });
    let user: Option<String> = mqtt.optional("user");
    let password_file = mqtt.path("password_file");
    if password_file.is_some() && user.is_none() {
        mqtt.reject("password_file", "is nobody's", "write whose password it is: user = \"scanner\"");
    }
    let ca = mqtt.path("ca");
    if ca.is_some() && broker.as_ref().is_some_and(|broker| !broker.is_encrypted) {
        mqtt.reject("ca", "is for a broker at mqtts://", "write mqtts:// in `broker`, or remove `ca`");
    }
    let topic = mqtt.or("topic", String::from("scanner"));
    check(mqtt, "topic", &topic);
    let discovery = if mqtt.is_off("discovery") {
        None
    } else {
        let prefix = mqtt.or("discovery", String::from(DISCOVERY));
        check(mqtt, "discovery", &prefix);
        Some(prefix)
    };
    Some(Mqtt { broker: broker?, user, password_file, ca, topic, discovery })
}

/// What may be published to: no wildcards, nothing that is the broker's own.
fn check(mqtt: &mut Reader<'_, '_, '_>, key: &str, topic: &str) {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let parts = topic.split('/').all(|part| !part.is_empty());
    if !parts || topic.len() > LONGEST || !topic.chars().all(fits) {
        let hint = "write letters, digits, `-`, `_` and `.`, parted by `/`: \"workshop/scanner\"";
        mqtt.reject(key, &format!("cannot be {topic:?}"), hint);
    }
}
