"""Where things lie in a data folder."""

from pathlib import Path


def keys_folder(data: Path) -> Path:
    """Name the folder of the keys in a data folder."""
    return data / "keys"


def webhooks_folder(data: Path) -> Path:
    """Name the folder of the secrets of webhook receivers in a data folder."""
    return data / "webhooks"


def cluster_folder(data: Path) -> Path:
    """Name the folder in which `lumbar cluster up` keeps its cluster, inside the data folder."""
    return data / "cluster"
