//! A guide as a script: which of its blocks are run, in what way, and that both languages have the same ones.
//!
//! What stands after the opening fence says what a block is:
//!
//! | info string | what it is |
//! |---|---|
//! | `sh` | commands, run in order in one shell that begins in the checkout; variables and the current folder stay |
//! | `sh by-hand` | what the reader does in another terminal, and `cargo xtask guide` by itself: starts the demo |
//! | `sh rustup`, `sh debian` | two ways to one module; the one of the toolchain that is here is run |
//! | `rust PATH`, `toml PATH` | a file, saved under this path from the shell's current folder |
//! | `text` | what a command prints, for reading; may differ between the languages |

use anyhow::{Context as _, Result, bail, ensure};

use crate::markdown::{Fence, fences};

/// A page in both languages, the first one leading.
pub(crate) type Guide = [&'static str; 2];

/// The pages whose commands are run, each against a demo of its own.
pub(crate) const GUIDES: [Guide; 2] = [
    ["docs/guide/first-hour.md", "docs/guide/first-hour.zh-CN.md"],
    ["docs/guide/jobs.md", "docs/guide/jobs.zh-CN.md"],
];

/// The one block that is left to whoever runs the script.
const BY_HAND: &str = "cargo run -- demo";

/// A line that ends a file inside the script.
const END_OF_FILE: &str = "END_OF_THE_GUIDES_FILE";

/// Which way to a module the guide takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A target of rustup.
    Rustup,
    /// The toolchain from Debian packages.
    Debian,
}

impl Way {
    fn info(self) -> &'static str {
        match self {
            Self::Rustup => "sh rustup",
            Self::Debian => "sh debian",
        }
    }
}

/// What the guide's commands come to.
#[derive(Debug)]
pub(crate) struct Script {
    /// The text, for `bash`. It ends with the first command that fails and says which.
    pub text: String,
    /// Blocks of commands in it.
    pub blocks: usize,
    /// Commands that begin with `glovebox`, or have one inside `$(…)`.
    pub product_commands: usize,
}

/// Writes the script of a page with this text. Before each block it adds the number of the block's line to the file `progress`.
///
/// # Errors
/// A block of an unknown kind or in a form that cannot be run.
pub(crate) fn script(page: &str, guide: &str, way: Way, progress: &str) -> Result<Script> {
    ensure!(!progress.contains('\''), "`{progress}` cannot be quoted");
    let mut text = String::from("set -Eeuo pipefail\ntrap 'echo \"   FAILED: $BASH_COMMAND\"' ERR\n");
    let (mut blocks, mut product_commands, mut ways) = (0, 0, 0);
    for fence in fences(guide) {
        let line = fence.line;
        match kind(&fence).with_context(|| format!("{page}:{line}"))? {
            Kind::Text => {}
            Kind::ByHand => ensure!(fence.lines == [BY_HAND], "{page}:{line}: by hand is `{BY_HAND}` alone"),
            Kind::Way(other) if other != way => {}
            kind @ (Kind::Commands | Kind::Way(_)) => {
                ways += usize::from(kind != Kind::Commands);
                blocks += 1;
                product_commands += fence.lines.iter().filter(|line| is_product(line)).count();
                let commands = fence.lines.join("\n");
                text.push_str(&format!(
                    "echo '== {page}:{line}'\necho {line} >>'{progress}'\n{}\n{commands}\n",
                    echoed(&fence)
                ));
            }
            Kind::File(path) => {
                let content = fence.lines.join("\n");
                ensure!(!content.contains(END_OF_FILE), "{page}:{line}: has the line that ends a file");
                text.push_str(&format!("cat >'{path}' <<'{END_OF_FILE}'\n{content}\n{END_OF_FILE}\n"));
            }
        }
    }
    ensure!(ways == 1, "{page}: one block for each way to a module, not {ways} for {way:?}");
    Ok(Script { text, blocks, product_commands })
}

#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    Commands,
    ByHand,
    Way(Way),
    File(&'a str),
    Text,
}

fn kind<'a>(fence: &Fence<'a>) -> Result<Kind<'a>> {
    let way = [Way::Rustup, Way::Debian].into_iter().find(|way| way.info() == fence.info);
    Ok(match (fence.info, fence.info.split_once(' ')) {
        ("sh", _) => Kind::Commands,
        ("sh by-hand", _) => Kind::ByHand,
        ("text", _) => Kind::Text,
        (_, Some(("rust" | "toml", path))) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.');
            let inside = !path.starts_with('/') && path.split('/').all(|part| !part.is_empty() && part != "..");
            ensure!(inside && path.chars().all(plain), "`{path}` is not a plain path below the current folder");
            Kind::File(path)
        }
        _ => match way {
            Some(way) => Kind::Way(way),
            None => bail!("a block `{}` is of no kind that the guide has", fence.info),
        },
    })
}

fn is_product(line: &str) -> bool {
    line.starts_with("glovebox ") || line.contains("$(glovebox ")
}

/// Prints the block before it is run, so that what follows can be read.
fn echoed(fence: &Fence<'_>) -> String {
    format!("cat <<'{END_OF_FILE}'\n   $ {}\n{END_OF_FILE}", fence.lines.join("\n   $ "))
}

/// Where the two languages differ in a block that is run or saved.
pub(crate) fn different_blocks(guide: Guide, one: &str, other: &str) -> Vec<String> {
    let [page, translated] = guide;
    let blocks = |text| fences(text).into_iter().filter(|fence: &Fence<'_>| fence.info != "text").collect::<Vec<_>>();
    let (blocks, others) = (blocks(one), blocks(other));
    let mut problems = Vec::new();
    if blocks.len() != others.len() {
        problems.push(format!("{page} has {} blocks, {translated} has {}", blocks.len(), others.len()));
    }
    for (block, other) in blocks.iter().zip(&others) {
        if (block.info, &block.lines) != (other.info, &other.lines) {
            problems.push(format!("{page}:{} and {translated}:{} are not the same block", block.line, other.line));
        }
    }
    problems
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GUIDE: &str = "\
# A
```sh by-hand
cargo run -- demo
```
```sh
cd job
```
```rust src/lib.rs
fn it() {}
```
```sh rustup
cargo wasm
```
```sh debian
RUSTC=r cargo wasm
```
```sh
JOB=$(glovebox job submit)
glovebox job run \"$JOB\"
```
```text
done
```
";

    #[test]
    fn one_way_is_taken_files_are_saved_and_text_is_not_run() {
        let script = script("page", GUIDE, Way::Debian, "progress").unwrap();
        assert_eq!((script.blocks, script.product_commands), (3, 2));
        assert!(script.text.contains("cat >'src/lib.rs'") && script.text.contains("\nRUSTC=r cargo wasm\n"));
        let lines: Vec<&str> = script.text.lines().collect();
        assert!(!lines.contains(&"cargo wasm") && !lines.contains(&"done") && !lines.contains(&"cargo run -- demo"));
        assert!(lines.contains(&"echo 5 >>'progress'"));
    }

    #[test]
    fn odd_blocks_are_refused() {
        for (old, new) in [
            ("sh by-hand\ncargo run -- demo", "sh by-hand\nrm -r x"),
            ("```text", "```python"),
            ("rust src/lib.rs", "rust ../lib.rs"),
            ("rust src/lib.rs", "rust $HOME/lib.rs"),
            ("```sh debian\nRUSTC=r cargo wasm\n```\n", ""),
        ] {
            assert!(script("page", &GUIDE.replace(old, new), Way::Debian, "progress").is_err(), "{new}");
        }
    }

    #[test]
    fn languages_may_differ_in_what_is_printed_alone() {
        assert!(
            different_blocks(["page", "页"], GUIDE, &GUIDE.replace("done", "完成").replace("# A", "# 甲\n\n"))
                .is_empty()
        );
        assert_eq!(different_blocks(["page", "页"], GUIDE, &GUIDE.replace("job run", "job status")).len(), 1);
        assert!(different_blocks(["page", "页"], GUIDE, &GUIDE.replace("```text\n", "```sh\n")).len() == 1);
    }
}
