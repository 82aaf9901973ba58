"""Other people's FHIR clients and HL7's validator, got once per machine, beside the jars of the local Kafka.

Invariant: a folder under its final name is complete, because it gets that name only when everything is in it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deploy.kafka.jars import cache_folder

_HERE = Path(__file__).parent
_PATIENCE = 900
REQUIRED = "LUMBAR_REQUIRE_CLIENTS"


def hapi() -> Path:
    """Give the folder with the jars of HAPI's client."""
    return _jars("hapi")


def validator() -> Path:
    """Give the folder with the jars of HL7's validator."""
    return _jars("validator")


def npm() -> Path:
    """Give the folder with fhir-kit-client in its `node_modules`, and the tour beside it."""
    files = tuple(
        _HERE / "npm" / name for name in ("package.json", "package-lock.json", ".npmrc", "tour.mjs")
    )

    def get(unfinished: Path) -> None:
        unfinished.mkdir()
        for file in files:
            shutil.copy(file, unfinished)
        _run(["npm", "ci", "--silent", "--no-progress", "--prefix", str(unfinished)])

    return _got("fhir-kit-client", needs=("node", "npm"), of=files, get=get)


def _jars(name: str) -> Path:
    pom = _HERE / name / "pom.xml"

    def get(unfinished: Path) -> None:
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        _run([*command, f"-DoutputDirectory={unfinished}", "-DincludeScope=runtime"])

    return _got(name, needs=("java", "mvn"), of=(pom,), get=get)


def _got(name: str, *, needs: Sequence[str], of: Sequence[Path], get: Callable[[Path], None]) -> Path:
    for program in needs:
        if shutil.which(program) is None:
            _without(f"{name} needs {program}")
    content = hashlib.sha256(b"".join(file.read_bytes() for file in of)).hexdigest()[:12]
    wanted = cache_folder() / f"{name}-{content}"
    with (cache_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            unfinished = wanted.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            try:
                get(unfinished)
            except subprocess.SubprocessError as error:
                _without(f"{name} was not got: {type(error).__name__}")
            unfinished.rename(wanted)
    return wanted


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE)


def _without(why: str) -> None:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1, but a client library is missing: {why}", pytrace=False)
    pytest.skip(f"no client library: {why}")
