"""What carries the events in the distributed shape, made from the settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deploy.settings import Settings, SettingsError, variable
from deploy.shape import transport_of
from shared.db import Database
from shared.events.transport.base import Transport

if TYPE_CHECKING:
    from shared.events.transport.kafka.address import KafkaAddress


def kafka_address(settings: Settings) -> "KafkaAddress":
    """Read the broker's address from settings that were checked."""
    from shared.events.transport.kafka.address import KafkaAddress

    return KafkaAddress(
        bootstrap=str(settings.kafka_bootstrap),
        username=settings.kafka_username,
        password=settings.kafka_password,
        tls=settings.kafka_tls == "yes",
        ca=settings.kafka_ca,
        prefix=settings.kafka_prefix or "",
    )


async def make_transport(settings: Settings, databases: Mapping[str, Database]) -> Transport:
    """Make the transport of a worker; raises SettingsError where Kafka is not what it should be."""
    if transport_of(settings) == "postgres":
        from shared.events.transport.postgres_log import PostgresTransport

        return PostgresTransport(databases, one_of_several=True)
    from shared.events.transport.kafka.address import KafkaUnusable
    from shared.events.transport.kafka.topics import check_topics
    from shared.events.transport.kafka.transport import KafkaTransport

    address = kafka_address(settings)
    try:
        await check_topics(address)
    except KafkaUnusable as error:
        raise SettingsError(f"{variable('kafka_bootstrap')}: {error}") from error
    return KafkaTransport(address, replica=settings.replica or 0)


async def prepare_topics(settings: Settings) -> None:
    """Make the topics that are missing on Kafka; raises SettingsError where they cannot be made."""
    if transport_of(settings) == "postgres":
        return
    from shared.events.transport.kafka import address, topics

    try:
        await topics.prepare_topics(kafka_address(settings))
    except address.KafkaUnusable as error:
        raise SettingsError(f"{variable('kafka_bootstrap')}: {error}") from error
