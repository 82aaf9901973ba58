"""Ask the process in this container whether it is ready: exit status 0 or 1; needs no shell and no curl."""

import http.client
import sys

_WITHIN = 4


def main(arguments: list[str]) -> int:
    """Run the check; the port is 8080 unless it is given."""
    port = int(arguments[0]) if arguments else 8080
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN)
    try:
        connection.request("GET", "/readyz")
        return 0 if connection.getresponse().status == http.client.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
