//! `[gate]`

use crate::config::reader::Reader;
use crate::config::{Gate, MOST_RETAKES_PER_SHOT};
use crate::units::Dioptres;

pub(super) fn gate(gate: &mut Reader<'_, '_, '_>) -> Gate {
    let usual = Gate::default();
    Gate {
        policy: gate.or("policy", usual.policy),
        sharpness: gate.or_in("sharpness", &(0.0..=1.0), usual.sharpness),
        direction: gate.or_in("direction", &(0.0..=1.0), usual.direction),
        brightness: gate.or_in("brightness", &(0.01..=1.0), usual.brightness),
        clipped: gate.or_in("clipped", &(0.0..=1.0), usual.clipped),
        white: gate.or_in("white", &(0.0..=1.0), usual.white),
        black: gate.or_in("black", &(0.0..=1.0), usual.black),
        lens: gate.or_in("lens", &(Dioptres::new(0.01)..=Dioptres::new(20.0)), usual.lens),
        retakes_per_shot: gate.or_in(
            "retakes_per_shot",
            &(0..=MOST_RETAKES_PER_SHOT),
            usual.retakes_per_shot,
        ),
        retakes_per_scan: gate.or_in("retakes_per_scan", &(0..=1_000_000), usual.retakes_per_scan),
    }
}
