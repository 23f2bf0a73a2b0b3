"""The demo's releases, verified by programs that are not ours or share no code with it: signatures of certificates and of the
approval by securesystemslib's DSSE, the log and its proofs by ledger/tests/verify_log.py.

usage: dsse_client.py DEMO.JSON
"""

import base64
import copy
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from common import Checks, demo
from releases import PARTS, fetch_sql_release

TOLD = demo()
DEMO = pathlib.Path(sys.argv[1]).resolve().parent
JOB, LOG, VKEY = DEMO / "release", DEMO / "log", DEMO / "log.vkey"
VERIFY_LOG = pathlib.Path(__file__).resolve().parents[2] / "ledger" / "tests" / "verify_log.py"

IN_TOTO_PAYLOAD = "application/vnd.in-toto+json"
IN_TOTO_STATEMENT = "https://in-toto.io/Statement/v1"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def ed25519(public):
    """A key for securesystemslib; the hint in Glovebox's envelopes is the digest of the public key."""
    assert len(public) == 32, public
    return SSlibKey(sha256(public), "ed25519", "ed25519", {"public": public.hex()})


def service_key():
    """The Ed25519 key of the log's verifier key, `name+id+base64(type, key)`."""
    typed = base64.b64decode(VKEY.read_text().strip().split("+", 2)[2], validate=True)
    assert typed[0] == 1, "not an Ed25519 key"
    return ed25519(typed[1:])


def officer_key():
    return ed25519(bytes.fromhex((JOB / "officer.pub").read_text().strip()))


def read(path):
    return json.loads(path.read_bytes())


def statement(path, key):
    """The in-toto statement in an envelope that the key signed."""
    envelope = Envelope.from_dict(read(path))
    assert envelope.payload_type == IN_TOTO_PAYLOAD, envelope.payload_type
    assert envelope.verify([key], 1) == {key.keyid: key}
    said = json.loads(envelope.payload)
    assert said["_type"] == IN_TOTO_STATEMENT, said["_type"]
    return said


def subjects(said):
    return {subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]}


def certificate(folder, more):
    """Checks a certificate against the files beside it; `more` are further subjects and their files."""

    def act():
        path = folder / PARTS["certificate"]
        said, entry = statement(path, service_key()), read(folder / PARTS["entry"])
        assert said["predicateType"] == "https://glovebox.dev/release/v1", said["predicateType"]
        files = {name: sha256((folder / file).read_bytes()) for name, file in {"result": PARTS["result"], **more}.items()}
        assert subjects(said) == {**files, "request": entry["request"]}, (subjects(said), files)
        assert entry["kind"] == "certificate" and entry["certificate"] == sha256(path.read_bytes()), entry
        assert entry["body"] == files["result"] and entry["contract"] == said["predicate"]["contract"]["id"], entry
        return f"{len(subjects(said))} subjects"

    return act


def approval():
    """The officer's signature, and that officer and service speak of the same bytes."""
    said = statement(JOB / "approval.dsse.json", officer_key())
    certified = statement(JOB / PARTS["certificate"], service_key())
    assert said["predicateType"] == "https://glovebox.dev/approval/v1", said["predicateType"]
    assert said["predicate"]["decision"] == "approve", said["predicate"]
    assert subjects(said) == {
        "job": sha256((JOB / "job.toml").read_bytes()),
        "code": sha256((JOB / "job.wasm").read_bytes()),
        "contract": certified["predicate"]["contract"]["digest"]["sha256"],
    }, subjects(said)
    listed = [approval["sha256"] for approval in certified["predicate"]["approvals"]]
    assert listed == [sha256((JOB / "approval.dsse.json").read_bytes())], listed
    return f"by {said['predicate']['approver']}"


def not_signed(path, key, spoil=None):
    """Checks that an envelope is not one of a key, as it is or once it was spoilt."""

    def act():
        told = copy.deepcopy(read(path))
        if spoil:
            spoil(told)
        try:
            Envelope.from_dict(told).verify([key()], 1)
        except VerificationError:
            return
        raise AssertionError("it verifies")

    return act


def another_payload(told):
    payload = bytearray(base64.b64decode(told["payload"]))
    payload[len(payload) // 2] ^= 1
    told["payload"] = base64.b64encode(payload).decode()


def another_type(told):
    told["payloadType"] += "x"


def another_hint(key):
    """The hint of a key, which does not make it the key that signed."""

    def spoil(told):
        told["signatures"][0]["keyid"] = key().keyid

    return spoil


def verify_log(*arguments, stands=True):
    """Runs the verifier that was written from the specifications alone."""

    def act():
        command = [sys.executable, VERIFY_LOG, VKEY, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["ok"] is stands and done.returncode == (0 if stands else 1), (done.returncode, said, done.stderr)
        return said["wrong"] if not stands else f"{said['entries']} entries"

    return act


def main():
    checks = Checks("dsse")
    with tempfile.TemporaryDirectory() as folder:
        sql = pathlib.Path(folder) / "sql"
        checks.check("the SQL release is fetched", lambda: fetch_sql_release(TOLD, DEMO, sql))
        job_certificate, officers = JOB / PARTS["certificate"], JOB / "approval.dsse.json"
        checks.check("the job's certificate, by securesystemslib", certificate(JOB, {"job": "job.toml", "code": "job.wasm"}))
        checks.check("the SQL certificate, by securesystemslib", certificate(sql, {}))
        checks.check("the officer's approval, by securesystemslib", approval)
        checks.check("the service did not sign the approval", not_signed(officers, service_key))
        checks.check("no officer signed the certificate", not_signed(job_certificate, officer_key))
        checks.check("nor does a hint help",
                     not_signed(job_certificate, officer_key, another_hint(officer_key)))
        checks.check("a changed payload is found", not_signed(job_certificate, service_key, another_payload))
        checks.check("a changed type is found", not_signed(officers, officer_key, another_type))
        checks.check("the log, by verify_log.py", verify_log("log", LOG))
        for name, release in {"job's": JOB, "SQL": sql}.items():
            [result, certified, entry, proof] = [release / file for file in PARTS.values()]
            checks.check(f"the {name} entry's proof, by verify_log.py", verify_log("proof", proof, entry))
            checks.check(f"the {name} release, by verify_log.py", verify_log("release", proof, certified, result))
        checks.check("another release's entry is found",
                     verify_log("proof", JOB / PARTS["proof"], sql / PARTS["entry"], stands=False))
        checks.check("another release's result is found",
                     verify_log("release", JOB / PARTS["proof"], job_certificate, sql / PARTS["result"], stands=False))
    checks.close()


if __name__ == "__main__":
    main()
