"""Logs: one JSON line per event, of ids, codes, numbers and times; nothing about a person gets through.

Invariants:
- A key that is not on the list is dropped; a value that has not the shape of an id, a code, a number or a
  time is replaced by `[redacted]`. So a name, a note or a resource is not written, whoever passes it.
- The text of an exception is never written, nor the text of a library's message: class, place in the code and
  ids only.
- What a library says again and again from one place is written once a minute, with how often it said it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import date, datetime
from typing import Any, TextIO
from uuid import UUID

import structlog
from opentelemetry import trace

from shared.telemetry.log_throttle import LogThrottle

REDACTED = "[redacted]"
_ID_KEYS = frozenset(
    {
        "request_id",
        "trace_id",
        "event_id",
        "error_id",
        "key",
        "appointment",
        "referral",
        "patient",
        "task",
        "claim",
    }
    | {"care_plan", "care_team", "meeting", "message", "subscription", "notification", "resource"}
)
_CODE_KEYS = frozenset(
    {"level", "logger", "service", "event_type", "status", "method", "party", "action", "outcome"}
    | {"client", "kind", "topic", "group", "channel", "database", "role", "signal", "part", "sqlstate"}
    | {"state", "loop", "transport", "version", "route", "timestamp", "at", "due_at", "traceparent"}
    | {"type", "runbook", "site"}
)
_NUMBER_KEYS = frozenset(
    {"attempts", "count", "partition", "offset", "milliseconds", "port", "pid", "ratio", "epoch", "seconds"}
    | {"expected", "found", "overdue", "to_do"}
)
KEYS = _ID_KEYS | _CODE_KEYS | _NUMBER_KEYS | {"event", "place", "error", "ref"}

_ID = re.compile(r"^([A-Za-z]{1,40}/)?[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*$")
_CODE = re.compile(r"^[A-Za-z0-9/$][A-Za-z0-9._:/{}$@+-]{0,120}$")
_PLACE = re.compile(r"^[\w./<>-]+:\d+ in [\w.<>]+$")
_ERROR = re.compile(r"^[\w.]+( at [\w./-]+:\d+)?$")
_REF = re.compile(r"^(?=.*[0-9])[A-Za-z0-9._:/-]{1,120}$")
_EVENT = re.compile(r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$")

_ROUTED = ("uvicorn", "uvicorn.error", "sqlalchemy", "asyncpg", "asyncio", "fastapi", "aiosmtpd", "mail.log")


def start_logging(
    *, stream: TextIO | None = None, level: int = logging.INFO, service: str | None = None, role: str = "all"
) -> None:
    """Write every log line of this process, our own and the libraries', through the allow-list.

    `service` and `role` stand in every line where they are given, so that lines of many processes can be read
    together; a line inside a sampled trace says which.
    """
    sink = stream or sys.stderr
    sender = {} if service is None else {"service": service, "role": role}

    def say_who(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.update({name: text for name, text in sender.items() if name not in line})
        return line

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            say_who,
            _say_trace,
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sink),
        cache_logger_on_first_use=False,
    )
    handler = _LibraryHandler()
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in _ROUTED:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False


def logger() -> Any:
    """Give the logger: `logger().info("appointment.booked", appointment=str(row.id))`."""
    return structlog.get_logger()


def place_of(error: BaseException) -> str:
    """Tell where in the code an error was raised, as `file.py:12 in verb`, without a word of its text."""
    found = error.__traceback__
    while found is not None and found.tb_next is not None:
        found = found.tb_next
    if found is None:
        return "nowhere:0 in nothing"
    code = found.tb_frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-3:])}:{found.tb_lineno} in {code.co_name}"


def class_of(error: BaseException) -> str:
    """Tell the class of an error with its module."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def redact(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep what is on the list and has its shape; a processor of structlog."""
    failed = line.pop("exc_info", None)
    kept = {key: _shown(key, value) for key, value in line.items() if key in KEYS}
    if isinstance(failed, BaseException):
        kept |= {"error": class_of(failed), "place": place_of(failed)}
    return kept


def _say_trace(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that a line belongs to, where it is sampled; a processor of structlog."""
    context = trace.get_current_span().get_span_context()
    if context.trace_flags.sampled:
        line["trace_id"] = f"{context.trace_id:032x}"
    return line


def _shown(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID | date | datetime):
        return str(value)
    return value if isinstance(value, str) and _shape_of(key).match(value) else REDACTED


def _shape_of(key: str) -> re.Pattern[str]:
    if key in _ID_KEYS:
        return _ID
    return {"event": _EVENT, "place": _PLACE, "error": _ERROR, "ref": _REF}.get(key, _CODE)


class _LibraryHandler(logging.Handler):
    """Turns a library's record into one line: who, how grave, where; never what it says."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[1] if record.exc_info else None
        place = f"{'/'.join(record.pathname.split('/')[-3:])}:{record.lineno} in {record.funcName}"
        kept = self._throttle.allow(f"{place} {type(failed).__name__}")
        if kept is None:
            return
        structlog.get_logger().log(
            record.levelno,
            "library.message",
            logger=record.name,
            place=place,
            **({"exc_info": failed} if failed is not None else {}),
            **({"count": kept + 1} if kept else {}),
        )
