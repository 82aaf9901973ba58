"""Get the jars of Apache Kafka once per machine: Maven copies what pom.xml names into a cache folder.

Invariant: a folder under its final name is complete, because it gets that name only when Maven has finished.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from shared.errors import OneLine

_POM = Path(__file__).with_name("pom.xml")
_PATIENCE = 900


class LocalKafkaError(OneLine):
    """There is no local Kafka to be had; the text is one line that says why."""


def java() -> str:
    """Find Java's program; raises LocalKafkaError where there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise LocalKafkaError("a local Kafka needs Java 17 or newer (on Debian: default-jre-headless)")
    return found


def jars() -> Path:
    """Give the folder of the jars, got by Maven where they are not there yet; may take minutes once."""
    cache = cache_folder()
    wanted = cache / f"kafka-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"
    if wanted.exists():
        return wanted
    try:
        with (cache / "kafka.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not wanted.exists():
                _get(wanted)
    except OSError as error:
        raise LocalKafkaError(f"the cache folder {cache} cannot be used: {error.strerror}") from error
    return wanted


def cache_folder() -> Path:
    """Give the folder that keeps what was got once per machine; raises OSError where it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lumbar"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _get(wanted: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalKafkaError("a local Kafka needs Maven once, to get its jars (on Debian: maven)")
    unfinished = wanted.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
    try:
        asked = subprocess.run(  # noqa: S603
            [*command, f"-DoutputDirectory={unfinished}", "-DincludeScope=runtime"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LocalKafkaError(f"Maven did not get the jars of Kafka within {_PATIENCE} s") from None
    if asked.returncode or not unfinished.is_dir():
        said = next((line for line in asked.stdout.splitlines() if "ERROR" in line), "it said nothing")
        raise LocalKafkaError(f"Maven did not get the jars of Kafka: {said}")
    unfinished.rename(wanted)
