"""How every client of ours connects to Kafka, and what it says when it cannot.

Invariants:
- Of the mechanisms by which a password can be proved the broker's strongest is taken; the password itself is
  sent (PLAIN) only where the broker takes nothing else, or inside TLS.
- Whatever keeps us out is told in one line, which never holds the password.
"""

import asyncio
import os
import ssl
from collections.abc import Coroutine
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.events.transport.kafka.address import KafkaAddress, KafkaUnusable

# The length of the gap when a broker falls silent; the others are dimensioned inside it.
REQUEST_TIMEOUT_MS = 5_000
_clearing: set[asyncio.Task[Any]] = set()
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


class Connection:
    """The way into one Kafka, found at the first use and kept."""

    def __init__(self, address: KafkaAddress) -> None:
        self.address = address
        self._options: dict[str, Any] | None = None

    async def options(self) -> dict[str, Any]:
        """Return the arguments that every aiokafka client takes; raises KafkaUnusable where none gets in."""
        if self._options is None:
            self._options = await _find_way(self.address)
        return self._options


async def _find_way(address: KafkaAddress) -> dict[str, Any]:
    options = _base(address)
    problems = []
    for host, port in _hosts(address):
        try:
            return await _way_into(host, port, options, address)
        except KafkaUnusable as error:
            problems.append(str(error))
    raise KafkaUnusable(problems[0])


def _base(address: KafkaAddress) -> dict[str, Any]:
    protocol = ("SASL_" if address.username else "") + ("SSL" if address.tls else "PLAINTEXT")
    options: dict[str, Any] = {
        "bootstrap_servers": address.bootstrap,
        "client_id": "lumbar",
        "security_protocol": protocol if address.username or address.tls else "PLAINTEXT",
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
    }
    if address.tls:
        options["ssl_context"] = _trust(address)
    if address.username:
        options["sasl_plain_username"] = address.username
        options["sasl_plain_password"] = address.password or ""
    return options


def _trust(address: KafkaAddress) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "it holds no certificate"
        raise KafkaUnusable(f"the file {address.ca} of trusted authorities cannot be used: {why}") from error


def _hosts(address: KafkaAddress) -> list[tuple[str, int]]:
    try:
        return [(host, port) for host, port, _ in collect_hosts(address.bootstrap, randomize=False)]
    except ValueError:
        raise KafkaUnusable(f"{address.bootstrap!r} is no list of host:port") from None


async def _way_into(host: str, port: int, options: dict[str, Any], address: KafkaAddress) -> dict[str, Any]:
    if not address.username:
        await _try(host, port, options, address)
        return options
    refused: KafkaUnusable | None = None
    for mechanism in _MECHANISMS:
        proving = options | {"sasl_mechanism": mechanism}
        try:
            await _try(host, port, proving, address)
        except UnsupportedSaslMechanismError:
            continue
        except _Refused as error:
            refused = error
            if not address.tls:
                raise
            continue
        return proving
    raise refused or KafkaUnusable(f"{host}:{port} takes none of {', '.join(_MECHANISMS)}")


class _Refused(KafkaUnusable):
    """The broker does not take these credentials."""


async def _try(host: str, port: int, options: dict[str, Any], address: KafkaAddress) -> None:
    """Open one connection and close it; raises KafkaUnusable, or UnsupportedSaslMechanismError."""
    arguments = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    where = f"{host}:{port}"
    try:
        connection = await create_conn(host, port, **arguments)
    except UnsupportedSaslMechanismError:
        raise
    except (AuthenticationFailedError, SaslAuthenticationFailed) as error:
        raise _Refused(f"{where} refuses the credentials of {address.username!r}") from error
    except IllegalSaslStateError as error:
        raise KafkaUnusable(f"{where} asks for no credentials, but there is a username") from error
    except ssl.SSLCertVerificationError as error:
        raise KafkaUnusable(f"{where} shows a certificate that is not trusted: {_said(error)}") from error
    except ssl.SSLError as error:
        raise KafkaUnusable(f"{where} does not speak TLS") from error
    except TimeoutError as error:
        raise KafkaUnusable(f"{where} does not answer") from error
    except (KafkaConnectionError, KafkaError) as error:
        raise KafkaUnusable(f"{where} closes the connection{_asks(address)}") from error
    except ConnectionResetError as error:
        raise KafkaUnusable(f"{where} does not speak TLS") from error
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise KafkaUnusable(f"{where} cannot be reached{f': {why}' if why else ''}") from error
    try:
        await connection.send(MetadataRequest([]))
    except (KafkaError, TimeoutError) as error:
        raise KafkaUnusable(f"{where} closes the connection{_asks(address)}") from error
    finally:
        await connection.close()


def _asks(address: KafkaAddress) -> str:
    return "" if address.tls and address.username else ": does it ask for TLS or credentials?"


def _said(error: ssl.SSLCertVerificationError) -> str:
    return error.verify_message or "it does not fit"


async def finish_within(seconds: float, work: Coroutine[Any, Any, Any]) -> bool:
    """Wait so many seconds for some clearing up; return whether it succeeded.

    What takes longer goes on by itself: each of the client's requests has an end, but none of its objects can
    be closed in the middle. Its clearing up may end by the cancellation of something inside it.
    """
    task = asyncio.create_task(work)
    _clearing.add(task)
    task.add_done_callback(_cleared)
    await asyncio.wait({task}, timeout=seconds)
    return task.done() and not task.cancelled() and task.exception() is None


def _cleared(task: asyncio.Task[Any]) -> None:
    _clearing.discard(task)
    if not task.cancelled():
        task.exception()
