//! What `scanner fleet init` says.

use scanner_fleet::admin::{Begun, Invitation};

/// What was made, and what to do next.
pub(super) fn said(begun: &Begun) -> String {
    let Begun { configuration, invitation, address, left_plain } = begun;
    let Invitation { broker: _, ca } = invitation;
    let written = format!(
        "{} is written: start the broker with it (nats-server --config FILE), or restart it\n",
        configuration.display()
    );
    let way = match (ca, left_plain) {
        (Some(_), _) => "What goes to and from it is encrypted.",
        (None, true) => {
            "What goes to and from it is not encrypted, as it was: nodes and workers that were accepted would find it no more. \
             `scanner fleet init --encrypted` encrypts it; then give each of them the lines that it prints."
        }
        (None, false) => "What goes to and from it is not encrypted.",
    };
    let lines = format!("  {}\n", invitation.lines().trim_end().replace('\n', "\n  "));
    format!(
        "{written}{way} Cameras and commands of this machine find it at {address} by themselves.\nIn each node.toml and worker.toml \
         (`scanner fleet invite` prints it again):\n{lines}"
    )
}
