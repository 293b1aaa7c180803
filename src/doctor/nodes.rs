//! Whether the machines answer whose cameras are this rig's.

use super::Finding;
use crate::config::Config;
use crate::nodes::{self, Node, Nodes};

const CHECK: &str = "nodes";

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    judge(nodes::look(config))
}

fn judge(Nodes { nodes, not_seen }: Nodes) -> Vec<Finding> {
    let unseen = not_seen.into_iter().map(|reason| Finding::unknown(CHECK, reason));
    nodes.into_iter().map(of_node).chain(unseen).collect()
}

fn of_node(node: Node) -> Finding {
    match node {
        Node::Silent { node, what_to_do } => {
            Finding::problem(CHECK, format!("{node} was accepted, and says nothing"), what_to_do)
        }
        Node::Here { node, program, cameras, clock_uncertainty_ms, what_to_do, .. } => {
            let clock = clock_uncertainty_ms.map_or_else(
                || "its clock is not known".to_owned(),
                |ms| format!("its clock is known to {ms:.2} ms"),
            );
            let found = format!("{node} is there, version {program}, {} cameras, {clock}", cameras.len());
            match what_to_do {
                None => Finding::fine(CHECK, found),
                Some(what_to_do) => Finding::advice(CHECK, found, what_to_do),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_silent_node_is_a_problem_and_one_that_could_not_be_looked_for_is_none() {
        let here = |what_to_do: Option<&str>| Node::Here {
            node: "left".into(),
            program: "0.1.0".into(),
            up_s: 1,
            clock_ahead_ms: Some(3.0),
            clock_uncertainty_ms: Some(0.2),
            cameras: Vec::new(),
            what_to_do: what_to_do.map(str::to_owned),
        };
        let silent = Node::Silent { node: "right".into(), what_to_do: "look".into() };
        let findings = judge(Nodes {
            nodes: vec![here(None), here(Some("update the node")), silent],
            not_seen: vec!["no broker".into()],
        });
        assert_eq!(findings[0].verdict, Verdict::Fine);
        assert_eq!(findings[1].verdict, Verdict::Advice { what_to_do: "update the node".into() });
        assert_eq!(findings[2].verdict, Verdict::Problem { what_to_do: "look".into() });
        assert_eq!(findings[3].verdict, Verdict::Unknown);
        assert!(judge(Nodes::default()).is_empty());
    }
}
