//! What is asked, in its order.

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Which cameras: `libcamera:0`, with blanks in between.
    Cameras,
    /// Their names.
    Names,
    /// Which axes there are, and whether they are real.
    Rig,
    /// How pins are reached.
    Backend,
    /// What hangs on which pin.
    Pin(Function),
    /// Whether it is wired as the table in docs/wiring.md has it.
    Wiring,
    /// The motors' driver boards.
    Board,
    /// Full steps a turn of a motor.
    FullSteps,
    /// Microsteps a full step.
    Microsteps,
    /// How far the turntable turns by a turn of its motor.
    TurntableGear,
    /// How far the lift goes by a turn of its motor.
    LiftLead,
    /// How high the lift goes.
    LiftTravel,
    /// How far the arm tilts by a turn of its motor.
    TiltGear,
    /// Its lowest and highest tilt.
    TiltTravel,
    /// How far the cameras stand from the turntable's axis.
    Distances,
    /// How high.
    CameraHeights,
    /// Where around the axis.
    Azimuths,
    /// The height that they look at.
    LookAt,
    /// Images around the object.
    Angles,
    /// Heights of the lift.
    Heights,
    /// Points of a sphere.
    Points,
    /// Lowest and highest tilt of them.
    Tilts,
    /// Where scans go.
    Directory,
    /// From where the page is reached.
    Page,
}

/// What a pin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// The emergency stop.
    EmergencyStop,
    /// A pulse is a step of the turntable's motor.
    TurntableStep,
    /// Which way it goes.
    TurntableDirection,
    /// What powers it.
    TurntableEnable,
    /// As that of the turntable.
    LiftStep,
    /// As that of the turntable.
    LiftDirection,
    /// As that of the turntable.
    LiftEnable,
    /// Closes at the lower end.
    LiftSwitch,
    /// As that of the turntable.
    TiltStep,
    /// As that of the turntable.
    TiltDirection,
    /// As that of the turntable.
    TiltEnable,
    /// Closes at the lower end.
    TiltSwitch,
    /// The light on the object.
    Light,
    /// The panel behind it.
    Backlight,
    /// The start button.
    Start,
    /// The stop button.
    Stop,
    /// The status LED.
    Led,
}

impl Function {
    /// All of them, in the order of asking.
    pub const ALL: [Self; 17] = [
        Self::EmergencyStop,
        Self::TurntableStep,
        Self::TurntableDirection,
        Self::TurntableEnable,
        Self::LiftStep,
        Self::LiftDirection,
        Self::LiftEnable,
        Self::LiftSwitch,
        Self::TiltStep,
        Self::TiltDirection,
        Self::TiltEnable,
        Self::TiltSwitch,
        Self::Light,
        Self::Backlight,
        Self::Start,
        Self::Stop,
        Self::Led,
    ];

    /// As a file of answers has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmergencyStop => "emergency_stop",
            Self::TurntableStep => "turntable_step",
            Self::TurntableDirection => "turntable_direction",
            Self::TurntableEnable => "turntable_enable",
            Self::LiftStep => "lift_step",
            Self::LiftDirection => "lift_direction",
            Self::LiftEnable => "lift_enable",
            Self::LiftSwitch => "lift_switch",
            Self::TiltStep => "tilt_step",
            Self::TiltDirection => "tilt_direction",
            Self::TiltEnable => "tilt_enable",
            Self::TiltSwitch => "tilt_switch",
            Self::Light => "light",
            Self::Backlight => "backlight",
            Self::Start => "start_button",
            Self::Stop => "stop_button",
            Self::Led => "led",
        }
    }
}

/// A part of the setup, with its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From 1; the machine itself is the first, of which nothing is asked.
    pub number: u32,
    /// What it is about.
    pub title: &'static str,
}

/// How many steps there are: with the machine before the questions, and the file behind them.
pub const STEPS: u32 = 9;

impl Key {
    /// All of them, in the order of asking.
    pub const ALL: &[Self] = &[
        Self::Cameras,
        Self::Names,
        Self::Rig,
        Self::Backend,
        Self::Pin(Function::EmergencyStop),
        Self::Wiring,
        Self::Pin(Function::TurntableStep),
        Self::Pin(Function::TurntableDirection),
        Self::Pin(Function::TurntableEnable),
        Self::Pin(Function::LiftStep),
        Self::Pin(Function::LiftDirection),
        Self::Pin(Function::LiftEnable),
        Self::Pin(Function::LiftSwitch),
        Self::Pin(Function::TiltStep),
        Self::Pin(Function::TiltDirection),
        Self::Pin(Function::TiltEnable),
        Self::Pin(Function::TiltSwitch),
        Self::Pin(Function::Light),
        Self::Pin(Function::Backlight),
        Self::Pin(Function::Start),
        Self::Pin(Function::Stop),
        Self::Pin(Function::Led),
        Self::Board,
        Self::FullSteps,
        Self::Microsteps,
        Self::TurntableGear,
        Self::LiftLead,
        Self::LiftTravel,
        Self::TiltGear,
        Self::TiltTravel,
        Self::Distances,
        Self::CameraHeights,
        Self::Azimuths,
        Self::LookAt,
        Self::Angles,
        Self::Heights,
        Self::Points,
        Self::Tilts,
        Self::Directory,
        Self::Page,
    ];

    /// As a file of answers has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cameras => "cameras",
            Self::Names => "names",
            Self::Rig => "rig",
            Self::Backend => "pins",
            Self::Wiring => "wiring",
            Self::Pin(function) => function.name(),
            Self::Board => "board",
            Self::FullSteps => "full_steps",
            Self::Microsteps => "microsteps",
            Self::TurntableGear => "turntable_gear",
            Self::LiftLead => "lift_lead",
            Self::LiftTravel => "lift_travel",
            Self::TiltGear => "tilt_gear",
            Self::TiltTravel => "tilt_travel",
            Self::Distances => "distance",
            Self::CameraHeights => "camera_height",
            Self::Azimuths => "azimuth",
            Self::LookAt => "look_at_height",
            Self::Angles => "angles",
            Self::Heights => "heights",
            Self::Points => "points",
            Self::Tilts => "tilts",
            Self::Directory => "directory",
            Self::Page => "page",
        }
    }

    /// The question of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The part that it belongs to.
    pub const fn step(self) -> Step {
        let (number, title) = match self {
            Self::Cameras | Self::Names => (2, "cameras"),
            Self::Rig => (3, "the rig"),
            Self::Distances | Self::CameraHeights | Self::Azimuths | Self::LookAt => (5, "distances"),
            Self::Board
            | Self::FullSteps
            | Self::Microsteps
            | Self::TurntableGear
            | Self::LiftLead
            | Self::LiftTravel
            | Self::TiltGear
            | Self::TiltTravel => (5, "motors and distances"),
            Self::Angles | Self::Heights | Self::Points | Self::Tilts => (6, "the plan"),
            Self::Directory => (7, "where scans go"),
            Self::Page => (8, "the page"),
            Self::Backend | Self::Pin(_) | Self::Wiring => (4, "pins"),
        };
        Step { number, title }
    }
}
