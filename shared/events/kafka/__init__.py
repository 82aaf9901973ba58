"""Events over Apache Kafka; the only package that knows its client."""

from shared.events.kafka.address import KafkaAddress, KafkaUnusable
from shared.events.kafka.topics import check_topics, prepare_topics
from shared.events.kafka.transport import KafkaTransport

__all__ = ["KafkaAddress", "KafkaTransport", "KafkaUnusable", "check_topics", "prepare_topics"]
