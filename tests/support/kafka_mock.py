"""librdkafka's mock cluster: a server of the real protocol inside the confluent-kafka wheel.

For machines without Java and Docker. It takes one member of a group, and makes topics by a call of its own.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import ON_KAFKA

_PRODUCER = 0
_BROKERS = 1


@contextmanager
def mock_kafka() -> Iterator[KafkaAddress]:
    """Run a mock cluster in this process, with our topics."""
    library = _library()
    said = ctypes.create_string_buffer(256)
    handle = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, library.rd_kafka_conf_new(), said, 256))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(handle, _BROKERS))
    try:
        bootstrap = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
        address = KafkaAddress(bootstrap=bootstrap, prefix=f"m{uuid4().hex[:8]}.")
        for topic in ON_KAFKA:
            name = address.topic(topic.name).encode()
            library.rd_kafka_mock_topic_create(cluster, name, topic.partitions, _BROKERS)
        yield address
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(handle)


def _library() -> ctypes.CDLL:
    spec = find_spec("confluent_kafka")
    assert spec is not None
    assert spec.origin is not None
    (file,) = (Path(spec.origin).parents[1] / "confluent_kafka.libs").glob("librdkafka*")
    library = ctypes.CDLL(str(file))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for name, result, arguments in (
        ("rd_kafka_conf_new", pointer, []),
        ("rd_kafka_new", pointer, [number, pointer, text, ctypes.c_size_t]),
        ("rd_kafka_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
        ("rd_kafka_mock_cluster_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
        ("rd_kafka_mock_topic_create", number, [pointer, text, number, number]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
