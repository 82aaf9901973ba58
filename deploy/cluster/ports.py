"""Ports for the processes of one cluster, that no other cluster on this machine takes while they are held.

Invariants:
- The ports of a cluster are one block, and whoever listens on the first of a block owns all of it. The first
  serves nothing; it is let go by `close`, or when its process ends, however that ends.
- They lie below the range from which the system gives ports to outgoing connections: a port stays free while
  a process of the cluster is away.
"""

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from deploy.cluster.place import ClusterError

_FIRST, _LAST = 20_000, 32_000
_BLOCK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBlock:
    """Ports that were free when they were taken."""

    ports: Sequence[int]
    owner: socket.socket = field(repr=False)

    @classmethod
    def take(cls, number: int) -> "PortBlock":
        """Take so many ports, 199 at most. Raises ClusterError where there is no free block."""
        blocks = range(_FIRST, _LAST, _BLOCK)
        for first in random.sample(blocks, k=len(blocks)):
            owner = _listening(first)
            if owner is None:
                continue
            ports = list(islice(filter(_is_free, range(first + 1, first + _BLOCK)), number))
            if len(ports) == number:
                return cls(ports=ports, owner=owner)
            owner.close()
        raise ClusterError(f"no {number} free ports on this machine between {_FIRST} and {_LAST}")

    def close(self) -> None:
        """Let other clusters take them."""
        self.owner.close()


def _listening(port: int) -> socket.socket | None:
    owner = socket.socket()
    try:
        owner.bind(("127.0.0.1", port))
        owner.listen(1)
    except OSError:
        owner.close()
        return None
    return owner


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
