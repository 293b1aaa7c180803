//! The machines whose cameras are this rig's.

use axum::Json;
use axum::extract::State;

use super::state::Operation;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::nodes::Nodes;

/// The machines whose cameras are this rig's, and what is to be done about those that do not answer or do not fit. Takes some
/// seconds. Without such cameras there are none.
#[utoipa::path(get, path = "/api/v1/nodes", operation_id = "list_nodes", tag = "operation", responses(
    (status = 200, body = Nodes),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn nodes(State(operation): State<Operation>) -> Answer<Json<Nodes>> {
    on_disk(move || Ok(Json(operation.nodes.look(operation.rig.config())))).await
}
