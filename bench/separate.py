"""The distributed shape to measure: an api and a worker process for each service, issuer, gateway, Kafka."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench import machine
from bench.clinic import write_clinic
from bench.running import RunningClinic
from deploy.cluster import Cluster

SEPARATE = "kafka-processes"


class SeparateClinic(RunningClinic):
    """A cluster with one replica of everything, asked through its gateway."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        port = urlsplit(cluster.url).port or 0
        super().__init__(folder, cluster.processes["gateway"], port=port, ready_after=0.0)
        self._cluster = cluster

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._cluster.data

    def database_url(self, service: str) -> str:
        """Give the address of a database of its server."""
        return self._cluster.database_url(service)

    def cpu(self) -> dict[str, float]:
        """Give the processor seconds so far."""
        return self._parts("seconds")

    def memory(self) -> dict[str, float]:
        """Give the memory in MB."""
        return self._parts("memory")

    def _parts(self, figure: str) -> dict[str, float]:
        found = {"python": 0.0, "postgres": 0.0, "kafka": 0.0}
        for name, process in self._cluster.processes.items():
            read = machine.cpu if figure == "seconds" else machine.memory
            part = name if name in found else "python"
            found[part] += sum(read(process.pid).values())
        return found


@contextmanager
def separate_clinic() -> Iterator[RunningClinic]:
    """Start a cluster from nothing and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="lumbar-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        environment = {"LUMBAR_CLINIC": str(write_clinic(folder / "clinic.yaml"))}
        (folder / "clinic.yaml").chmod(0o644)
        data = folder / "data"
        data.mkdir(mode=0o711)
        with Cluster(data, transport="kafka", replicas=1, environment=environment) as cluster:
            cluster.start()
            cluster.wait_until_ready()
            yield SeparateClinic(folder, cluster)
