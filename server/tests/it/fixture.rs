//! stub
use std::path::Path;
use glovebox_engine::Engine;
pub(crate) struct Tokens { pub(crate) analyst: String, pub(crate) analyst2: String, pub(crate) officer: String, pub(crate) auditor: String, pub(crate) expired: String }
pub(crate) const QUERY: &str = "SELECT plan, COUNT(*) AS n FROM medical.rand_hie GROUP BY plan";
pub(crate) const DATASET: &str = "medical.rand_hie";
pub(crate) async fn engine(_: &Path) -> (Engine, Tokens) {
    (Engine, Tokens { analyst: "analyst".into(), analyst2: "analyst2".into(), officer: "officer".into(), auditor: "auditor".into(), expired: "expired".into() })
}
