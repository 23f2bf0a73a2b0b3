//! Which statement ended a server, where many were under way when it did.

use std::path::Path;

use anyhow::Result;

use crate::Plant;
use crate::canary::Patterns;
use crate::report::pair;
use crate::statements::Hostile;
use crate::trial;

/// Asks each of some statements alone, of a pair of bureaus that is made anew whenever one has ended; says which of them end one.
/// If none does, says among which it is.
///
/// # Errors
/// If a bureau cannot be made or served.
pub async fn find(
    binary: &Path,
    plant: Option<Plant>,
    suspects: &[Hostile],
    patterns: &Patterns,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let (mut bureaus, mut sides) = pair(binary, plant).await?;
    for hostile in suspects {
        trial::run(&sides, hostile, patterns).await;
        if sides.iter().any(trial::Side::has_ended) {
            found.push(format!("{} / {}: alone it ends a server", hostile.class, hostile.name));
            drop(bureaus);
            (bureaus, sides) = pair(binary, plant).await?;
        }
    }
    if found.is_empty() && !suspects.is_empty() {
        let names: Vec<&str> = suspects.iter().map(|hostile| hostile.name.as_str()).collect();
        found.push(format!("a server ended, and none of what was under way ends it alone: {}", names.join("; ")));
    }
    Ok(found)
}
