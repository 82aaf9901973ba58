"""The services that exist, and how deploy gets at each: by its models, its app and its worker."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

SERVICES = ("referral", "scheduling", "careteam", "notifications")


def package(service: str) -> str:
    """Name the package of a service."""
    return f"services.{service}"


def room(service: str, name: str) -> ModuleType:
    """Import a room of a service."""
    return importlib.import_module(f"{package(service)}.{name}")


def metadata(service: str) -> "MetaData":
    """Give the tables of a service, whose models are one file or a folder with `tables`."""
    models = room(service, "models")
    tables: MetaData = getattr(models, "tables", models).Base.metadata
    return tables
