"""A second verifier of an exported log, written from the C2SP and RFC texts alone: nothing of Chengshu is
imported.
"""

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def mth(hashes, new):
    """RFC 6962, 2.1, on leaf hashes, by recursion."""
    if not hashes:
        return new(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return new(b"\x01" + mth(hashes[:k], new) + mth(hashes[k:], new)).digest()


def tile_path(root, kind, number, width):
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.insert(0, f"x{number % 1000:03}")
    path = Path(root, "tile", kind, *parts)
    return path if width == 256 else path.with_name(path.name + ".p") / str(width)


def read_log(folder, size, new):
    """Return the entries' texts, after checking each against its level-0 tile."""
    texts = []
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        data = tile_path(folder, "entries", number, width).read_bytes()
        bundle = []
        while data:
            length = data[0] << 8 | data[1]
            bundle.append(data[2 : 2 + length])
            data = data[2 + length :]
        hashes = b"".join(new(b"\0" + text).digest() for text in bundle)
        if hashes != tile_path(folder, "0", number, width).read_bytes():
            raise ValueError(f"tile {number} is not over its entries")
        texts += bundle
    return texts


def check_note(note, keys):
    """Return the head and the names of the keys whose signatures are good."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    names = []
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        for key in keys:
            key_name, key_id, public = key.split("+", 2)
            kind, *rest = base64.b64decode(public)
            if dash != "—" or key_name != name or bytes.fromhex(key_id) != raw[:4]:
                continue
            message, signature = text.encode(), raw[4:]
            if kind == 4:
                stamp = int.from_bytes(signature[:8], "big")
                message, signature = f"cosignature/v1\ntime {stamp}\n".encode() + message, signature[8:]
            Ed25519PublicKey.from_public_bytes(bytes(rest)).verify(signature, message)
            names.append(name)
    origin, size, root = text.split("\n")[:3]
    return origin, int(size), base64.b64decode(root), names


def verify_export(folder, algorithm="sha256"):
    """Return (size, names of signers); raises when anything does not fit."""

    def new(data):
        return hashlib.new(algorithm, data)

    folder = Path(folder)
    keys = [line.split(" ")[1] for line in (folder / "keys.txt").read_text().splitlines()]
    if (folder / "witnesses.txt").exists():
        keys += [line.split(" ")[0] for line in (folder / "witnesses.txt").read_text().splitlines()]
    _, size, root, names = check_note((folder / "checkpoint").read_text(), keys)
    if not names:
        raise ValueError("nobody signed")
    texts = read_log(folder, size, new)
    if mth([new(b"\0" + text).digest() for text in texts], new) != root:
        raise ValueError("the root does not fit")
    return size, names, texts
