"""Which settings each process of a local cluster is given: its own secrets and no others."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from deploy.roles import OWNER, role_of
from deploy.services import DATABASES, PORTAL, SERVICES
from deploy.shape import GATEWAY, ISSUER

if TYPE_CHECKING:
    from shared.events.transport.kafka.address import KafkaAddress

# What the portal's processes are called beside the roles of a service.
WEB = "web"


@dataclass(kw_only=True)
class Plan:
    """Names, ports and passwords of one cluster, made when it is made; the passwords are nowhere on disk."""

    folder: Path
    transport: str
    replicas: int
    ports: Mapping[str, int]
    socket: Path | None = None
    broker: Mapping[str, str] = field(default_factory=dict, repr=False)
    passwords: dict[str, str] = field(
        default_factory=lambda: {
            role: token_urlsafe(24) for role in (OWNER, *(role_of(service) for service in DATABASES))
        },
        repr=False,
    )

    portal_key: str = field(default_factory=lambda: urlsafe_b64encode(token_bytes(32)).decode(), repr=False)

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.ports[GATEWAY]}"

    def address(self, name: str) -> str:
        """Give the address of one process."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def of(self, name: str) -> dict[str, str]:
        """Give the settings of one process."""
        if name == GATEWAY:
            return self._gateway()
        if name == ISSUER:
            return {
                "LUMBAR_URL": self.url,
                "LUMBAR_DATA": str(self.folder),
                "LUMBAR_TRUSTED_PROXIES": "127.0.0.1",
                "LUMBAR_IDENTITY_DATABASE_URL": self.database_url("identity", role=role_of("identity")),
            }
        service, role, replica = name.split("-")
        if service == PORTAL:
            return self._portal()
        return self._service(service, role, int(replica))

    def owner(self) -> dict[str, str]:
        """Give the settings with which databases, topics and receivers' secrets are prepared."""
        urls = {
            f"LUMBAR_{name.upper()}_DATABASE_URL": self.database_url(name, role=OWNER) for name in DATABASES
        }
        carrier = {"LUMBAR_TRANSPORT": "postgres"} if self.transport == "postgres" else {}
        return {"LUMBAR_DATA": str(self.folder), **urls, **carrier}

    def database_url(self, database: str, *, role: str) -> str:
        """Give the address of a database for one role."""
        query = urlencode({"host": str(self.socket)}, safe="/")
        return f"postgresql://{role}:{quote(self.passwords[role])}@/{database}?{query}"

    def _service(self, service: str, role: str, replica: int) -> dict[str, str]:
        reads_all = role == "worker" and self.transport == "postgres"
        databases = SERVICES if reads_all else (service,)
        return {
            "LUMBAR_URL": self.url,
            "LUMBAR_DATA": str(self.folder),
            "LUMBAR_ISSUER": self.url,
            "LUMBAR_JWKS_URL": f"{self.address(ISSUER)}/auth/jwks",
            "LUMBAR_REPLICA": str(replica),
            "LUMBAR_TRUSTED_PROXIES": "127.0.0.1",
            **{
                f"LUMBAR_{name.upper()}_DATABASE_URL": self.database_url(name, role=role_of(service))
                for name in databases
            },
            **self._events(),
        }

    def _portal(self) -> dict[str, str]:
        return {
            "LUMBAR_URL": self.url,
            "LUMBAR_DATA": str(self.folder),
            "LUMBAR_TRUSTED_PROXIES": "127.0.0.1",
            "LUMBAR_PORTAL_DATABASE_URL": self.database_url(PORTAL, role=role_of(PORTAL)),
            "LUMBAR_PORTAL_KEY": self.portal_key,
        }

    def _events(self) -> dict[str, str]:
        if self.transport == "postgres":
            return {"LUMBAR_TRANSPORT": "postgres"}
        return dict(self.broker)

    def _gateway(self) -> dict[str, str]:
        addresses = {
            service: [self.address(name) for name in names_of(service, "api", self.replicas)]
            for service in SERVICES
        }
        addresses[ISSUER] = [self.address(ISSUER)]
        addresses[PORTAL] = [self.address(name) for name in names_of(PORTAL, WEB, self.replicas)]
        return {f"LUMBAR_{part.upper()}_ADDRESSES": ",".join(found) for part, found in addresses.items()}


def names_of(service: str, role: str, replicas: int) -> Sequence[str]:
    """Name the processes of one service in one role."""
    return [f"{service}-{role}-{replica}" for replica in range(replicas)]


def all_names(replicas: int) -> list[str]:
    """Name every process of ours, in the order in which they start."""
    workers = [name for service in SERVICES for name in names_of(service, "worker", replicas)]
    apis = [name for service in SERVICES for name in names_of(service, "api", replicas)]
    return [ISSUER, GATEWAY, *workers, *apis, *names_of(PORTAL, WEB, replicas)]


def broker_settings(kafka: "KafkaAddress") -> dict[str, str]:
    """Give the settings that name a Kafka."""
    given = {
        "BOOTSTRAP": kafka.bootstrap,
        "USERNAME": kafka.username,
        "PASSWORD": kafka.password,
        "TLS": "yes" if kafka.tls else None,
        "CA": kafka.ca and str(kafka.ca),
        "PREFIX": kafka.prefix,
    }
    return {f"LUMBAR_KAFKA_{name}": text for name, text in given.items() if text}
