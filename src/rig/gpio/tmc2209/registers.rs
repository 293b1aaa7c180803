//! The registers of a TMC2209 that are used, from its data sheet (rev. 1.09, section 5). Pure.

use crate::config::tmc2209::Uart;

pub(super) const GCONF: u8 = 0x00;
pub(super) const GSTAT: u8 = 0x01;
pub(super) const IFCNT: u8 = 0x02;
pub(super) const IOIN: u8 = 0x06;
pub(super) const IHOLD_IRUN: u8 = 0x10;
pub(super) const TCOOLTHRS: u8 = 0x14;
pub(super) const SGTHRS: u8 = 0x40;
pub(super) const CHOPCONF: u8 = 0x6C;
pub(super) const DRV_STATUS: u8 = 0x6F;

/// `VERSION`, the highest byte of `IOIN`.
pub(super) const VERSION: u32 = 0x21;
/// `GSTAT`: it was reset since this was last cleared.
pub(super) const RESET: u32 = 1;
/// `GSTAT`: the charge pump has too little voltage, and the driver is off.
pub(super) const UNDER_VOLTAGE: u32 = 1 << 2;
/// The chip's inner clock, in hertz, as its data sheet has it.
const CLOCK_HZ: f64 = 12e6;

/// `GCONF`: the current by registers rather than by the trimmer, the UART's pin for the UART alone, microsteps by
/// register, pulses filtered.
pub(super) const fn gconf(uart: &Uart) -> u32 {
    let (pdn_disable, mstep_reg_select, multistep_filt) = (1 << 6, 1 << 7, 1 << 8);
    let en_spreadcycle = if uart.stealth { 0 } else { 1 << 2 };
    en_spreadcycle | pdn_disable | mstep_reg_select | multistep_filt
}

/// `CHOPCONF`: as after a reset (`TOFF` 3, `HSTRT` 5, `HEND` 0, interpolation), with `TBL` 2, microsteps and sensitivity.
pub(super) const fn chopconf(uart: &Uart) -> u32 {
    let mres = 8 - uart.microsteps.ilog2();
    let vsense = (uart.scale.sensitive as u32) << 17;
    0x1000_0053 | 2 << 15 | vsense | mres << 24
}

/// `IHOLD_IRUN`, with a slow way from one to the other.
pub(super) fn ihold_irun(uart: &Uart) -> u32 {
    u32::from(uart.scale.hold) | u32::from(uart.scale.run) << 8 | 8 << 16
}

/// `TCOOLTHRS`: stalls are heard of from three quarters of `steps_per_second` on. Slower, it has stalls where there are
/// none.
pub(super) fn tcoolthrs(steps_per_second: f64, microsteps: u32) -> u32 {
    // The clock is counted from one of 256 microsteps to the next, however many are asked for.
    let tstep = CLOCK_HZ / (steps_per_second * 256.0 / f64::from(microsteps));
    ((tstep / 0.75).ceil() as u32).clamp(1, 0xF_FFFF)
}

/// What keeps a driver from driving, as `GSTAT` and `DRV_STATUS` say; none if nothing does.
pub(super) fn fault(gstat: u32, status: u32) -> Option<&'static str> {
    const STATUS: [(u32, &str); 5] = [
        (1 << 1, "is too hot, and has switched itself off: lower the current, or cool it"),
        (1 << 2, "has a short to ground at coil A: check the motor's wires, with its supply off"),
        (1 << 3, "has a short to ground at coil B: check the motor's wires, with its supply off"),
        (1 << 4, "has a short to the supply at coil A: check the motor's wires, with its supply off"),
        (1 << 5, "has a short to the supply at coil B: check the motor's wires, with its supply off"),
    ];
    if gstat & RESET != 0 {
        return Some("has lost its settings: the motors' supply was off, or too low for a moment");
    }
    let named = STATUS.iter().find(|(bit, _)| status & bit != 0).map(|(_, text)| *text);
    named.or_else(|| {
        (gstat & UNDER_VOLTAGE != 0).then_some("has too little voltage: check the motors' supply")
    })
}

/// Whether it is about to be too hot.
pub(super) const fn is_warm(status: u32) -> bool {
    status & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tmc2209::CurrentScale;

    fn uart(microsteps: u32, stealth: bool) -> Uart {
        let scale = CurrentScale { sensitive: true, run: 25, hold: 12 };
        Uart { port: "/dev/serial0".into(), address: 0, scale, microsteps, stealth }
    }

    #[test]
    fn settings_are_the_bits_of_the_data_sheet() {
        assert_eq!(gconf(&uart(16, true)), 0b1_1100_0000);
        assert_eq!(gconf(&uart(16, false)), 0b1_1100_0100);
        // MRES: 0 is 256 microsteps, 8 is full steps.
        let mres = |microsteps| chopconf(&uart(microsteps, true)) >> 24 & 0xF;
        assert_eq!([256, 128, 64, 32, 16, 8, 4, 2, 1].map(mres), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(chopconf(&uart(256, true)), 0x1003_0053);
        assert_eq!(ihold_irun(&uart(16, true)), 0x0008_190C);
        // 2000 steps/s of 16 microsteps: 32,000 of 256 in a second, 375 clocks each; three quarters as fast, 500.
        assert_eq!(tcoolthrs(2000.0, 16), 500);
        assert_eq!(tcoolthrs(0.001, 1), 0xF_FFFF);
    }

    #[test]
    fn what_keeps_it_from_driving_is_named_the_cause_first() {
        assert_eq!(fault(0, 0xC000_0000), None, "at rest, in StealthChop");
        assert_eq!(fault(0, 1), None, "warm is not hot");
        assert!(is_warm(1) && !is_warm(2));
        assert!(fault(0, 1 << 1).unwrap().contains("too hot"));
        assert!(fault(2, 1 << 3).unwrap().contains("ground at coil B"));
        assert!(fault(RESET | UNDER_VOLTAGE, 1 << 3).unwrap().contains("lost its settings"));
        assert!(fault(UNDER_VOLTAGE, 0).unwrap().contains("too little voltage"));
    }
}
