"""The gateway of the distributed shape: one address with the paths of `lumbar up`, over all replicas."""

from deploy.gateway.app import Gateway, gateway

__all__ = ["Gateway", "gateway"]
