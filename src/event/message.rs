//! The types of events as the log knows them: a target, by which it can be filtered, and journald's `MESSAGE_ID`, by
//! which `journalctl -x` finds the text in `systemd/scanner.catalog`. Neither ever changes its meaning.

/// The target of each type of event.
pub(super) mod target {
    pub(in crate::event) const STARTED: &str = "scanner::event::started";
    pub(in crate::event) const RESUMED: &str = "scanner::event::resumed";
    pub(in crate::event) const MOVING: &str = "scanner::event::moving";
    pub(in crate::event) const CAPTURED: &str = "scanner::event::captured";
    pub(in crate::event) const HELD: &str = "scanner::event::held";
    pub(in crate::event) const ATTEMPT_FAILED: &str = "scanner::event::attempt_failed";
    pub(in crate::event) const RECOVERING: &str = "scanner::event::recovering";
    pub(in crate::event) const RECOVERED: &str = "scanner::event::recovered";
    pub(in crate::event) const RECOVERY_FAILED: &str = "scanner::event::recovery_failed";
    pub(in crate::event) const WEDGED: &str = "scanner::event::wedged";
    pub(in crate::event) const STORED: &str = "scanner::event::stored";
    pub(in crate::event) const FLAGGED: &str = "scanner::event::flagged";
    pub(in crate::event) const DISPLACED: &str = "scanner::event::displaced";
    pub(in crate::event) const STORE_FAILED: &str = "scanner::event::store_failed";
    pub(in crate::event) const SHOT_FAILED: &str = "scanner::event::shot_failed";
    pub(in crate::event) const RETAKE: &str = "scanner::event::retake";
    pub(in crate::event) const EXTENDED: &str = "scanner::event::extended";
    pub(in crate::event) const PAUSED: &str = "scanner::event::paused";
    pub(in crate::event) const COMPLETE: &str = "scanner::event::complete";
    pub(in crate::event) const ENDED: &str = "scanner::event::ended";
    pub(in crate::event) const NOT_RESUMED: &str = "scanner::event::not_resumed";
    pub(in crate::event) const EXPORTED: &str = "scanner::event::exported";
    pub(in crate::event) const EXPORT_FAILED: &str = "scanner::event::export_failed";
    pub(in crate::event) const DELIVERED: &str = "scanner::event::delivered";
    pub(in crate::event) const DELIVERY_FAILED: &str = "scanner::event::delivery_failed";
}

/// Every type of event.
const IDS: [(&str, &str); 25] = [
    (target::STARTED, "27cdfee3cc43471eb1be56728c693be3"),
    (target::RESUMED, "4ba11ac876b447a5a6b2ad968a75e4c8"),
    (target::MOVING, "33f2b62f8fb946bfa511d2bf941d3efb"),
    (target::CAPTURED, "b6392f6009054b4c97e0dae7ea892521"),
    (target::HELD, "441ffc64bd8149b7bd3caf88a0e0b684"),
    (target::ATTEMPT_FAILED, "ef8876ac55544e81a105d500d28c6ceb"),
    (target::RECOVERING, "cacb52860ce949558441b69937f9b4f7"),
    (target::RECOVERED, "54702c8cf13b4602bb59cd99213b2fc5"),
    (target::RECOVERY_FAILED, "78c702eaefed4c23991c61390a9935ca"),
    (target::WEDGED, "6576a9621a5741f597f6974850d09847"),
    (target::STORED, "553d7349e33843e592eb1f614187bd59"),
    (target::FLAGGED, "05a36d1995be4b1589c9c3088496c0fb"),
    (target::DISPLACED, "1654fb5bb2f845d4a8afda5e778422f9"),
    (target::STORE_FAILED, "8ccb3e7c80fb46e1b3df88ade8935fc6"),
    (target::SHOT_FAILED, "0080fbb1827f442c8b326aded886662e"),
    (target::RETAKE, "32cd6c7808694ae8a31b7ed3875fe501"),
    (target::EXTENDED, "01ff198c1ec1d8215940b988270f47fb"),
    (target::PAUSED, "63ea20f365fb4db6ba523a5614e51abd"),
    (target::COMPLETE, "b8a5b77b85eb43ccbfccfaac9afaf21c"),
    (target::ENDED, "d0a4f6b5b0d84e7a9a33cf6d0b1f2c57"),
    (target::NOT_RESUMED, "9d3f60c1b8a24e7795e12f4b7c0d86a5"),
    (target::EXPORTED, "5b1c9f0e6a7d4f38b2c4d85e91a3706f"),
    (target::EXPORT_FAILED, "e47a2d6c03914bb59f18c6a07d52be93"),
    (target::DELIVERED, "8c2f51d7e0a94b6d93e7f04a1b68c35d"),
    (target::DELIVERY_FAILED, "1f9ad3c46b7e4e25a80c5d92e6374bf1"),
];

/// Journald's name for the type of event that is logged with this target; none for the rest of the log.
pub fn message_id(target: &str) -> Option<&'static str> {
    IDS.iter().find(|(name, _)| *name == target).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_an_id_of_its_own_and_a_text_in_the_catalogue() {
        let catalogue = include_str!("../../systemd/scanner.catalog");
        let ids: std::collections::HashSet<_> = IDS.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), IDS.len());
        for (target, id) in IDS {
            assert_eq!(message_id(target), Some(id));
            assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            assert!(catalogue.contains(&format!("-- {id}\nSubject: ")), "{target} is not in the catalogue");
        }
        assert_eq!(catalogue.matches("\n-- ").count(), IDS.len(), "the catalogue has what is not logged");
        assert_eq!(message_id("scanner::daemon"), None);
    }
}
