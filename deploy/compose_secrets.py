"""Make the passwords of `deploy/compose.yaml`: `python -m deploy.compose_secrets` writes deploy/.env, 0600.

What is there is kept: the database knows these passwords since it was made. The standard library is enough.
"""

import os
import secrets
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

from deploy.services import DATABASES

FILE = Path(__file__).with_name(".env")
# Encrypts what the portal keeps of sessions.
_KEY = "LUMBAR_PORTAL_KEY"


def names() -> list[str]:
    """Name the variables that the compose file needs."""
    passwords = [f"LUMBAR_{who.upper()}_PASSWORD" for who in ("superuser", "owner", *DATABASES)]
    return [*passwords, _KEY]


def main(file: Path = FILE) -> int:
    """Write the file where there is none."""
    if file.exists():
        sys.stdout.write(f"{file} is there already and stays\n")
        return 0
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.writelines(f"{name}={_secret(name)}\n" for name in names())
    sys.stdout.write(f"{file} was made\n")
    return 0


def _secret(name: str) -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode() if name == _KEY else secrets.token_urlsafe(24)


if __name__ == "__main__":
    sys.exit(main())
