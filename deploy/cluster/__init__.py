"""The distributed shape on one machine: Kafka, PostgreSQL and every process twice, to try and to test it."""

from deploy.cluster.cluster import Cluster
from deploy.cluster.place import ClusterError, running_cluster

__all__ = ["Cluster", "ClusterError", "running_cluster"]
