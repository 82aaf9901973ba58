"""Which settings a process needs, and how they must fit: the rules of the two shapes in one place.

Every rule raises SettingsError with one line that names the setting.
"""

from ipaddress import ip_address
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from deploy.services import IDENTITY, PORTAL, SERVICES
from deploy.settings import Settings, SettingsError, variable
from shared.clinic import Clinic

Role = Literal["api", "worker"]
ISSUER = "issuer"
GATEWAY = "gateway"

_EMBEDDED = {
    "data",
    "url",
    "clinic",
    "smtp_url",
    "sms_url",
    "trace_ratio",
    "otlp_endpoint",
    "trusted_proxies",
    "cors_origins",
    "demo_people",
    "sign_in_secret",
}
_OF_KAFKA = ("kafka_bootstrap", "kafka_username", "kafka_password", "kafka_tls", "kafka_ca", "kafka_prefix")
_PROVES_ITSELF = ("password", "passfile", "sslcert")


def check_embedded(settings: Settings, *, command: str) -> None:
    """Refuse any setting of the distributed shape, which this command would not heed."""
    for member in sorted(settings.model_fields_set):
        if member not in _EMBEDDED:
            raise SettingsError(
                f"{variable(member)}: belongs to the distributed shape, and `lumbar {command}` runs the"
                " embedded one; unset it, or use `lumbar serve`"
            )


def check_service(settings: Settings, *, service: str, role: Role) -> None:
    """Check the settings of one service's process."""
    check_events(settings)
    check_databases(settings, services=needed_databases(settings, service=service, role=role))
    _need(settings, "url", "it is the clinic's public address, which tokens and references name")
    _need(settings, "issuer", "it names whose tokens are taken; demo keys are not")
    if role == "worker" and transport_of(settings) == "kafka":
        _need(settings, "replica", "each worker on Kafka needs its own number among its service's, from 0")


def check_issuer(settings: Settings) -> None:
    """Check the settings of the issuer's process."""
    check_databases(settings, services=[IDENTITY])
    _need(settings, "url", "tokens name it as their issuer and audience")
    if settings.issuer is not None and settings.issuer != settings.url:
        raise SettingsError(
            f"{variable('issuer')}: must be the same as {variable('url')} where Lumbar's own issuer runs"
        )
    if any((settings.data / name).exists() for name in ("postgres", "postgres.place")):
        raise SettingsError(
            f"{variable('data')}: {settings.data} belongs to an embedded clinic, and its keys are demo keys;"
            " give the issuer a folder of its own"
        )


def has_demo_people(settings: Settings, clinic: Clinic) -> bool:
    """Tell whether the people of clinic.yaml may sign in without proving who they are."""
    return clinic.demo_people and settings.demo_people != "no"


def check_demo_people(settings: Settings, clinic: Clinic, *, host: str) -> None:
    """Refuse demo people where anybody but the people at this machine could reach them."""
    if not has_demo_people(settings, clinic):
        return
    named = urlsplit(settings.url).hostname if settings.url is not None else host
    for address, where in ((host, "it listens at"), (named or "", f"{variable('url')} names")):
        if not _is_loopback(address):
            raise SettingsError(
                f"{variable('demo_people')}: clinic.yaml has demo_people, as whom anybody may sign in, and"
                f" {where} {address}, which others can reach; set it to no, or take demo_people away"
            )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_portal(settings: Settings) -> None:
    """Check the settings of the portal's process."""
    check_databases(settings, services=[PORTAL])
    _need(settings, "url", "it is where browsers come, and what tokens name as their issuer")
    _need(settings, "portal_key", "it encrypts what is kept of sessions, and all replicas share it")


def check_gateway(settings: Settings) -> None:
    """Check the settings of the gateway's process."""
    for part in (*SERVICES, ISSUER):
        _need(settings, f"{part}_addresses", f"the gateway passes on to the replicas of {part}")


def check_events(settings: Settings) -> None:
    """Check what is said about the events: Kafka, or on purpose PostgreSQL."""
    if transport_of(settings) == "postgres":
        for member in _OF_KAFKA:
            if getattr(settings, member) is not None:
                raise SettingsError(
                    f"{variable(member)}: does not fit {variable('transport')}=postgres; unset one of them"
                )
        return
    _need(
        settings, "kafka_bootstrap", f"databases without Kafka are meant by {variable('transport')}=postgres"
    )
    _together(settings, "kafka_username", "kafka_password")
    if settings.kafka_ca is not None:
        if settings.kafka_tls != "yes":
            raise SettingsError(f"{variable('kafka_ca')}: needs {variable('kafka_tls')}=yes")
        if not settings.kafka_ca.is_file():
            raise SettingsError(f"{variable('kafka_ca')}: there is no file {settings.kafka_ca}")


def check_databases(settings: Settings, *, services: list[str]) -> None:
    """Check that these databases are named, each by a role that proves who it is."""
    for service in services:
        member = f"{service}_database_url"
        _need(settings, member, f"the database of {service} must be named")
        parts = urlsplit(database_url(settings, service))
        if parts.password is None and not set(_PROVES_ITSELF) & set(parse_qs(parts.query)):
            raise SettingsError(
                f"{variable(member)}: names no password (or passfile, or sslcert): a server that trusts"
                " whoever asks is not used here"
            )


def transport_of(settings: Settings) -> Literal["kafka", "postgres"]:
    """Tell what carries the events."""
    return settings.transport or "kafka"


def needed_databases(settings: Settings, *, service: str, role: Role) -> list[str]:
    """Name the databases of a process: its own, and for a worker on the PostgreSQL log every publisher's."""
    if role == "worker" and transport_of(settings) == "postgres":
        return [service, *(other for other in SERVICES if other != service)]
    return [service]


def database_url(settings: Settings, service: str) -> str:
    """Give the address of a database that was checked to be there."""
    found: str | None = getattr(settings, f"{service}_database_url")
    if found is None:
        raise SettingsError(f"{variable(f'{service}_database_url')}: is missing")
    return found


def is_distributed(settings: Settings) -> bool:
    """Tell whether the environment names a database, so that commands talk to it."""
    return any(getattr(settings, f"{service}_database_url") is not None for service in SERVICES)


def _need(settings: Settings, member: str, why: str) -> None:
    if getattr(settings, member) is None:
        raise SettingsError(f"{variable(member)}: is missing; {why}")


def _together(settings: Settings, one: str, other: str) -> None:
    for given, missing in ((one, other), (other, one)):
        if getattr(settings, given) is not None and getattr(settings, missing) is None:
            raise SettingsError(f"{variable(missing)}: is missing; {variable(given)} is set")
