"""A POST to a system outside, over real TLS: what reaches it, and all the ways in which it does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shared.outbound import Outbound, Unreached
from shared.outbound import exchange as exchange_module
from tests.support.receiver import HOST, Receiver, open_receiver, outbound_to_loopback


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
def outbound(tmp_path: Path) -> Outbound:
    return outbound_to_loopback(tmp_path)


async def send(outbound: Outbound, receiver: Receiver, *, url: str | None = None) -> int:
    """Send a small body to the receiver."""
    way = outbound.post_to([receiver.netloc])
    return await way.send(url or receiver.url, body=b'{"a": 1}', headers={"X-One": "1"})


async def test_a_body_arrives_under_its_name_at_the_checked_address(
    receiver: Receiver, outbound: Outbound
) -> None:
    assert await send(outbound, receiver) == 200
    [got] = receiver.got
    assert (got.path, got.body) == ("/lumbar", b'{"a": 1}')
    assert got.headers["host"] == receiver.netloc
    assert got.headers["x-one"] == "1"


@pytest.mark.parametrize("answer", ["204 No Content", "404 Not Found", "410 Gone", "503 Later"])
async def test_every_status_is_given_as_it_is(receiver: Receiver, outbound: Outbound, answer: str) -> None:
    receiver.answers = [answer]
    assert await send(outbound, receiver) == int(answer.split()[0])


async def test_a_redirect_is_not_followed_wherever_it_leads(receiver: Receiver, outbound: Outbound) -> None:
    for place in ("http://127.0.0.1/", "https://169.254.169.254/", receiver.url):
        receiver.answers = [f"302 Found\r\nLocation: {place}"]
        assert await send(outbound, receiver) == 302
    assert len(receiver.got) == 3


async def test_without_other_networks_this_machine_is_not_reached(receiver: Receiver, tmp_path: Path) -> None:
    allowed = outbound_to_loopback(tmp_path)
    guarded = Outbound(secrets=tmp_path, tls=allowed.tls, resolve=allowed.resolve)
    with pytest.raises(Unreached, match="forbidden network"):
        await send(guarded, receiver)
    with pytest.raises(Unreached, match="only https"):
        await send(allowed, receiver, url=receiver.url.replace("https", "http"))
    with pytest.raises(Unreached, match="not an allowed host"):
        await send(allowed, receiver, url=f"https://elsewhere.example:{receiver.port}/")
    assert receiver.got == []


async def test_a_name_that_changes_after_the_check_leads_nowhere_else(
    receiver: Receiver, outbound: Outbound
) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    assert await send(replace(outbound, resolve=rebinding), receiver) == 200
    assert asked == [HOST]


async def test_a_certificate_for_another_name_is_not_trusted(outbound: Outbound) -> None:
    async with open_receiver(name="another.example") as other:
        with pytest.raises(Unreached, match="no trusted certificate"):
            await send(outbound, other)
        assert other.got == []


async def test_an_authority_that_is_not_trusted_is_refused(receiver: Receiver, tmp_path: Path) -> None:
    trusting = outbound_to_loopback(tmp_path)
    strict = Outbound(secrets=tmp_path, forbidden=(), resolve=trusting.resolve)
    with pytest.raises(Unreached, match="no trusted certificate"):
        await send(strict, receiver)


async def test_nobody_there_and_no_such_name_are_told_apart(outbound: Outbound, receiver: Receiver) -> None:
    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(Unreached, match="the name has no address"):
        await send(replace(outbound, resolve=unknown), receiver)
    way = outbound.post_to([f"{HOST}:9"])
    with pytest.raises(Unreached, match="no connection"):
        await way.send(f"https://{HOST}:9/", body=b"", headers={})


async def test_a_receiver_that_never_answers_ends_after_a_while(
    outbound: Outbound, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "WITHIN", 0.3)
    silent = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async with open_receiver(serve=never) as other:
        with pytest.raises(Unreached, match="no answer in time"):
            await send(outbound, other)
        silent.set()


async def test_an_answer_without_end_is_not_read(outbound: Outbound) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()
        except OSError:
            writer.close()

    async with open_receiver(serve=endless) as other:
        assert await send(outbound, other) == 200


async def test_an_answer_that_is_no_http_is_a_broken_connection(outbound: Outbound) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"hello\r\n\r\n")
        await writer.drain()
        writer.close()

    async with open_receiver(serve=babble) as other:
        with pytest.raises(Unreached, match="the connection broke"):
            await send(outbound, other)
