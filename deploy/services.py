"""The services that exist, and how deploy gets at each: by its models, its app and its worker.

The issuer has a database of its own beside theirs, `identity`.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

SERVICES = ("referral", "scheduling", "careteam", "notifications")


IDENTITY = "identity"
DATABASES = (*SERVICES, IDENTITY)


def package(service: str) -> str:
    """Name the package of a service, or of the issuer's database (`identity`), with its migrations."""
    return "shared.auth" if service == IDENTITY else f"services.{service}"


def room(service: str, name: str) -> ModuleType:
    """Import a room of a service."""
    return importlib.import_module(f"{package(service)}.{name}")


def metadata(service: str) -> "MetaData":
    """Give the tables of a service, whose models are one file or a folder with `tables`, or the issuer's."""
    if service == IDENTITY:
        from shared.auth.people.models import IdentityBase

        return IdentityBase.metadata
    models = room(service, "models")
    tables: MetaData = getattr(models, "tables", models).Base.metadata
    return tables
