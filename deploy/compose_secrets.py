"""Make the passwords of `deploy/compose.yaml`: `python -m deploy.compose_secrets` writes deploy/.env, 0600.

What is there is kept: the database knows these passwords since it was made. The standard library is enough.
"""

import os
import secrets
import sys
from pathlib import Path

from deploy.services import SERVICES

FILE = Path(__file__).with_name(".env")


def names() -> list[str]:
    """Name the variables that the compose file needs."""
    return [f"LUMBAR_{who.upper()}_PASSWORD" for who in ("superuser", "owner", *SERVICES, "identity")]


def main(file: Path = FILE) -> int:
    """Write the file where there is none."""
    if file.exists():
        sys.stdout.write(f"{file} is there already and stays\n")
        return 0
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.writelines(f"{name}={secrets.token_urlsafe(24)}\n" for name in names())
    sys.stdout.write(f"{file} was made\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
