"""A large attachment over a real server: up and down, what it costs in memory, and what breaks off."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from services.referral.api.attachments import LARGEST
from tests.support.eventually import eventually
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar

pytestmark = pytest.mark.xdist_group("a clinic that is up")

BEGIN = b"%PDF-1.4\n"
BLOCK = bytes(range(256)) * 256
MOST = 32 * 1024 * 1024
HEADERS = {"content-type": "application/pdf"}


@pytest.fixture(scope="module")
def clinic() -> Iterator[LumbarProcess]:
    with open_folder() as folder, LumbarProcess(folder / "data") as running:
        running.start()
        running.wait_until_ready()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def http(clinic: LumbarProcess) -> Iterator[httpx.Client]:
    token = lumbar("token", "family-practice", LUMBAR_URL=clinic.url, LUMBAR_DATA=str(clinic.data))
    headers = {"authorization": f"Bearer {token.stdout.strip()}"}
    with httpx.Client(base_url=clinic.url, headers=headers, timeout=60) as client:
        yield client


def content(size: int) -> Iterator[bytes]:
    """Give a file of this size, block by block."""
    yield BEGIN
    left = size - len(BEGIN)
    while left > 0:
        yield BLOCK[: min(left, len(BLOCK))]
        left -= len(BLOCK)


def upload(http: httpx.Client, size: int, *, announced: bool = True) -> httpx.Response:
    """Upload a file of this size, with its length or in chunks."""
    headers = HEADERS | ({"content-length": str(size)} if announced else {})
    return http.post("/referral/fhir/Binary", content=content(size), headers=headers)


def download(http: httpx.Client, key: str) -> tuple[int, bytes]:
    """Read an attachment block by block: its size and its digest."""
    size, digest = 0, sha256()
    with http.stream("GET", f"/referral/fhir/Binary/{key}") as answer:
        assert answer.status_code == 200
        for block in answer.iter_raw():
            size += len(block)
            digest.update(block)
    return size, digest.digest()


def peak(clinic: LumbarProcess) -> int:
    """Tell the most memory that the server's own process has held since the last reset, in bytes."""
    return _held(clinic, "VmHWM")


def reset_peak(clinic: LumbarProcess) -> int:
    """Begin to measure anew, and tell what is held now."""
    assert clinic.process is not None
    Path(f"/proc/{clinic.process.pid}/clear_refs").write_text("5")
    return _held(clinic, "VmRSS")


def _held(clinic: LumbarProcess, what: str) -> int:
    assert clinic.process is not None
    status = Path(f"/proc/{clinic.process.pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) * 1024


@pytest.mark.parametrize("announced", [True, False])
def test_20_mb_up_and_down_grow_memory_by_less_than_32_mb(
    clinic: LumbarProcess, http: httpx.Client, announced: bool
) -> None:
    before = reset_peak(clinic)
    answer = upload(http, LARGEST, announced=announced)
    assert answer.status_code == 201, answer.text
    size, digest = download(http, answer.json()["id"])
    whole = sha256(b"".join(content(LARGEST))).digest()
    assert (size, b64encode(digest)) == (LARGEST, b64encode(whole))
    assert peak(clinic) - before < MOST


def test_a_byte_more_is_refused_and_the_server_goes_on(clinic: LumbarProcess, http: httpx.Client) -> None:
    for announced in (True, False):
        before = reset_peak(clinic)
        answer = upload(http, LARGEST + 1, announced=announced)
        assert (answer.status_code, "20 MB" in answer.text) == (413, True)
        assert peak(clinic) - before < MOST
    assert upload(http, len(BEGIN)).status_code == 201


async def test_a_caller_who_goes_in_the_middle_gives_its_place_back(
    clinic: LumbarProcess, http: httpx.Client
) -> None:
    token = http.headers["authorization"]
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", clinic.port)) as caller:
            head = (
                f"POST /referral/fhir/Binary HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
                "Content-Type: application/pdf\r\nContent-Length: 5000000\r\n\r\n"
            )
            caller.sendall(head.encode() + BEGIN + BLOCK * 20)

    def has_room() -> bool:
        return all(upload(http, len(BEGIN)).status_code == 201 for _ in range(3))

    await eventually(has_room)
