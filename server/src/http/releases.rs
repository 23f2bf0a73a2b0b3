//! What proves a release, part by part, so that each can be kept as a file and verified without this server.

use axum::Extension;
use axum::extract::{Path, State};
use glovebox_policy::{Caller, ContractId, Digest, Reason};
use serde::Deserialize;

use super::read::{PathTexts, QueryOf};
use super::{App, read};
use crate::blocking;
use crate::outbound::jobs::{ProofFile, ProofPart};
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseQuery {
    contract: Option<ContractId>,
}

/// One part of what proves a release that the caller may see.
pub(crate) async fn part(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    texts: PathTexts,
    query: QueryOf<ReleaseQuery>,
) -> Result<Reply, Refused> {
    let Path((request, part)) = texts.map_err(|_| Reason::NotFound)?;
    let (request, part): (Digest, ProofPart) = (read::named(&request)?, read::named(&part)?);
    let ReleaseQuery { contract } = read::query(query)?;
    let proof = blocking(move || app.engine.release_proof(&caller, request, contract.as_ref())).await?;
    Ok(reply::file(&ProofFile { proof, part }))
}
