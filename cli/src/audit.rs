//! `audit`: the log, over the network and as a folder of files.

mod list;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use glovebox_engine::offline::{Checkpoint, VerifierKey, verifier_key, verify_directory, write_log};
use serde_json::json;

use crate::args::Audit as Action;
use crate::failure::Failure;
use crate::output::{Page, View, print, progress, say};
use crate::rest::Rest;
use crate::{key_file, private_file};

/// Carries out one action.
///
/// # Errors
/// What does not stand, what the server refuses, or if a file or the server cannot be had.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::Verify { dir, key, earlier } => {
            let head = verify_directory(&dir, &key_of(&key)?, earlier.as_deref());
            let head = head.map_err(|fault| anyhow!("{}: {fault}", dir.display()))?;
            let page = head_page(&head, view).remark(view.words(
                "Every entry, hash and tile is that of the signed head.",
                "所有条目、哈希与文件均与签名的树头一致。",
            ));
            let page = match earlier {
                Some(file) => page.remark(match view.lang {
                    crate::output::Lang::En => format!("It continues the log of `{}`.", file.display()),
                    crate::output::Lang::Zh => format!("它是 `{}` 所载日志的延续。", file.display()),
                }),
                None => page,
            };
            let json = head_json(&head);
            Ok(view.show(&page.remark(NO_WITNESS), &json.to_string())?)
        }
        Action::List(args) => list::run(&args, view),
        Action::Prove { leaf, out, at } => {
            let proof = Rest::to(&at)?.get_bytes(&format!("/log/proof/{leaf}"))?;
            told("proof", proof, out.as_deref(), view)
        }
        Action::Export { dir, key, at } => export(&Rest::to(&at)?, &dir, key.as_deref(), view),
        Action::Key { out, at } => told("key", Rest::to(&at)?.get_bytes("/log/key")?, out.as_deref(), view),
    }
}

/// What an honest reader has to know, in the words of certificates.
const NO_WITNESS: &str = "rollback-undetected: no outside witness cosigns this log; compare its head with earlier ones";

fn key_of(path: &Path) -> Result<VerifierKey, Failure> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let line = key_file::line(&bytes).with_context(|| format!("`{}`", path.display()))?;
    Ok(verifier_key(line).with_context(|| format!("`{}`", path.display()))?)
}

/// Prints a text of the log, or writes it into a new file.
fn told(name: &str, bytes: Vec<u8>, out: Option<&Path>, view: &View) -> Result<(), Failure> {
    let text = String::from_utf8(bytes).context("the server's answer is no text")?;
    if let Some(path) = out {
        private_file::write_new_public(path, with_newline(&text))?;
        let page = Page::default().fact(view.words("file", "文件"), path.display());
        return Ok(view.show(&page, &json!({ "file": path }).to_string())?);
    }
    if view.is_json() {
        return Ok(say(&json!({ name: text }).to_string())?);
    }
    // A proof is printed as it is, so that it can be piped into a file; its form is strict text.
    if text.chars().any(|c| c != '\n' && !glovebox_policy::text::shows_itself(c)) {
        return Err(anyhow!("the server's answer holds control characters").into());
    }
    Ok(print(&with_newline(&text))?)
}

fn with_newline(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// Fetches the whole log, tile by tile, under one checkpoint.
fn export(rest: &Rest, dir: &Path, key: Option<&Path>, view: &View) -> Result<(), Failure> {
    let key = match key {
        Some(path) => key_of(path)?,
        None => {
            let text = rest.get("/log/key")?.text;
            verifier_key(&text).context("the server's key cannot be read")?
        }
    };
    let checkpoint = rest.get("/log/checkpoint")?.text;
    let mut refused = None;
    let written = write_log(dir, &checkpoint, &key, &mut |tile| {
        progress(&format!("{tile} …"));
        rest.get_bytes(&format!("/log/{tile}")).map_err(|failure| {
            refused = Some(failure);
            anyhow!("the server does not give `{tile}`")
        })
    });
    if let Some(failure) = refused {
        return Err(failure);
    }
    let head = written.map_err(anyhow::Error::from)?;
    let page = head_page(&head, view).fact(view.words("folder", "目录"), dir.display()).remark(format!(
        "{}: glovebox audit verify {} --key VKEYFILE",
        view.words("Next", "下一步"),
        dir.display()
    ));
    let mut json = head_json(&head);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("dir".to_owned(), json!(dir));
    }
    Ok(view.show(&page, &json.to_string())?)
}

fn head_page(head: &Checkpoint, view: &View) -> Page {
    Page::default()
        .fact(view.words("log", "日志"), &head.origin)
        .fact(view.words("entries", "条目数"), head.size)
        .fact(view.words("root", "根哈希"), hex::encode(head.root))
}

fn head_json(head: &Checkpoint) -> serde_json::Value {
    json!({ "origin": head.origin, "entries": head.size, "root": hex::encode(head.root), "rollback": "rollback-undetected" })
}
