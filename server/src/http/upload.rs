//! What comes as multipart, counted while it comes: data from officers, and jobs from analysts.
//!
//! Data is written to the disk, private to the server, and gone when the call ends. It waits in `<state>/incoming` in the clear
//! while it is checked and encrypted; whatever a crash left there is removed when the server starts. A job is small and
//! stays in memory.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest as _, Multipart, Request};
use futures::future::ready;
use futures::{Stream, StreamExt as _, stream};
use glovebox_policy::{Reason, Refusal};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::AsyncWriteExt as _;

use crate::limits::{DRAIN_TIME, JOB_MANIFEST_BYTES, MANIFEST_BYTES, MODULE_BYTES};
use crate::operator_log;

/// Makes the folder for uploads under way, readable by the server alone, and empties it.
///
/// # Errors
/// The operating system's.
pub(crate) fn open_incoming(state_dir: &Path) -> io::Result<PathBuf> {
    let dir = state_dir.join("incoming");
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    Ok(dir)
}

/// Most characters of a file's own name that are kept.
const CALLED: usize = 64;

/// A file under way; removed on drop.
#[derive(Debug)]
pub(crate) struct Incoming {
    path: PathBuf,
    called: String,
}

impl Incoming {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What its owner calls it, without the ending; at most [`CALLED`] characters, and never part of a path here.
    pub(crate) fn called(&self) -> &str {
        &self.called
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            operator_log::note("an upload could not be removed", &error.kind());
        }
    }
}

/// What came in a multipart body.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The manifest, where the call takes one.
    pub(crate) manifest: Option<String>,
    /// The file.
    pub(crate) file: Incoming,
}

/// A job as it came.
#[derive(Debug)]
pub(crate) struct Submission {
    /// Its manifest.
    pub(crate) manifest: String,
    /// Its code.
    pub(crate) module: Vec<u8>,
}

fn bad(what: &str) -> Refusal {
    Refusal::about(Reason::BadRequest, what)
}

/// Reads the parts `manifest` (text) and `file`, in any order, each at most once.
///
/// # Errors
/// [`Reason::BadRequest`] for a body of another form or too long, [`Reason::Internal`] when the disk fails.
pub(crate) async fn receive(request: Request, dir: &Path, limit: u64) -> Result<Upload, Refusal> {
    let mut parts = multipart(request).await?;
    let upload = read_parts(&mut parts, dir, limit).await;
    if upload.is_err() {
        throw_away(parts).await;
    }
    upload
}

/// Reads the parts `manifest` (text) and `module` of a job, in any order, each once.
///
/// # Errors
/// [`Reason::BadRequest`] for a body of another form, [`Reason::JobManifestInvalid`] and [`Reason::ModuleInvalid`] for a
/// part that is too long.
pub(crate) async fn submission(request: Request) -> Result<Submission, Refusal> {
    let mut parts = multipart(request).await?;
    let submission = read_job(&mut parts).await;
    if submission.is_err() {
        throw_away(parts).await;
    }
    submission
}

/// The parts of a body.
///
/// The end of the body is told one poll after its last bytes. multer 3.1.0 looks for the first boundary, polls the body
/// once more, and takes an end that it sees then for a body without a boundary, even when that poll brought the whole
/// body: a request whose bytes arrive between the two polls would be refused.
async fn multipart(request: Request) -> Result<Multipart, Refusal> {
    let late_end = |body: Body| Body::from_stream(body.into_data_stream().chain(one_poll()));
    Multipart::from_request(request.map(late_end), &()).await.map_err(|_| bad("a multipart body is needed"))
}

/// An empty stream that ends at its second poll.
fn one_poll<T>() -> impl Stream<Item = T> {
    stream::once(tokio::task::yield_now()).filter_map(|()| ready(None))
}

/// Reads what is left of a body that was refused, for a while.
async fn throw_away(mut parts: Multipart) {
    let rest = async { while let Ok(Some(_)) = parts.next_field().await {} };
    let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
}

async fn read_job(parts: &mut Multipart) -> Result<Submission, Refusal> {
    let (mut manifest, mut module) = (None, None);
    while let Some(field) = parts.next_field().await.map_err(|_| bad("the multipart body broke off"))? {
        match field.name() {
            Some("manifest") if manifest.is_none() => {
                let invalid = |what: &str| Refusal::about(Reason::JobManifestInvalid, what);
                let too_long = || invalid("the manifest is longer than 64 KiB");
                let bytes = counted(field, JOB_MANIFEST_BYTES, too_long).await?;
                manifest = Some(String::from_utf8(bytes).map_err(|_| invalid("the manifest is not UTF-8"))?);
            }
            Some("module") if module.is_none() => {
                let too_long = || Refusal::about(Reason::ModuleInvalid, "the module is longer than 1 MiB");
                module = Some(counted(field, MODULE_BYTES, too_long).await?);
            }
            Some(name @ ("manifest" | "module")) => return Err(bad(&format!("the part {name} comes twice"))),
            other => return Err(bad(&format!("a part named {}", other.unwrap_or("nothing")))),
        }
    }
    Ok(Submission {
        manifest: manifest.ok_or_else(|| bad("the part manifest is missing"))?,
        module: module.ok_or_else(|| bad("the part module is missing"))?,
    })
}

async fn read_parts(parts: &mut Multipart, dir: &Path, limit: u64) -> Result<Upload, Refusal> {
    let mut manifest = None;
    let mut file = None;
    while let Some(field) = parts.next_field().await.map_err(|_| bad("the multipart body broke off"))? {
        match field.name() {
            Some("manifest") if manifest.is_none() => manifest = Some(text(field).await?),
            Some("file") if file.is_none() => file = Some(store(field, dir, limit).await?),
            Some(name @ ("manifest" | "file")) => return Err(bad(&format!("the part {name} comes twice"))),
            other => return Err(bad(&format!("a part named {}", other.unwrap_or("nothing")))),
        }
    }
    Ok(Upload { manifest, file: file.ok_or_else(|| bad("the part file is missing"))? })
}

async fn text(field: Field<'_>) -> Result<String, Refusal> {
    let bytes = counted(field, MANIFEST_BYTES, || bad("the manifest is longer than 1 MiB")).await?;
    String::from_utf8(bytes).map_err(|_| bad("the manifest is not UTF-8"))
}

/// The bytes of a part, of which there are not more than `limit`.
async fn counted(mut field: Field<'_>, limit: usize, too_long: impl Fn() -> Refusal) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| bad("the multipart body broke off"))? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn store(mut field: Field<'_>, dir: &Path, limit: u64) -> Result<Incoming, Refusal> {
    let disk = |error: io::Error| {
        operator_log::note("an upload could not be written", &error.kind());
        Refusal::new(Reason::Internal)
    };
    let (mut incoming, file) = create(dir, extension(field.file_name())).map_err(disk)?;
    incoming.called = called(field.file_name());
    let mut file = tokio::fs::File::from_std(file);
    let mut written = 0;
    while let Some(chunk) = field.chunk().await.map_err(|_| bad("the multipart body broke off"))? {
        written += chunk.len() as u64;
        if written > limit {
            return Err(bad("the file is longer than this server takes"));
        }
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    Ok(incoming)
}

fn create(dir: &Path, extension: &str) -> io::Result<(Incoming, fs::File)> {
    let mut name = [0_u8; 16];
    SystemRandom::new().fill(&mut name).map_err(|_| io::Error::other("no randomness"))?;
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = dir.join(format!("{name}.{extension}"));
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((Incoming { path, called: String::new() }, file))
}

fn called(name: Option<&str>) -> String {
    let name = name.map_or("", |name| name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    name.chars().take(CALLED).collect()
}

/// The kind of a file, from the name it was sent under. A draft takes the rest of that name for the table's.
fn extension(name: Option<&str>) -> &'static str {
    match name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("parquet") => "parquet",
        _ => "csv",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn uploads_are_private_and_gone_afterwards() {
        let state = tempfile::tempdir().unwrap();
        let dir = open_incoming(state.path()).unwrap();
        let (incoming, _) = create(&dir, "csv").unwrap();
        assert_eq!(fs::metadata(incoming.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        let path = incoming.path().to_owned();
        drop(incoming);
        assert!(!path.exists());
        fs::write(dir.join("left-over.csv"), "x").unwrap();
        assert_eq!(fs::read_dir(open_incoming(state.path()).unwrap()).unwrap().count(), 0);
    }

    /// A body comes in pieces that the network cuts, and its first bytes may come a moment after they are first asked for.
    #[tokio::test]
    async fn a_submission_is_the_same_however_its_body_is_cut() {
        for module in ["", "no module", "--x", "\r\n--"] {
            let part = |name: &str, text: &str| {
                format!("--x-y\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
            };
            let body = format!("{}{}--x-y--\r\n", part("manifest", "name"), part("module", module));
            for (cut, late) in (0..=body.len()).flat_map(|cut| [(cut, false), (cut, true)]) {
                let pieces: [Result<String, io::Error>; 2] = [Ok(body[..cut].to_owned()), Ok(body[cut..].to_owned())];
                let wait = if late { one_poll().left_stream() } else { stream::empty().right_stream() };
                let request = axum::http::Request::builder()
                    .header("content-type", "multipart/form-data; boundary=x-y")
                    .body(Body::from_stream(wait.chain(stream::iter(pieces))))
                    .unwrap();
                let read = submission(request).await;
                let read = read.unwrap_or_else(|refusal| panic!("{module:?} cut at {cut}, late {late}: {refusal}"));
                assert_eq!((read.manifest.as_str(), read.module.as_slice()), ("name", module.as_bytes()));
            }
        }
    }

    #[test]
    fn only_the_kind_of_the_sent_name_is_used() {
        assert_eq!(extension(Some("../../etc/a.PARQUET")), "parquet");
        assert_eq!(extension(Some("a.csv/../../x")), "csv");
        assert_eq!(extension(None), "csv");
    }
}
