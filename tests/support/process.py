"""A real `lumbar up`: a process of its own with its own data folder and port, to be killed from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

LUMBAR = str(Path(sys.executable).with_name("lumbar"))


class LumbarProcess:
    """One clinic's folder and port, and the process that serves it; none is left at the end of the block."""

    def __init__(self, data: Path, *, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "lumbar.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = environment or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def start(self, **settings: str) -> None:
        """Start the process, with further settings for this time; it is not yet ready."""
        command = [LUMBAR, "up", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment | settings, stdout=log, stderr=log)

    @property
    def environment(self) -> dict[str, str]:
        """The environment without any setting of ours, and what this clinic was given."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LUMBAR_")}
        return kept | {"LUMBAR_DATA": str(self.data), "LUMBAR_URL": self.url} | self._environment

    def wait_until_ready(self, *, within: float = 150.0) -> float:
        """Wait until the clinic says that it is ready, and tell how many seconds that took."""
        begin = time.monotonic()
        # One for all tries: a client of httpx begins with 20 ms of CPU for the machine's certificates.
        with httpx.Client(timeout=2, trust_env=False) as http:
            while time.monotonic() - begin < within:
                assert self.process is not None
                assert self.process.poll() is None, self.tail()
                with suppress(httpx.TransportError):
                    if http.get(f"{self.url}/readyz").status_code == 200:
                        return time.monotonic() - begin
                time.sleep(0.02)
        raise AssertionError(f"not ready after {within:g} s: {self.tail()}")

    def kill(self) -> None:
        """Kill the process from outside, as the kernel or a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, *, within: float = 20.0) -> int:
        """Ask the process to stop, and give its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def tail(self) -> str:
        """Give the end of what the process wrote."""
        return self.log.read_text()[-4000:]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def lumbar(*arguments: str, within: float = 120.0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these settings and no others, for so many seconds at most."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("LUMBAR_")}
    return subprocess.run(
        [LUMBAR, *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
