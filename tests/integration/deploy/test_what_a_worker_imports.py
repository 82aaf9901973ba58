"""A worker reads no token and answers no FHIR request, so it loads no library for either."""

import subprocess
import sys

import pytest

from deploy.services import SERVICES

_SHOW = "import sys, services.{service}.worker; print(*{{name.partition('.')[0] for name in sys.modules}})"
# Each of these costs megabytes, in every worker of every replica.
FOR_THE_EDGE = {"jwt", "cryptography", "httpx", "fastapi", "starlette", "uvicorn", "fhir", "fhir_core"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_worker_loads_nothing_of_the_edge(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHOW.format(service=service)], capture_output=True, text=True, check=True
    )
    assert FOR_THE_EDGE & set(done.stdout.split()) == set()


def test_a_workers_process_loads_what_answers_its_health_and_no_more_of_the_edge() -> None:
    show = "import sys, deploy.serve.worker; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    loaded = FOR_THE_EDGE & set(done.stdout.split())
    assert loaded == {"starlette", "uvicorn"}
