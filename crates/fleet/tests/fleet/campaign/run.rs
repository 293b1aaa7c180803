//! One run: the scan, and what is done to it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use scanner::clock::now_ns;

use super::faults::{Fault, Kind, Subject, When};
use super::ledger::Ledger;
use crate::bench::Fleet;
use crate::deaths::{kill, processes};
use crate::support::Running;
use crate::world::{Cable, World};

/// How often is looked.
const ROUND: Duration = Duration::from_millis(20);
/// Without an image for so long, it does not go on: generous, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// From the end of a run that is not complete to the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a camera was without an image.
pub(super) struct Recovery {
    pub(super) kind: Kind,
    /// From the fault to the next image that was exposed after it, in seconds.
    pub(super) from_begin: f64,
    /// From the end of the last of all faults before that image; none if it came before that of the fault.
    pub(super) after_end: Option<f64>,
}

/// A fault that has begun.
struct Begun {
    fault: Fault,
    at: Instant,
    at_ns: u64,
    /// What lengthens the way.
    way: Option<Running>,
    ended_ns: Option<u64>,
}

pub(super) struct Run<'a> {
    fleet: &'a mut Fleet,
    world: &'a World,
    nodes: usize,
    shots: usize,
    left: std::collections::VecDeque<Fault>,
    begun: Vec<Begun>,
    lead: Option<Running>,
    /// When the next run begins, if none is under way.
    next: Instant,
    runs: usize,
    id: Option<String>,
    ledger: Option<Ledger>,
    wrong: Vec<String>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        fleet: &'a mut Fleet,
        world: &'a World,
        nodes: usize,
        points: u32,
        faults: &[Fault],
    ) -> Self {
        Self {
            fleet,
            world,
            nodes,
            shots: nodes * points as usize,
            left: faults.iter().copied().collect(),
            begun: Vec::new(),
            lead: None,
            next: Instant::now(),
            runs: 0,
            id: None,
            ledger: None,
            wrong: Vec::new(),
        }
    }

    /// Scans, and goes on with it whenever it has stopped, until it says that it is complete; an error says why it does not.
    pub(super) fn until_complete(&mut self) -> Result<(), String> {
        let (mut stored, mut since) = (0, Instant::now());
        loop {
            std::thread::sleep(ROUND);
            self.look();
            if self.stored() != stored {
                (stored, since) = (self.stored(), Instant::now());
            } else if since.elapsed() > PATIENCE {
                return Err(format!("no image came for {PATIENCE:?}: {stored} of {}", self.shots));
            }
            self.end_what_is_over(false);
            if let Some(status) = self.lead_ended() {
                self.look();
                match status.code() {
                    Some(0) => return Ok(()),
                    // Shots are missing, it is paused, or a camera cannot be used: it says so, and is gone on with.
                    Some(4 | 5 | 11) => self.verify("incomplete", false),
                    _other => return Err(format!("the lead ended: {status}")),
                }
            }
            if self.lead.is_none() && Instant::now() >= self.next && !self.is_under(Subject::Lead) {
                self.start_lead();
            }
            self.begin_what_is_due();
        }
    }

    fn look(&mut self) {
        if self.id.is_none() {
            self.id = self.fleet.rig.scan_id();
            let path = self.id.as_ref().map(|id| self.fleet.rig.scans().join(id).join("journal.jsonl"));
            self.ledger = path.map(|path| Ledger::new(path, self.nodes));
        }
        self.ledger.iter_mut().for_each(Ledger::look);
    }

    fn stored(&self) -> usize {
        self.ledger.as_ref().map_or(0, |ledger| ledger.images.len())
    }

    fn start_lead(&mut self) {
        let mut command = match &self.id {
            None => self.fleet.at_lead(&["scan", "--json"]),
            Some(id) => self.fleet.at_lead(&["resume", id, "--json"]),
        };
        let log = self.fleet.folder().join("lead.log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
        self.lead = Some(Running::spawn(&mut command));
        self.runs += 1;
    }

    /// How it ended, once it has ended by itself.
    fn lead_ended(&mut self) -> Option<std::process::ExitStatus> {
        let status = self.lead.as_mut()?.try_wait().unwrap()?;
        self.lead = None;
        self.next = Instant::now() + PAUSE;
        Some(status)
    }

    /// The dataset keeps its promises, and says complete if it is to be.
    fn verify(&mut self, what: &str, is_complete: bool) {
        let Some(id) = &self.id else { return };
        let verify = self.fleet.rig.run(&["dataset", "verify", id, "--json"]);
        let report: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap_or_default();
        if verify.code != Some(0) || (report["state"] == "complete") != is_complete {
            self.wrong.push(format!("{what}, verify: {:?} {} {}", verify.code, verify.stdout, verify.stderr));
        }
    }

    fn is_under(&self, subject: Subject) -> bool {
        self.begun.iter().any(|begun| begun.ended_ns.is_none() && begun.fault.subject() == subject)
    }

    fn begin_what_is_due(&mut self) {
        while let Some(fault) = self.left.front().copied() {
            let is_due = match fault.when {
                When::Images(count) => self.stored() >= count,
                When::After(pause) => self.begun.last().is_none_or(|begun| begun.at.elapsed() >= pause),
            };
            // A lead that does not run can be killed once it does.
            let can_be = fault.subject() != Subject::Lead || self.lead.is_some();
            if !is_due || !can_be || self.is_under(fault.subject()) {
                return;
            }
            self.left.pop_front();
            let way = self.begin(&fault);
            // What is exposed from here on came in spite of it.
            self.begun.push(Begun { fault, at: Instant::now(), at_ns: now_ns(), way, ended_ns: None });
            if fault.kind == Kind::LeadKilled {
                self.look();
                self.verify("killed", false);
            }
        }
    }

    fn begin(&mut self, fault: &Fault) -> Option<Running> {
        let cable = Cable::Node(fault.node);
        match fault.kind {
            Kind::NodeKilled => self.fleet.kill_node(fault.node),
            Kind::NodeStopped => self.signal_node(fault.node, Signal::STOP),
            Kind::DriverKilled => {
                kill_child("scanner-sim", self.fleet.node(fault.node).map(|node| node.id()), "");
            }
            Kind::RemoteKilled => {
                let lead = self.lead.as_ref().map(|lead| lead.id());
                kill_child("scanner-remote", lead, &format!("node{}/cam", fault.node));
            }
            Kind::LeadKilled => drop(self.lead.take()),
            Kind::BrokerKilled => drop(self.fleet.broker.take()),
            Kind::CableOfNodePulled => self.world.set_up(cable, false),
            Kind::CableOfLeadPulled => self.world.set_up(Cable::Lead, false),
            Kind::NodeUnheard => self.world.set_connected(cable, false),
            Kind::Slow => self.world.set_rate(cable, Some(fault.amount)),
            Kind::Late => return Some(self.world.lengthen(cable, fault.amount, fault.amount / 2)),
        }
        None
    }

    fn end_what_is_over(&mut self, or_is_not: bool) {
        for index in 0..self.begun.len() {
            let begun = &mut self.begun[index];
            if begun.ended_ns.is_none() && (or_is_not || begun.at.elapsed() >= begun.fault.lasts) {
                let (fault, way) = (begun.fault, begun.way.take());
                self.end(&fault, way);
                self.begun[index].ended_ns = Some(now_ns());
            }
        }
    }

    fn end(&mut self, fault: &Fault, way: Option<Running>) {
        let cable = Cable::Node(fault.node);
        match fault.kind {
            Kind::NodeKilled => self.fleet.start_node(fault.node),
            Kind::NodeStopped => self.signal_node(fault.node, Signal::CONT),
            Kind::BrokerKilled => self.fleet.start_broker(),
            // It is started where it does not run.
            Kind::LeadKilled | Kind::DriverKilled | Kind::RemoteKilled => {}
            Kind::CableOfNodePulled => self.world.set_up(cable, true),
            Kind::CableOfLeadPulled => self.world.set_up(Cable::Lead, true),
            Kind::NodeUnheard => self.world.set_connected(cable, true),
            Kind::Slow => self.world.set_rate(cable, None),
            Kind::Late => way.into_iter().for_each(|way| self.world.shorten(cable, way)),
        }
    }

    fn signal_node(&self, index: usize, signal: Signal) {
        let pid = self.fleet.node(index).map(|node| Pid::from_raw(node.id() as i32).unwrap());
        kill_process(pid.unwrap(), signal).unwrap();
    }

    /// Ends what is under way and says what became of it: how long cameras were without an image, and what is wrong.
    pub(super) fn close(mut self, ended: Result<(), String>) -> (Vec<Recovery>, Vec<String>) {
        self.end_what_is_over(true);
        drop(self.lead.take());
        self.look();
        let is_complete = ended.is_ok();
        self.wrong.extend(ended.err());
        self.verify("at the end", is_complete);
        let mut wrong = std::mem::take(&mut self.wrong);
        let Some(ledger) = &self.ledger else { return (Vec::new(), wrong) };
        wrong.extend(ledger.audit(self.shots as u64));
        println!(
            "  {} runs, {} images, {} failed attempts, {} failed shots; {} of {} faults",
            self.runs,
            ledger.images.len(),
            ledger.attempts_failed,
            ledger.shots_failed,
            self.begun.len(),
            self.begun.len() + self.left.len()
        );
        let mut recoveries = Vec::new();
        for begun in &self.begun {
            let of_this: Vec<_> = self.recoveries(ledger, begun).collect();
            let range = |of: Vec<f64>| match of
                .iter()
                .copied()
                .reduce(f64::min)
                .zip(of.iter().copied().reduce(f64::max))
            {
                Some((least, most)) => format!("{least:.1} to {most:.1} s"),
                None => "-".into(),
            };
            let from = range(of_this.iter().map(|recovery| recovery.from_begin).collect());
            let after = range(of_this.iter().filter_map(|recovery| recovery.after_end).collect());
            println!("  {}: next image after {from}, and {after} after the last fault", begun.fault);
            recoveries.extend(of_this);
        }
        (recoveries, wrong)
    }

    fn recoveries(&self, ledger: &Ledger, begun: &Begun) -> impl Iterator<Item = Recovery> {
        let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e9;
        begun.fault.cameras(self.nodes).filter_map(move |camera| {
            let seen_ns = ledger.next_image(camera, begun.at_ns)?.seen_ns;
            let ends = self.begun.iter().filter(|other| !other.fault.is_mild() && other.at_ns < seen_ns);
            let end_ns = ends.filter_map(|other| other.ended_ns).filter(|end_ns| *end_ns <= seen_ns).max();
            let is_over = begun.ended_ns.is_some_and(|own_ns| own_ns <= seen_ns) && !begun.fault.is_mild();
            let after_end = end_ns.filter(|_| is_over).map(|end_ns| seconds(end_ns, seen_ns));
            Some(Recovery { kind: begun.fault.kind, from_begin: seconds(begun.at_ns, seen_ns), after_end })
        })
    }
}

fn parent_of(pid: i32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// One that has just ended by itself is gone already.
fn kill_child(name: &str, parent: Option<u32>, argument: &str) {
    let children =
        processes(name, argument).into_iter().filter(|pid| parent.is_some() && parent_of(*pid) == parent);
    children.for_each(kill);
}
