"""The gateway: what it passes on and back, whom it asks next, and what it never repeats."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from deploy.gateway import Gateway
from deploy.gateway.app import part_of
from deploy.gateway.body import MAX_ATTACHMENT, MAX_BYTES
from deploy.gateway.replicas import Replicas
from deploy.serve.http import configuration
from services.referral.api.attachments import LARGEST
from shared.fhir import check

ONE, TWO = "http://one:8080", "http://two:8080"
NAMES = "Mara Ostrowska"

Answer = Callable[[httpx.Request], httpx.Response]


class Network(httpx.AsyncBaseTransport):
    """Replicas that answer by function, and the requests that reached each."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.reached: list[tuple[str, httpx.Request, bytes]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.answers[request.url.host] is unreachable_at_once:
            return unreachable(request)
        body = await request.aread()
        self.reached.append((request.url.host, request, body))
        return self.answers[request.url.host](request)

    @property
    def asked(self) -> list[str]:
        """Which replicas were asked, in order."""
        return [host for host, _, _ in self.reached]


class Breaking(httpx.AsyncByteStream):
    """A body whose connection ends in the middle."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"half of"
        raise httpx.ReadError("the other end is gone")


def answers(text: str = "here", *, status: int = 200, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(text.encode()), headers=headers)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def unreachable_at_once(request: httpx.Request) -> httpx.Response:
    """Be refused as a connection is: before any of the body is taken."""
    return unreachable(request)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone after the request", request=request)


def breaking(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Breaking(), headers={"content-type": "application/fhir+json"})


def gateway_over(network: Network) -> Gateway:
    replicas = Replicas([ONE, TWO], transport=network)
    return Gateway({"referral": replicas, "careteam": replicas})


async def ask(
    network: Network, method: str = "GET", path: str = "/referral/fhir/Task", **more: object
) -> httpx.Response:
    transport = httpx.ASGITransport(app=gateway_over(network), client=("203.0.113.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic.example") as http:
        return await http.request(method, path, **more)  # type: ignore[arg-type]


async def test_path_query_body_and_headers_arrive_as_they_were_sent() -> None:
    network = Network(one=answers(), two=answers())
    path = "/referral/fhir/Claim/$inquire?identifier=a%7Cb&name=%C3%A9+x"
    headers = {"Authorization": "Bearer x", "Idempotency-Key": "k", "If-Match": 'W/"1"'}
    await ask(network, "POST", path, content=b"{}", headers=headers)
    _, request, body = network.reached[0]
    assert (request.method, request.extensions["target"], body) == ("POST", path.encode(), b"{}")
    assert {name: request.headers[name] for name in headers} == headers
    assert request.headers["content-length"] == "2"


async def test_who_came_through_a_trusted_proxy_is_named_onward_and_a_forged_hop_before_it_is_not() -> None:
    network = Network(one=answers(), two=answers())
    config = configuration(gateway_over(network), lifespan=False, trusted_proxies="10.1.0.2")
    config.load()
    for peer, named in (("10.1.0.2", "203.0.113.9"), ("10.1.0.3", "10.1.0.3")):
        transport = httpx.ASGITransport(app=config.loaded_app, client=(peer, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://clinic.example") as http:
            await http.get("/referral/fhir/Task", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
        sent = network.reached[-1][1].headers
        assert sent.get_list("x-forwarded-for") == [named]


async def test_headers_of_one_hop_end_and_nobody_but_us_says_who_came() -> None:
    network = Network(one=answers(Connection="X-Once", **{"X-Once": "1", "Keep-Alive": "5", "ETag": "e"}))
    network.answers["two"] = network.answers["one"]
    answer = await ask(
        network,
        headers={
            "Connection": "keep-alive, X-Hop",
            "X-Hop": "1",
            "TE": "trailers",
            "Upgrade": "h2c",
            "X-Forwarded-For": "198.51.100.7",
            "X-Forwarded-Host": "evil.example",
            "Forwarded": "for=198.51.100.7",
            "X-Real-IP": "198.51.100.7",
        },
    )
    sent = network.reached[0][1].headers
    assert not {"x-hop", "te", "upgrade", "connection", "forwarded", "x-real-ip"} & set(sent)
    assert sent.get_list("x-forwarded-for") == ["203.0.113.9"]
    assert (sent["x-forwarded-host"], sent["x-forwarded-proto"]) == ("clinic.example", "http")
    assert sent["host"] in ("one:8080", "two:8080")
    assert answer.headers["etag"] == "e"
    assert not {"x-once", "keep-alive", "connection"} & set(answer.headers)


async def test_replicas_take_turns() -> None:
    network = Network(one=answers(), two=answers())
    gateway = gateway_over(network)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=gateway), base_url="http://clinic.example"
    ) as http:
        for _ in range(4):
            await http.get("/referral/fhir/metadata")
    assert sorted(network.asked) == ["one", "one", "two", "two"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_who_cannot_be_reached_is_passed_over_and_rests(method: str) -> None:
    for down, up in (("one", "two"), ("two", "one")):
        network = Network(**{down: unreachable, up: answers()})
        gateway = gateway_over(network)
        transport = httpx.ASGITransport(app=gateway)
        async with httpx.AsyncClient(transport=transport, base_url="http://clinic.example") as http:
            found = [(await http.request(method, "/referral/fhir/Task")).status_code for _ in range(6)]
        assert found == [200] * 6
        assert network.asked.count(down) == 1


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", {}), ("HEAD", {}), ("POST", {"Idempotency-Key": "k"})]
)
@pytest.mark.parametrize("failing", [silent, breaking])
async def test_what_has_no_second_effect_is_asked_again(
    method: str, headers: dict[str, str], failing: Answer
) -> None:
    calls = iter([failing, answers("whole")])

    def next_answer(request: httpx.Request) -> httpx.Response:
        return next(calls)(request)

    network = Network(one=next_answer, two=next_answer)
    answer = await ask(network, method, headers=headers)
    assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else "whole")
    assert sorted(network.asked) == ["one", "two"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_may_have_arrived_is_never_repeated(method: str) -> None:
    network = Network(one=silent, two=silent)
    answer = await ask(network, method)
    assert (answer.status_code, answer.headers["retry-after"], len(network.asked)) == (503, "1", 1)
    assert "may have been carried out" in answer.json()["issue"][0]["details"]["text"]


async def test_where_none_answers_a_503_says_when_to_try_again() -> None:
    answer = await ask(Network(one=unreachable, two=unreachable), "POST")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_503_of_a_replica_is_passed_back_as_it_is() -> None:
    down = answers("{}", status=503, **{"Retry-After": "7"})
    answer = await ask(Network(one=down, two=down))
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (503, "7", "{}")


async def test_a_body_over_the_limit_reaches_nobody() -> None:
    network = Network(one=answers(), two=answers())
    assert check.MAX_BYTES == MAX_BYTES
    at_the_limit = await ask(network, "POST", content=b"x" * MAX_BYTES)
    too_long = await ask(network, "POST", content=b"x" * (MAX_BYTES + 1))

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (MAX_BYTES // 2)

    in_pieces = await ask(network, "POST", content=unannounced())
    assert (at_the_limit.status_code, too_long.status_code, in_pieces.status_code) == (200, 413, 413)
    assert len(network.reached) == 1


PDF = {"Content-Type": "application/pdf"}


async def test_an_attachment_is_passed_on_as_it_comes_and_longer_than_that_ends() -> None:
    network = Network(one=answers(), two=answers())
    assert LARGEST == MAX_ATTACHMENT
    content = b"x" * (MAX_BYTES + 1)
    passed = await ask(network, "POST", "/referral/fhir/Binary", content=content, headers=PDF)
    assert (passed.status_code, network.reached[0][2] == content) == (200, True)
    assert network.reached[0][1].headers["content-length"] == str(len(content))

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(21):
            yield b"x" * 1024 * 1024

    announced = PDF | {"Content-Length": str(MAX_ATTACHMENT + 1)}
    for headers in (announced, PDF):
        answer = await ask(network, "POST", "/referral/fhir/Binary", content=unannounced(), headers=headers)
        assert (answer.status_code, "20 MB" in answer.text) == (413, True)
    assert len(network.reached) == 1


async def test_an_attachment_of_unknown_length_is_passed_on_in_chunks() -> None:
    network = Network(one=answers(), two=answers())

    async def unannounced() -> AsyncIterator[bytes]:
        yield b"%PDF-"
        yield b"1.4"

    await ask(network, "POST", "/referral/fhir/Binary", content=unannounced(), headers=PDF)
    _, request, body = network.reached[0]
    assert (request.headers["transfer-encoding"], body) == ("chunked", b"%PDF-1.4")


async def test_an_attachment_goes_to_the_next_replica_only_before_it_has_begun() -> None:
    key = PDF | {"Idempotency-Key": "k"}
    for _ in range(2):
        network = Network(one=unreachable_at_once, two=answers())
        answer = await ask(network, "POST", "/referral/fhir/Binary", content=b"%PDF-", headers=key)
        assert (answer.status_code, network.reached[-1][2]) == (200, b"%PDF-")
    network = Network(one=silent, two=silent)
    answer = await ask(network, "POST", "/referral/fhir/Binary", content=b"%PDF-", headers=key)
    assert (answer.status_code, len(network.asked)) == (503, 1)


async def test_an_attachment_as_fhir_json_is_held_to_its_limit() -> None:
    network = Network(one=answers(), two=answers())
    headers = {"Content-Type": "application/fhir+json"}
    body = b"x" * (MAX_BYTES + 1)
    answer = await ask(network, "POST", "/referral/fhir/Binary", content=body, headers=headers)
    assert (answer.status_code, "in its own content type" in answer.text) == (413, True)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/referral/fhir", "referral"),
        ("/notifications/feed", "notifications"),
        ("/auth/token", "issuer"),
        ("/.well-known/smart-configuration", "issuer"),
        ("/referral/fhir/.well-known/smart-configuration", "issuer"),
        ("/notifications/fhir/.well-known/smart-configuration", "issuer"),
        ("/portal/fhir/.well-known/smart-configuration", "portal"),
        ("/", "portal"),
        ("/referral", "portal"),
        ("/portal/x", "portal"),
        ("/metrics", None),
        ("//referral/fhir", None),
    ],
)
def test_the_path_says_whose_it_is(path: str, part: str | None) -> None:
    assert part_of(path) == part


async def test_an_address_of_nobody_is_404() -> None:
    assert (await ask(Network(), path="/portal/x")).status_code == 404


async def test_nothing_of_a_request_stands_in_the_log() -> None:
    with capture_logs() as logs:
        await ask(
            Network(one=silent, two=unreachable),
            "POST",
            f"/careteam/fhir/Patient?name={NAMES}",
            content=NAMES.encode(),
            headers={"X-Name": NAMES, "Idempotency-Key": NAMES},
        )
    assert logs
    assert "Mara" not in str(logs)
    assert "/careteam" not in str(logs)


async def test_a_stream_is_passed_on_as_it_comes_and_ends_with_the_gateway() -> None:
    later = asyncio.Event()
    ended = asyncio.Event()

    class Feed(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"id: 0\n\n"
            await later.wait()
            yield b"id: 1\n\n"
            await asyncio.Event().wait()

        async def aclose(self) -> None:
            ended.set()

    def feed(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Feed(), headers={"content-type": "text/event-stream"})

    gateway = gateway_over(Network(one=feed, two=feed))
    told: asyncio.Queue[Message] = asyncio.Queue()
    asked: asyncio.Queue[Message] = asyncio.Queue()
    asked.put_nowait({"type": "http.request", "body": b""})
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/referral/feed",
        "raw_path": b"/referral/feed",
        "query_string": b"",
        "headers": [],
        "client": None,
    }
    running = asyncio.create_task(gateway(scope, asked.get, told.put))
    assert (await told.get())["status"] == 200
    assert (await told.get())["body"] == b"id: 0\n\n"
    assert told.empty()
    later.set()
    assert (await told.get())["body"] == b"id: 1\n\n"
    gateway.ending.set()
    assert (await told.get()) == {"type": "http.response.body", "body": b""}
    await asyncio.wait_for(running, 5)
    assert ended.is_set()
