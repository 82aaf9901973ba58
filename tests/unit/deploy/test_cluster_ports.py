"""No two clusters get the same port, whether their processes listen yet or not."""

import socket

import pytest

from deploy.cluster import ports
from deploy.cluster.place import ClusterError
from deploy.cluster.ports import PortBlock

pytestmark = pytest.mark.xdist_group("cluster_ports")


@pytest.fixture
def two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be room for two clusters, below the ports of those that other tests start meanwhile."""
    monkeypatch.setattr(ports, "_FIRST", 12_000)
    monkeypatch.setattr(ports, "_LAST", ports._FIRST + 2 * ports._BLOCK)


@pytest.mark.usefixtures("two_blocks")
def test_clusters_that_have_not_started_have_ports_of_their_own() -> None:
    one, other = PortBlock.take(20), PortBlock.take(20)
    assert len({*one.ports, *other.ports}) == 40
    with pytest.raises(ClusterError, match="no 20 free ports"):
        PortBlock.take(20)
    one.close()
    again = PortBlock.take(20)
    assert set(again.ports) == set(one.ports)
    again.close()
    other.close()


@pytest.mark.usefixtures("two_blocks")
def test_a_port_that_somebody_else_listens_on_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", ports._FIRST + 1)) as taken:
        blocks = [PortBlock.take(20), PortBlock.take(20)]
        assert taken.getsockname()[1] not in {port for block in blocks for port in block.ports}
    for block in blocks:
        block.close()
