"""`lumbar up` with its events on Kafka: `python -m bench.kafka_up DATA CLINIC PORT BOOTSTRAP`.

The same composition as the embedded clinic, so that both transports are measured with the same processes; the
topics are its own, by a prefix.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import runtime, up
from deploy.settings import Settings
from shared.clinic import load_clinic
from shared.db import Database
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport


def main(data: str, clinic: str, port: str, bootstrap: str) -> None:
    """Run until told to stop."""
    address = KafkaAddress(
        bootstrap=bootstrap, username=None, password=None, tls=False, ca=None, prefix=f"{port}."
    )
    asyncio.run(prepare_topics(address))

    def on_kafka(_: Mapping[str, Database]) -> KafkaTransport:
        return KafkaTransport(address)

    vars(runtime)["PostgresTransport"] = on_kafka
    up.run(Settings(), load_clinic(Path(clinic)), data=Path(data), port=int(port), ready=_say)


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
