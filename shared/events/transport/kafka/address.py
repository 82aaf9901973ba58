"""Where Kafka is and how to get in, and the one line that says what is wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path


class KafkaUnusable(ConnectionError):
    """Kafka cannot be used as it is; the text is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAddress:
    """One Kafka: its brokers as `host:port,host:port`, and the credentials where it asks for some.

    `tls` encrypts the connection, and `ca` is a PEM file of the authorities to trust instead of the system's.
    `prefix` stands before every topic and group, and keeps several clinics or tests on one Kafka apart.
    """

    bootstrap: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: Path | None = None
    prefix: str = ""

    def topic(self, name: str) -> str:
        """Return the name of one of our topics on this Kafka."""
        return f"{self.prefix}{name}"

    def group(self, name: str) -> str:
        """Return the name of one of our consumer groups on this Kafka."""
        return f"{self.prefix}{name}"
