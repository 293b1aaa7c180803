//! What is asked and answered at the control socket.

use serde::{Deserialize, Serialize};

use super::error::Reason;
use super::tokens::May;
use crate::model::Axis;
use crate::plan::NewPoint;
use crate::rig::panel::Button;
use crate::scan::DescriptionChanges;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What the rig is doing.
    Status,
    /// Begin a new scan.
    Start {
        /// Of this plan; of the first one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// Of the empty rig.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reference: bool,
        /// What to call it.
        #[serde(default, skip_serializing_if = "DescriptionChanges::is_empty")]
        description: DescriptionChanges,
    },
    /// Call a scan something else, whether it is under way or not.
    Describe {
        /// The id of the scan that is called something else.
        scan: String,
        /// What is to be different.
        changes: DescriptionChanges,
    },
    /// Go on with a scan.
    Resume {
        /// The id of the scan that is to go on.
        scan: String,
    },
    /// Take shots of a scan again.
    Retake {
        /// The id of the scan that they are of.
        scan: String,
        /// Their indices in the plan.
        shots: Vec<u32>,
    },
    /// Add points to a scan, whether it is under way or not.
    Extend {
        /// The id of the scan.
        scan: String,
        /// What is to be visited, in any order.
        points: Vec<NewPoint>,
    },
    /// Stop the scan under way so that it can be resumed.
    Pause,
    /// Stop the scan under way for good.
    Cancel,
    /// Send a test to everybody who is notified.
    NotifyTest,
    /// Read the configuration again.
    Reload {
        /// At the end of what is under way, if something is; else that is refused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        when_idle: bool,
    },
    /// Let the axes move again after a fault.
    Clear,
    /// Find out where axes stand.
    Home {
        /// Which; those of which it is not known if empty.
        #[serde(default)]
        axes: Vec<Axis>,
    },
    /// Give a simulated pin a level.
    Level {
        /// Number of the pin, as the configuration has it.
        pin: u32,
        /// High, low, or its own if absent.
        #[serde(default)]
        high: Option<bool>,
    },
    /// Make, remove or list tokens for the API.
    Token {
        /// What is to be done to tokens.
        action: TokenAction,
    },
    /// Let in, or refuse, a browser that asks to be paired.
    Pair {
        /// The code that its page shows.
        code: String,
        /// Whether it is to be refused, and not let in.
        #[serde(default)]
        refuse: bool,
    },
    /// Make a link by which one browser is let in.
    Open {
        /// What its token is to be called.
        name: String,
    },
    /// Press a button of a simulated panel.
    Press {
        /// The button that is pressed.
        button: Button,
    },
}

/// What to do about tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenAction {
    /// Make one; it is the message of the answer.
    New {
        /// What to call it.
        name: String,
        /// What its holder may do.
        #[serde(default)]
        may: May,
    },
    /// Make the token of a name invalid.
    Revoke {
        /// What it is called.
        name: String,
    },
    /// Names and times of all.
    List,
}

/// What is answered to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Reply {
    /// It was done, or is being done.
    Ok {
        /// A sentence for people.
        message: String,
        /// What was asked for, if it was a question.
        #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
        status: serde_json::Value,
    },
    /// It was not done, or not to its end.
    Refused {
        /// Why not, for programs: it becomes the exit code.
        reason: Reason,
        /// Why, and what to do.
        message: String,
    },
}

impl Reply {
    /// It was done, which `message` says to people.
    pub fn done(message: &str) -> Self {
        Self::Ok { message: message.to_owned(), status: serde_json::Value::Null }
    }
}
