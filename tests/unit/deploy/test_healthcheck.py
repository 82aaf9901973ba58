"""The health check of a container: it says what `/readyz` says, and costs next to nothing."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "deploy" / "healthcheck.py"
PYTHON = [sys.executable, "-I", "-S"]
# 575 were loaded when it was a module of the package; an HTTP client of the standard library alone has 150.
MOST_MODULES = 80


@contextmanager
def answering(*pieces: bytes) -> Iterator[int]:
    """Answer one request with these pieces of bytes, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(4096).startswith(b"GET /readyz HTTP/1.0\r\n")
                for piece in pieces:
                    connection.sendall(piece)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def checked(port: int) -> int:
    """Run the check as a container does, and give its exit status."""
    return subprocess.run([*PYTHON, str(FILE), str(port)], check=False, timeout=10).returncode


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n{}"], 0, id="ready"),
        pytest.param([b"HTTP/1.1", b" 200 OK\r\n\r\n"], 0, id="ready in pieces"),
        pytest.param([b"HTTP/1.1 503 Service Unavailable\r\n\r\n"], 1, id="not ready"),
        pytest.param([b"HTTP/1.1 404 Not Found\r\n\r\n"], 1, id="something else"),
        pytest.param([b"HTTP/1.1 20"], 1, id="half an answer"),
        pytest.param([], 1, id="no answer"),
    ],
)
def test_it_says_what_the_process_says(pieces: list[bytes], status: int) -> None:
    with answering(*pieces) as port:
        assert checked(port) == status


def test_a_process_that_is_not_there_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert checked(port) == 1


def test_it_loads_next_to_nothing() -> None:
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{str(FILE)!r}, '1']\n"
        "try:\n"
        f"    runpy.run_path({str(FILE)!r}, run_name='__main__')\n"
        "except SystemExit:\n"
        "    print(len(sys.modules))\n"
    )
    told = subprocess.run([*PYTHON, "-c", program], capture_output=True, text=True, check=True)
    assert int(told.stdout) <= MOST_MODULES
