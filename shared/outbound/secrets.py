"""The secrets that sign what we send: files of the data folder, one for each receiver.

A file has one secret a line as Standard Webhooks writes it (`whsec_` and base64 of 24 to 64 bytes), the
newest first. While there are two, both sign: so a receiver changes over without missing a message.

Invariants:
- A secret stands in a file that only its owner can read (0600), in a folder that is closed too (0700).
- A secret that is there is never made again.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from shared.clinic import ClinicFileError

_PREFIX = "whsec_"
_BYTES = 32


class SecretUnusable(ClinicFileError):
    """A receiver's secret cannot be used; the text is one line that names the file and what to do."""


def secret_file(folder: Path, name: str) -> Path:
    """Name the file of a receiver's secret."""
    return folder / f"{name}.secret"


def make_missing_secrets(folder: Path, *, names: Iterable[str]) -> None:
    """Make a secret for each receiver that has none."""
    for name in names:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        try:
            made = os.open(secret_file(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with open(made, "w", encoding="ascii") as opened:
            opened.write(f"{_PREFIX}{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}\n")


def read_secrets(folder: Path, name: str) -> tuple[bytes, ...]:
    """Read a receiver's secrets, the newest first; raises SecretUnusable."""
    file = secret_file(folder, name)
    try:
        if file.stat().st_mode & 0o077:
            raise SecretUnusable(f"{file}: others can read this secret; chmod 600 it")
        lines = file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnusable(
            f"{file}: a receiver of clinic.yaml needs its secret here ({type(error).__name__})"
        ) from None
    found = tuple(_secret(file, line) for line in lines)
    if not found:
        raise SecretUnusable(f"{file}: has no line; a secret is {_PREFIX} and base64 of 24 to 64 bytes")
    return found


def _secret(file: Path, line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not line.startswith(_PREFIX) or not 24 <= len(secret) <= 64:
        raise SecretUnusable(f"{file}: a secret is {_PREFIX} and base64 of 24 to 64 bytes")
    return secret
