//! What Home Assistant is told: one device, and what can be read of it.
//!
//! As <https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload> has it, from 2024.12 on.

use serde_json::{Value, json};

use crate::config::Mqtt;
use crate::rig::panel::Led;

/// The topic and the JSON; none if nobody is to be told. `name` is this machine's, `page` where its page is.
pub fn discovery(mqtt: &Mqtt, name: &str, page: Option<&str>) -> Option<(String, Value)> {
    let prefix = mqtt.discovery.as_ref()?;
    let id = mqtt.id();
    let version = env!("CARGO_PKG_VERSION");
    let reads = |key: &str, name: &str, more: Value| {
        let mut component = json!({
            "platform": "sensor",
            "unique_id": format!("{id}_{key}"),
            "name": name,
            "value_template": format!("{{{{ value_json.{key} }}}}"),
        });
        if let (Value::Object(component), Value::Object(more)) = (&mut component, more) {
            component.extend(more);
        }
        component
    };
    let states: Vec<&str> = Led::ALL.iter().map(|led| led.name()).collect();
    let mut device =
        json!({ "identifiers": [id], "name": name, "manufacturer": "scanner", "sw_version": version });
    if let Some(page) = page {
        device["configuration_url"] = page.into();
    }
    let config = json!({
        "device": device,
        "origin": { "name": "scanner", "sw_version": version },
        "state_topic": mqtt.state_topic(),
        "availability_topic": mqtt.availability_topic(),
        "components": {
            "state": reads("state", "State", json!({ "device_class": "enum", "options": states })),
            "needs_person": reads("needs_person", "Needs a person", json!({
                "platform": "binary_sensor",
                "device_class": "problem",
                "value_template": "{{ 'ON' if value_json.needs_person else 'OFF' }}",
            })),
            "message": reads("message", "Message", json!({
                // Home Assistant takes no state that is longer.
                "value_template": "{{ value_json.message[:255] }}",
                "entity_category": "diagnostic",
            })),
            "scan": reads("scan", "Scan", json!({ "value_template": "{{ value_json.name or value_json.scan or 'none' }}" })),
            "percent": reads("percent", "Progress", json!({ "unit_of_measurement": "%" })),
            "stored": reads("stored", "Images stored", json!({ "unit_of_measurement": "images" })),
            "flagged": reads("flagged", "Images flagged", json!({ "unit_of_measurement": "images" })),
            "seconds_left": reads("seconds_left", "Time left", json!({
                "device_class": "duration",
                "unit_of_measurement": "s",
                "value_template": "{{ value_json.seconds_left if value_json.seconds_left is not none else 0 }}",
            })),
        },
    });
    Some((format!("{prefix}/device/{id}/config"), config))
}
