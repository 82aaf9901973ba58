"""Events over Apache Kafka; the only package that knows its client."""

from shared.events.kafka.address import KafkaAddress, KafkaUnusable

__all__ = ["KafkaAddress", "KafkaUnusable"]
