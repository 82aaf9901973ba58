"""The distributed shape: one process for one part, be it a service's api or worker, issuer or gateway."""

from deploy.serve.run import run_gateway, run_issuer, run_service

__all__ = ["run_gateway", "run_issuer", "run_service"]
