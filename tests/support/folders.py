"""Temporary folders that the database's unprivileged user can enter, where the tests run as root."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="lumbar-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
