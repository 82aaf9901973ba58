"""What the linters cannot see, as functions from a file of the tree to its violations."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePath

_CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "machine_now", "sleep"}
_CLOCK_OWNERS = {"datetime", "date", "time", "clock", "asyncio", "SystemClock"}
_RANDOM = {
    "uuid1",
    "uuid4",
    "uuid7",
    "new_id",
    "new_text_id",
    "token_hex",
    "token_urlsafe",
    "choice",
    "shuffle",
}
_RANDOM_MODULES = {"random", "secrets"}
_SQL_NAMES = {"select", "insert", "update", "delete", "text", "exists", "union", "union_all"}
_SQL_TEXT = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|INSERT INTO\s|UPDATE\s\S+\sSET\s|DELETE FROM\s|WITH\s\S+\sAS\s)", re.S
)
_LOG_VERBS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_LOGGERS = {"log", "logger", "_log", "_logger", "get_logger"}
_PAYLOADS = (
    {"body", "payload", "value", "bundle", "resource", "resources", "focus", "carried", "content", "query"}
    | {"note", "notes", "name", "family", "given", "headers", "parameters", "record", "records", "token"}
    | {"text", "description", "problems", "args"}
)
_REDACTION = "shared/telemetry/logging.py"
_MAY_CATCH_ALL = (
    "shared/events/",
    "shared/http/",
    "shared/auth/endpoints.py",
    "shared/auth/people/routes.py",
    "shared/timers.py",
)
_STATEMENTS = ("row", "rows", "records", "value", "run", "run_many", "records_of_many", "select")
_MAY_SPEAK_SQL = ("queries", "models", "migrations")


def room_of(path: PurePath) -> str | None:
    """Name the room of a service's file (`services/referral/use_cases/accept.py` is in `use_cases`)."""
    if path.parts[0] != "services" or len(path.parts) < 3:
        return None
    return path.parts[2].removesuffix(".py")


def clocks_and_random_ids(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Find calls of a clock and made-up ids in rules and use_cases."""
    if room_of(path) not in ("rules", "use_cases"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = {alias.name for alias in node.names}
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if names & (_RANDOM | _RANDOM_MODULES) or module in _RANDOM_MODULES:
                yield f"{path}:{node.lineno}: makes random values"
            if module == "shared.clock" or "shared.clock" in names:
                yield f"{path}:{node.lineno}: knows the clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            named = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if node.func.attr in _CLOCKS and named in _CLOCK_OWNERS:
                yield f"{path}:{node.lineno}: reads a clock"
            if node.func.attr in _RANDOM and named not in ("self", "tx"):
                yield f"{path}:{node.lineno}: makes random values"


def sql_outside_queries(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Find statements in a service outside queries (tables stand in models, versions in migrations)."""
    if room_of(path) in (None, *_MAY_SPEAK_SQL):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _imports_statement(node):
            yield f"{path}:{node.lineno}: imports a statement"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _STATEMENTS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "tx"
        ):
            yield f"{path}:{node.lineno}: speaks SQL"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL_TEXT.match(node.value):
            yield f"{path}:{node.lineno}: holds a statement"


def _imports_statement(node: ast.ImportFrom) -> bool:
    from_sql = (node.module or "").split(".")[0] in ("sqlalchemy", "sqlmodel")
    return from_sql and bool({alias.name for alias in node.names} & _SQL_NAMES)


def catching_everything(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Find `except Exception` outside the loops that must go on and the border that must answer."""
    if str(path).startswith(_MAY_CATCH_ALL):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_everything(node.type):
            yield f"{path}:{node.lineno}: catches everything"


def _is_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_is_everything(one) for one in caught.elts)
    return isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException")


def payloads_in_logs(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Find log calls whose message is not a constant, or that are handed what may hold a person."""
    if str(path) == _REDACTION:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_log_call(node):
            if not node.args or not isinstance(node.args[0], ast.Constant):
                yield f"{path}:{node.lineno}: logs a message that is not a constant"
            values = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
            for payload in sorted({name for value in values for name in _names(value)} & _PAYLOADS):
                yield f"{path}:{node.lineno}: logs {payload}"


def _is_log_call(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _LOG_VERBS:
        return False
    owner = node.func.value
    called = owner.func if isinstance(owner, ast.Call) else owner
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in _LOGGERS


def _names(value: ast.expr) -> Iterator[str]:
    """Name what an argument ends in: `event.value` is `value`, `len(body)` is harmless."""
    if isinstance(value, ast.Call):
        if getattr(value.func, "id", "") in ("str", "repr"):
            yield from (name for argument in value.args for name in _names(argument))
    elif isinstance(value, ast.Attribute):
        if not (value.attr == "name" and getattr(value.value, "id", "") == "self"):
            yield value.attr
    elif isinstance(value, ast.Name):
        yield value.id
    elif isinstance(value, ast.JoinedStr):
        for part in value.values:
            if isinstance(part, ast.FormattedValue):
                yield from _names(part.value)
    elif isinstance(value, ast.Subscript):
        yield from _names(value.value)


def private_attributes(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Find what reaches into the inside of somebody else's object, which its maker may change at any time."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="_exit"):
                continue
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                continue
            case ast.Attribute(attr=name) if _is_private(name):
                yield f"{path}: {name}"
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                if _is_private(name):
                    yield f"{path}: {name}"
            case ast.ImportFrom(names=names):
                yield from (f"{path}: {alias.name}" for alias in names if _is_private(alias.name))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def names_out_of_a_hub(hub: Path, *, root: Path) -> Iterator[str]:
    """Find what an `__init__.py` imports from its own folder that is no module there."""
    folder = ".".join(hub.parent.relative_to(root).parts)
    for node in ast.walk(ast.parse(hub.read_text())):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{folder}."):
            for alias in node.names:
                module = hub.parent / alias.name
                if node.module != folder or not (module.is_dir() or module.with_suffix(".py").exists()):
                    yield alias.name
