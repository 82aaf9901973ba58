"""A GET from a system outside, over real TLS: its answer, bounded, and read as it stands."""

from pathlib import Path

import pytest

from shared.outbound import Unreached
from tests.support.receiver import open_receiver, outbound_to_loopback


async def test_an_answer_is_given_with_its_status_and_its_headers(tmp_path: Path) -> None:
    async with open_receiver() as receiver:
        receiver.answers = ["404 Not Found\r\nCache-Control: no-store"]
        way = outbound_to_loopback(tmp_path).get_from([receiver.netloc])
        got = await way.fetch(receiver.url, longest=2)
    assert (got.status, got.body, got.headers["cache-control"]) == (404, b"no", "no-store")
    assert receiver.got[0].headers["accept-encoding"] == "identity"


async def test_an_answer_that_is_longer_than_allowed_is_none(tmp_path: Path) -> None:
    async with open_receiver() as receiver:
        way = outbound_to_loopback(tmp_path).get_from([receiver.netloc])
        with pytest.raises(Unreached, match="too long"):
            await way.fetch(receiver.url, longest=1)


async def test_only_hosts_of_the_list_are_read(tmp_path: Path) -> None:
    async with open_receiver() as receiver:
        way = outbound_to_loopback(tmp_path).get_from(["elsewhere.example"])
        with pytest.raises(Unreached, match="not an allowed host"):
            await way.fetch(receiver.url, longest=2)
    assert receiver.got == []
