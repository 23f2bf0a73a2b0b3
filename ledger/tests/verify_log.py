#!/usr/bin/env python3
"""Verifies an exported log or one entry's proof, written apart from the Rust code from the specifications alone:
c2sp.org/signed-note, tlog-checkpoint, tlog-tiles and tlog-proof. Needs the package `cryptography`, for Ed25519.

    verify_log.py VKEY log DIRECTORY [EARLIER_CHECKPOINT]
    verify_log.py VKEY proof PROOF_FILE [ENTRY_FILE]
    verify_log.py VKEY release PROOF_FILE CERTIFICATE_FILE BODY_FILE

VKEY is the verifier key, or a file that holds it. `release` also checks that the entry is that of the certificate, that the
same key signed the certificate (DSSE), and that both name the body. The last line of the output is JSON; the exit code is 0
only if all stands.
"""

import base64, hashlib, json, pathlib, re, sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Wrong(Exception):
    """Something does not stand; the text says what and where."""


def need(holds, what):
    if not holds:
        raise Wrong(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text, what):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong(f"{what}: not base64") from None
    need(base64.b64encode(raw).decode() == text, f"{what}: not canonical base64")
    return raw


def number(text, what):
    need(text.isascii() and text.isdigit() and str(int(text)) == text, f"{what}: not a decimal number")
    return int(text)


def read_key(vkey):
    name, key_id, key = vkey.split("+", 2)
    raw = unbase64(key, "verifier key")
    need(len(raw) == 33 and raw[0] == 1, "verifier key: not of an Ed25519 key")
    need(sha256(name.encode(), b"\n", raw)[:4].hex() == key_id, "verifier key: its id does not fit")
    return name, bytes.fromhex(key_id), raw[1:]


def read_checkpoint(note, vkey, what):
    """The size and root that the key signed."""
    name, key_id, key = read_key(vkey)
    try:
        text, lines = note.decode().rsplit("\n\n", 1)
    except ValueError:
        raise Wrong(f"{what}: not a signed note") from None
    need(not any(c < " " and c != "\n" for c in note.decode()), f"{what}: a control character")
    need(lines.endswith("\n"), f"{what}: the last line does not end")
    text, signed = text + "\n", 0
    for line in lines[:-1].split("\n"):
        dash, signer, blob = (line.split(" ") + ["", ""])[:3]
        need(dash == "\u2014" and signer and line.count(" ") == 2, f"{what}: not a signature line")
        blob = unbase64(blob, what)
        if signer == name and blob[:4] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(blob[4:], text.encode())
            except InvalidSignature:
                raise Wrong(f"{what}: a signature of the key does not verify") from None
            signed += 1
    need(signed, f"{what}: not signed by the key")
    origin, size, root = text.split("\n")[:3]
    need(origin == name, f"{what}: of another log")
    root = unbase64(root, what)
    need(len(root) == 32, f"{what}: the root is not a hash")
    return number(size, what), root


class Tree:
    """An RFC 6962 tree: every complete node of every level."""

    def __init__(self):
        self.levels = [[]]

    def append(self, leaf):
        node, level = leaf, 0
        self.levels[0].append(node)
        while len(self.levels[level]) % 2 == 0:
            node = sha256(b"\x01", *self.levels[level][-2:])
            level += 1
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(node)

    def root(self):
        lone = [level[-1] for level in self.levels if len(level) % 2]
        if not lone:
            return sha256()
        root = lone[0]
        for left in lone[1:]:
            root = sha256(b"\x01", left, root)
        return root


def path_of(kind, index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def tiles_of(count):
    return [(i, min(256, count - 256 * i)) for i in range((count + 255) // 256)]


def read_entries(bundle, what):
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        need(len(bundle) >= 2 + length, f"{what}: ends within an entry")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]


def check_entry(entry, tree, what):
    try:
        fields = json.loads(entry)
    except ValueError:
        raise Wrong(f"{what}: not JSON") from None
    need(isinstance(fields, dict), f"{what}: not an object")
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(canonical.encode() == entry, f"{what}: not in canonical form")
    need(repr(fields.get("seq")) == str(len(tree.levels[0])), f"{what}: tells another number")
    need(fields.get("prev") == tree.root().hex(), f"{what}: does not follow from the entries before it")
    need(re.fullmatch("[0-9a-f]{64}", str(fields.get("nonce"))), f"{what}: has no nonce")


def verify_log(vkey, folder, earlier=None):
    folder = pathlib.Path(folder)
    size, root = read_checkpoint((folder / "checkpoint").read_bytes(), vkey, "checkpoint")
    known = {"checkpoint", "log.vkey"}
    if (folder / "log.vkey").exists():
        need((folder / "log.vkey").read_bytes() == vkey.encode() + b"\n", "log.vkey: another key")
    old_size, old_root = read_checkpoint(pathlib.Path(earlier).read_bytes(), vkey, earlier) if earlier else (0, sha256())
    need(old_size <= size, f"{earlier}: the log has become shorter")
    tree = Tree()
    need(old_size or old_root == tree.root(), f"{earlier}: the log was rewritten")
    for index, width in tiles_of(size):
        path = path_of("entries", index, width)
        known.add(path)
        for entry in read_entries((folder / path).read_bytes(), path):
            check_entry(entry, tree, f"{path}: entry {len(tree.levels[0])}")
            tree.append(sha256(b"\x00", entry))
            need(len(tree.levels[0]) != old_size or tree.root() == old_root, f"{earlier}: the log was rewritten")
        need(len(tree.levels[0]) == 256 * index + width, f"{path}: not {width} entries")
    for level, hashes in enumerate(tree.levels[::8]):
        for index, width in tiles_of(len(hashes)):
            path = path_of(level, index, width)
            known.add(path)
            wanted = b"".join(hashes[256 * index : 256 * index + width])
            need((folder / path).read_bytes() == wanted, f"{path}: not the hashes of the entries below it")
    need(tree.root() == root, "checkpoint: the root is not that of the entries")
    for path in folder.rglob("*"):
        need(path.is_dir() or path.relative_to(folder).as_posix() in known, f"{path}: not part of the log")
    return {"entries": size, "root": root.hex()}


def subtree(index, size, leaf, proof):
    """RFC 6962's definition of a path, read backwards: the root that a leaf and its path lead to."""
    if size == 1:
        need(not proof, "the proof is too long")
        return leaf
    need(proof, "the proof is too short")
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha256(b"\x01", subtree(index, half, leaf, proof[:-1]), proof[-1])
    return sha256(b"\x01", proof[-1], subtree(index - half, size - half, leaf, proof[:-1]))


def verify_proof(vkey, file, entry_file=None):
    head, note = pathlib.Path(file).read_bytes().decode().split("\n\n", 1)
    first, *lines = head.split("\n")
    need(first == "c2sp.org/tlog-proof@v1", f"{file}: not a tlog-proof")
    carried = unbase64(lines.pop(0)[6:], file) if lines and lines[0].startswith("extra ") else None
    entry = pathlib.Path(entry_file).read_bytes() if entry_file else carried
    need(entry is not None, f"{file}: carries no entry")
    need(carried in (None, entry), f"{file}: carries another entry")
    need(lines and lines[0].startswith("index "), f"{file}: tells no index")
    index = number(lines[0][6:], file)
    size, root = read_checkpoint(note.encode(), vkey, file)
    need(index < size, f"{file}: the entry is not within the log")
    proof = [unbase64(line, file) for line in lines[1:]]
    need(all(len(hash) == 32 for hash in proof), f"{file}: not a hash")
    need(subtree(index, size, sha256(b"\x00", entry), proof) == root, f"{file}: does not lead to the root")
    return {"index": index, "entries": size, "entry": json.loads(entry)}


def verify_release(vkey, proof_file, certificate_file, body_file):
    found = verify_proof(vkey, proof_file)
    entry, certificate = found["entry"], pathlib.Path(certificate_file).read_bytes()
    body = sha256(pathlib.Path(body_file).read_bytes()).hex()
    need(entry.get("kind") == "certificate", f"{proof_file}: of another entry than a certificate's")
    need(entry.get("certificate") == sha256(certificate).hex(), f"{proof_file}: of another certificate")
    need(entry.get("body") == body, f"{proof_file}: of another body")
    envelope = json.loads(certificate)
    kind, payload = envelope["payloadType"].encode(), unbase64(envelope["payload"], certificate_file)
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    [signature] = envelope["signatures"]
    try:
        key = Ed25519PublicKey.from_public_bytes(read_key(vkey)[2])
        key.verify(unbase64(signature["sig"], certificate_file), signed)
    except InvalidSignature:
        raise Wrong(f"{certificate_file}: not signed by the key") from None
    statement = json.loads(payload)
    subjects = [subject["digest"]["sha256"] for subject in statement["subject"]]
    need(body in subjects, f"{certificate_file}: names another body")
    return {**found, "predicateType": statement["predicateType"]}


def main():
    try:
        vkey, what, *rest = sys.argv[1:]
        vkey = vkey if "+" in vkey else pathlib.Path(vkey).read_text().removesuffix("\n")
        found = {"log": verify_log, "proof": verify_proof, "release": verify_release}[what](vkey, *rest)
    except (Wrong, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        print(json.dumps({"ok": False, "wrong": f"{type(error).__name__}: {error}"}, ensure_ascii=False))
        return 1
    print(json.dumps({"ok": True, **found}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
