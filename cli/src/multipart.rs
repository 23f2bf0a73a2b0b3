//! A multipart body that reads its file as it is sent, so that a large file needs no memory.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use ring::rand::{SecureRandom as _, SystemRandom};

/// A body with its content type.
pub(crate) struct Multipart {
    /// The header value.
    pub(crate) content_type: String,
    /// The bytes.
    pub(crate) body: Box<dyn Read>,
}

/// A part: the head that names it, then what it holds.
type Part = (String, Box<dyn Read>);

/// The parts that the server takes: a manifest where there is one, then the file.
///
/// # Errors
/// If the file cannot be opened.
pub(crate) fn upload(manifest: Option<&str>, path: &Path) -> anyhow::Result<Multipart> {
    let name = format!("name=\"file\"; filename=\"data.{}\"", extension(path));
    let file: Part = (name, Box::new(opened(path)?));
    multipart(manifest.map(text).into_iter().chain([file]))
}

/// A job: its manifest, then its module.
///
/// # Errors
/// If the module cannot be opened.
pub(crate) fn job(manifest: &str, module: &Path) -> anyhow::Result<Multipart> {
    let name = "name=\"module\"; filename=\"module.wasm\"".to_owned();
    multipart([text(manifest), (name, Box::new(opened(module)?))])
}

fn opened(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

fn text(manifest: &str) -> Part {
    ("name=\"manifest\"".to_owned(), Box::new(Cursor::new(manifest.to_owned())))
}

fn multipart(parts: impl IntoIterator<Item = Part>) -> anyhow::Result<Multipart> {
    let mut random = [0_u8; 16];
    // A boundary that nobody can guess is in no file.
    SystemRandom::new().fill(&mut random).map_err(|_| anyhow!("the operating system gave no randomness"))?;
    let boundary = format!("glovebox-{}", hex::encode(random));
    let mut body: Box<dyn Read> = Box::new(std::io::empty());
    for (head, content) in parts {
        let head = Cursor::new(format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n"));
        body = Box::new(body.chain(head).chain(content).chain(Cursor::new("\r\n")));
    }
    let end = Cursor::new(format!("--{boundary}--\r\n"));
    Ok(Multipart { content_type: format!("multipart/form-data; boundary={boundary}"), body: Box::new(body.chain(end)) })
}

/// The kind of a file. Nothing else of its name is told to the server.
fn extension(path: &Path) -> &'static str {
    let parquet = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
    if parquet { "parquet" } else { "csv" }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_in_order_and_the_name_stays_here() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret-name.PARQUET");
        std::fs::write(&path, "PAR1").unwrap();
        let mut upload = upload(Some("[dataset]"), &path).unwrap();
        let boundary = upload.content_type.rsplit_once('=').unwrap().1.to_owned();
        let mut text = String::new();
        upload.body.read_to_string(&mut text).unwrap();
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"manifest\"\r\n\r\n[dataset]\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"data.parquet\"\r\n\r\nPAR1\r\n\
                 --{boundary}--\r\n"
            )
        );
    }
}
