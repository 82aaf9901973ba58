"""A real Apache Kafka on this machine, for the local cluster, the tests and the benchmarks."""

from deploy.kafka.jars import LocalKafkaError
from deploy.kafka.local import LocalKafka

__all__ = ["LocalKafka", "LocalKafkaError"]
