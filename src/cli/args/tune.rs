//! `scanner tune`.

use clap::Args;

use super::RigAxis;

#[derive(Debug, Args)]
pub(in crate::cli) struct TuneArgs {
    /// Only this axis; can be given again for others
    #[arg(long, value_name = "AXIS", conflicts_with = "speed")]
    axis: Vec<RigAxis>,
    /// Find how fast this axis can be, not how it swings: it is moved to and fro, faster each time, until steps are lost; the
    /// ring of marks tells
    #[arg(long, value_name = "AXIS", num_args = 0..=1, default_missing_value = "turntable")]
    speed: Option<RigAxis>,
    /// Try no more than so many times the configured speed: 1.1 to 20
    #[arg(long, value_name = "FACTOR", default_value_t = 4.0, requires = "speed")]
    most: f64,
    /// Only say what is found: write it nowhere
    #[arg(long)]
    dry_run: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What is to be found.
#[derive(Debug)]
pub(in crate::cli) enum Tuned {
    /// How axes swing.
    Swing(SwingArgs),
    /// How fast an axis can be.
    Speed(SpeedArgs),
}

#[derive(Debug)]
pub(in crate::cli) struct SwingArgs {
    /// All of them if none is named.
    pub(in crate::cli) axis: Vec<RigAxis>,
    pub(in crate::cli) dry_run: bool,
    pub(in crate::cli) json: bool,
}

#[derive(Debug)]
pub(in crate::cli) struct SpeedArgs {
    pub(in crate::cli) axis: RigAxis,
    /// So many times the configured speed at most.
    pub(in crate::cli) most: f64,
    pub(in crate::cli) dry_run: bool,
    pub(in crate::cli) json: bool,
}

impl TuneArgs {
    /// What is asked for.
    pub(in crate::cli) fn tuned(self) -> Tuned {
        let Self { axis, speed, most, dry_run, json } = self;
        match speed {
            Some(axis) => Tuned::Speed(SpeedArgs { axis, most, dry_run, json }),
            None => Tuned::Swing(SwingArgs { axis, dry_run, json }),
        }
    }
}
