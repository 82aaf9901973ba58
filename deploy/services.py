"""The services that exist, and how deploy gets at each: by its models, its app and its worker.

The issuer and the portal have databases of their own beside theirs.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

SERVICES = ("referral", "scheduling", "careteam", "notifications")


IDENTITY = "identity"
PORTAL = "portal"
DATABASES = (*SERVICES, IDENTITY, PORTAL)


def package(service: str) -> str:
    """Name the package of a service, of the portal, or of the issuer's database, with its migrations."""
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
