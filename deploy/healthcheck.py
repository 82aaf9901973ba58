"""Ask the process in this container whether it is ready: exit status 0 or 1.

Run it as `python -I -S healthcheck.py`.

Invariant: it needs two modules of the standard library and nothing else, for it runs every ten seconds in
every container; with an HTTP client and the packages of an image it took ten times as long as what it asks.
"""

import socket
import sys

# A process looks at what it needs for three seconds (deploy/serve/readiness.py), a gateway for half a
# second more.
_WITHIN = 4.0
_READY = (b"HTTP/1.0 200 ", b"HTTP/1.1 200 ")


def main(arguments: list[str]) -> int:
    """Run the check; the port is 8080 unless it is given."""
    port = int(arguments[0]) if arguments else 8080
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(_WITHIN)
            connection.connect(("127.0.0.1", port))
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return 0 if _status_line(connection) in _READY else 1
    except OSError:
        return 1


def _status_line(connection: socket.socket) -> bytes:
    """Read as much of the answer as tells its status."""
    begun = b""
    while len(begun) < len(_READY[0]) and (more := connection.recv(len(_READY[0]) - len(begun))):
        begun += more
    return begun


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
