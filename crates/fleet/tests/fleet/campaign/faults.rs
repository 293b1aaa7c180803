//! What goes wrong, and when: made of a seed.

use std::fmt;
use std::time::Duration;

use crate::world::Cable;

/// The same numbers of the same seed (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * ((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    NodeKilled,
    /// It gets no processor.
    NodeStopped,
    DriverKilled,
    RemoteKilled,
    LeadKilled,
    BrokerKilled,
    CableOfNodePulled,
    CableOfLeadPulled,
    /// No end of the cable sees that nothing goes by it.
    NodeUnheard,
    Slow,
    Late,
}

/// All of them.
pub(super) const ALL: [Kind; 11] = [
    Kind::NodeKilled,
    Kind::LeadKilled,
    Kind::BrokerKilled,
    Kind::CableOfNodePulled,
    Kind::NodeStopped,
    Kind::DriverKilled,
    Kind::RemoteKilled,
    Kind::CableOfLeadPulled,
    Kind::NodeUnheard,
    Kind::Slow,
    Kind::Late,
];

/// What a fault is of. Of each, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Lead,
    Broker,
    Node(usize),
    Link(Cable),
}

/// When a fault begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum When {
    /// Once so many images are stored.
    Images(usize),
    /// So long after the one before, whatever has come of that.
    After(Duration),
}

/// A fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Of the kinds that have one.
    pub(super) node: usize,
    pub(super) when: When,
    pub(super) lasts: Duration,
    /// Kilobits a second, or milliseconds.
    pub(super) amount: u32,
}

impl Fault {
    pub(super) fn subject(&self) -> Subject {
        match self.kind {
            Kind::LeadKilled => Subject::Lead,
            Kind::BrokerKilled => Subject::Broker,
            Kind::CableOfLeadPulled => Subject::Link(Cable::Lead),
            Kind::NodeKilled | Kind::NodeStopped | Kind::DriverKilled | Kind::RemoteKilled => {
                Subject::Node(self.node)
            }
            Kind::CableOfNodePulled | Kind::NodeUnheard | Kind::Slow | Kind::Late => {
                Subject::Link(Cable::Node(self.node))
            }
        }
    }

    /// Whether cameras can go on, only slower.
    pub(super) fn is_mild(&self) -> bool {
        matches!(self.kind, Kind::Slow | Kind::Late)
    }

    /// The cameras that it is of.
    pub(super) fn cameras(&self, nodes: usize) -> std::ops::Range<usize> {
        match self.subject() {
            Subject::Lead | Subject::Broker | Subject::Link(Cable::Lead) => 0..nodes,
            Subject::Node(node) | Subject::Link(Cable::Node(node)) => node..node + 1,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, node, when, lasts, amount } = self;
        write!(f, "{kind:?}")?;
        if let Subject::Node(_) | Subject::Link(Cable::Node(_)) = self.subject() {
            write!(f, " {node}")?;
        }
        match kind {
            Kind::Slow => write!(f, ", {amount} kbit/s")?,
            Kind::Late => write!(f, ", {amount} ms")?,
            Kind::NodeKilled
            | Kind::NodeStopped
            | Kind::DriverKilled
            | Kind::RemoteKilled
            | Kind::LeadKilled
            | Kind::BrokerKilled
            | Kind::CableOfNodePulled
            | Kind::CableOfLeadPulled
            | Kind::NodeUnheard => {}
        }
        write!(f, " for {:.1} s ", lasts.as_secs_f64())?;
        match when {
            When::Images(count) => write!(f, "at {count} images"),
            When::After(pause) => write!(f, "{:.1} s after the one before", pause.as_secs_f64()),
        }
    }
}

/// So many faults of these kinds, none for longer than `longest` seconds, over a scan of so many shots: each kind before any a second
/// time. One in three, if `may_follow`, comes shortly after the one before.
pub(super) fn schedule(
    chance: &mut Chance,
    kinds: &[Kind],
    count: usize,
    nodes: usize,
    shots: usize,
    longest: f64,
    may_follow: bool,
) -> Vec<Fault> {
    let mut places: Vec<usize> = (0..count).map(|_| 1 + chance.below(shots * 9 / 10)).collect();
    places.sort_unstable();
    let mut left = Vec::new();
    let mut faults = Vec::new();
    for (index, place) in places.into_iter().enumerate() {
        if left.is_empty() {
            left = kinds.to_vec();
            chance.shuffle(&mut left);
        }
        let Some(kind) = left.pop() else { break };
        let follows = may_follow && index > 0 && chance.below(3) == 0;
        let when = if follows { When::After(seconds(chance.between(0.0, 6.0))) } else { When::Images(place) };
        let lasts = match kind {
            Kind::DriverKilled | Kind::RemoteKilled => Duration::ZERO,
            Kind::Slow | Kind::Late => seconds(chance.between(longest / 3.0, longest)),
            Kind::NodeKilled
            | Kind::NodeStopped
            | Kind::LeadKilled
            | Kind::BrokerKilled
            | Kind::CableOfNodePulled
            | Kind::CableOfLeadPulled
            | Kind::NodeUnheard => seconds(chance.between(0.1, longest)),
        };
        let (least, most) = if kind == Kind::Slow { (150.0, 2_000.0) } else { (2.0, 60.0) };
        let amount = chance.between(least, most) as u32;
        faults.push(Fault { kind, node: chance.below(nodes), when, lasts, amount });
    }
    faults
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}
