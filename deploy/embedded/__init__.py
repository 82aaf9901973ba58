"""The embedded PostgreSQL 18: a real server beside the data, that lives and dies with this process."""

from deploy.embedded.cluster import EmbeddedError
from deploy.embedded.server import EmbeddedPostgres, running_server, server_url

__all__ = ["EmbeddedError", "EmbeddedPostgres", "running_server", "server_url"]
