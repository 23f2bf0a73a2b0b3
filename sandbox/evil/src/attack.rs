//! What an attack is, and the list of all of them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::{bombs, malformed};

/// The name of the guest that attacks nothing.
pub const HONEST: &str = "honest";

/// A file of `guests/` may hold this line: the memory and the constant functions that most guests share go there.
const ABI_MARK: &str = ";;@abi";

/// A file of `guests/` may hold this line: the functions `$secret` and `$emit` go there. [`ABI_MARK`] brings them too.
const HELPERS_MARK: &str = ";;@helpers";

/// A hostile guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// Its name: letters, digits and hyphens, unique.
    pub name: String,
    /// What it tries, in a sentence.
    pub about: String,
    /// The bytes that are handed in as a module.
    pub bytes: Vec<u8>,
    /// Whether it passes the check and then takes so long to compile that only a compiler built for release is patient.
    pub slow: bool,
}

impl Attack {
    /// An attack whose bytes were made by code.
    pub(crate) fn made(name: &str, about: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), about: about.to_owned(), bytes, slow: false }
    }

    /// An attack written in WebAssembly text; what it tries stands in the comment that it begins with.
    fn written(path: &Path, includes: &Includes) -> Result<Self> {
        let text = read(path)?;
        let name = path.file_stem().context("a guest without a name")?.to_string_lossy().into_owned();
        let comment = text.lines().map_while(|line| line.strip_prefix(";; "));
        let about = comment.collect::<Vec<_>>().join(" ");
        ensure!(!about.is_empty(), "guest `{name}` does not say what it tries");
        let bytes = wat::parse_str(includes.fill(&text)).with_context(|| format!("guest `{name}`"))?;
        Ok(Self { name, about, bytes, slow: false })
    }
}

/// The shared beginnings of guests.
struct Includes {
    abi: String,
    helpers: String,
}

impl Includes {
    fn fill(&self, text: &str) -> String {
        let abi = format!("{}{HELPERS_MARK}", self.abi);
        text.replace(ABI_MARK, &abi).replace(HELPERS_MARK, &self.helpers)
    }
}

/// Where guests and the record of what is expected of them lie.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Every attack, sorted by name.
///
/// # Errors
/// When a file of `guests/` cannot be read or is not WebAssembly text, or when two attacks have one name.
pub fn all() -> Result<Vec<Attack>> {
    let guests = folder().join("guests");
    let includes = Includes { abi: read(&guests.join("abi.inc"))?, helpers: read(&guests.join("helpers.inc"))? };
    let mut attacks = Vec::new();
    for entry in std::fs::read_dir(&guests).context("cannot list guests")? {
        let path = entry.context("cannot list guests")?.path();
        if path.extension().is_some_and(|extension| extension == "wat") {
            attacks.push(Attack::written(&path, &includes)?);
        }
    }
    let honest = attacks.iter().find(|attack| attack.name == HONEST).context("there is no honest guest")?;
    let malformed = malformed::all(&honest.bytes);
    attacks.extend(malformed);
    attacks.extend(bombs::all());
    attacks.sort_by(|one, other| one.name.cmp(&other.name));
    for pair in attacks.windows(2) {
        if let [one, other] = pair {
            ensure!(one.name != other.name, "two attacks are called `{}`", one.name);
        }
    }
    Ok(attacks)
}
