"""How many uploads go on at once: each holds a connection to the database and a piece of the attachment."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import TooMany

OF_ONE_CLIENT = 2
# Less than half of the connections that a process has.
IN_ALL = 4


class TooManyUploads(TooMany):
    """As many attachments are being uploaded as go at once."""


class Uploads:
    """The uploads of one process."""

    def __init__(self, *, of_one_client: int = OF_ONE_CLIENT, in_all: int = IN_ALL) -> None:
        self._of_one_client = of_one_client
        self._in_all = in_all
        self._going_on: Counter[str] = Counter()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Count an upload of a client while it goes on; raises TooManyUploads."""
        if self._going_on[client] >= self._of_one_client:
            raise TooManyUploads(f"you are uploading {self._of_one_client} attachments already; wait for one")
        if self._going_on.total() >= self._in_all:
            raise TooManyUploads("others are uploading at the moment; try again in a few seconds")
        self._going_on[client] += 1
        try:
            yield
        finally:
            self._going_on[client] -= 1
            if not self._going_on[client]:
                del self._going_on[client]
