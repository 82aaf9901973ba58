"""The databases of one process, looked at before they are used, and what wakes it and others by them."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from deploy.serve.checks import check_database, check_log
from deploy.settings import Settings
from deploy.shape import Role, database_url, needed_databases
from shared.db import Database
from shared.events.pg_notify import NotifyChannel

_OWN_POOL = 6
_LOG_POOL = 2


async def open_databases(
    settings: Settings, service: str, *, role: Role, ends: AsyncExitStack
) -> Mapping[str, Database]:
    """Connect to what a process needs, closed by `ends`; raises SettingsError for what it cannot use."""
    databases = {}
    for name in needed_databases(settings, service=service, role=role):
        await (check_database if name == service else check_log)(settings, name)
        pool = _OWN_POOL if name == service else _LOG_POOL
        databases[name] = Database.connect(database_url(settings, name), name=name, pool_size=pool)
        ends.push_async_callback(databases[name].close)
    return databases


async def begin(notices: Sequence[NotifyChannel], *, ends: AsyncExitStack) -> None:
    """Begin to say and hear news, ended by `ends`."""
    for notice in notices:
        await notice.start()
        ends.push_async_callback(notice.stop)
