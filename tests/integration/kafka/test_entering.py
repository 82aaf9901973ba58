"""Getting into a Kafka that asks for TLS or credentials, and the one line where that fails."""

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.events.transport.kafka.address import KafkaAddress, KafkaUnusable
from shared.events.transport.kafka.connection import Connection
from shared.events.transport.kafka.offsets import OffsetReader
from shared.events.transport.kafka.topics import check_topics, prepare_topics
from tests.support.kafka import start_local_kafka
from tests.support.process import free_port

pytestmark = pytest.mark.xdist_group("brokers with doors")

_JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Doors:
    """One broker's listeners: no credentials, a password, a password that is proved inside TLS, TLS alone."""

    plain: str
    password: str
    proof: str
    tls: str
    ca: Path


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("doors")
    authority = _certificate(folder)
    password, proof, tls = (f"127.0.0.1:{free_port()}" for _ in range(3))
    kafka = start_local_kafka(
        folder / "kafka",
        {
            "listeners": f"PASSWORD://{password},PROOF://{proof},TLS://{tls}",
            "listener.security.protocol.map": "PASSWORD:SASL_PLAINTEXT,PROOF:SASL_SSL,TLS:SSL",
            "listener.name.password.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.password.plain.sasl.jaas.config": (
                f'{_JAAS}.plain.PlainLoginModule required user_lumbar="right";'
            ),
            "listener.name.proof.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.proof.scram-sha-512.sasl.jaas.config": (
                f"{_JAAS}.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "broker.pem"),
        },
    )
    try:
        _add_user(kafka.bootstrap)
        yield Doors(kafka.bootstrap, password, proof, tls, authority)
    finally:
        kafka.kill()


@pytest.mark.parametrize("door", ["plain", "password", "proof", "tls"])
async def test_every_door_opens_to_whoever_may_come_in(doors: Doors, door: str) -> None:
    address = _address(doors, door)
    await prepare_topics(address)
    extents = await OffsetReader(Connection(address)).extents(["lumbar.referral"], read={})
    assert {extent.end for extent in extents.values()} == {0}


@pytest.mark.parametrize("door", ["password", "proof"])
async def test_refused_credentials_are_told_without_the_password(doors: Doors, door: str) -> None:
    said = await _refused(_address(doors, door, password="wr0ng"))
    assert "refuses the credentials of 'lumbar'" in said
    assert "wr0ng" not in said


async def test_a_broker_that_is_not_there_is_named() -> None:
    where = f"127.0.0.1:{free_port()}"
    assert await _refused(KafkaAddress(bootstrap=where)) == f"{where} cannot be reached: Connection refused"


async def test_a_broker_that_asks_for_more_is_told_so(doors: Doors) -> None:
    for where in (doors.password, doors.tls):
        assert "does it ask for TLS or credentials?" in await _refused(KafkaAddress(bootstrap=where)), where
    needless = KafkaAddress(bootstrap=doors.plain, username="lumbar", password="right")
    assert "asks for no credentials" in await _refused(needless)


async def test_a_certificate_that_is_not_trusted_is_told(doors: Doors, tmp_path: Path) -> None:
    stranger = _certificate(tmp_path)
    assert "not trusted" in await _refused(KafkaAddress(bootstrap=doors.tls, tls=True))
    assert "not trusted" in await _refused(KafkaAddress(bootstrap=doors.tls, tls=True, ca=stranger))
    assert "does not speak TLS" in await _refused(KafkaAddress(bootstrap=doors.plain, tls=True, ca=doors.ca))
    missing = KafkaAddress(bootstrap=doors.tls, tls=True, ca=tmp_path / "none.pem")
    assert "No such file" in await _refused(missing)


async def test_an_address_that_is_none_is_told() -> None:
    assert "no list of host:port" in await _refused(KafkaAddress(bootstrap="kafka:many"))


async def _refused(address: KafkaAddress) -> str:
    with pytest.raises(KafkaUnusable) as raised:
        await check_topics(address)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def _address(doors: Doors, door: str, *, password: str = "right") -> KafkaAddress:
    secret = door in ("password", "proof")
    tls = door in ("proof", "tls")
    return KafkaAddress(
        bootstrap=getattr(doors, door),
        username="lumbar" if secret else None,
        password=password if secret else None,
        tls=tls,
        ca=doors.ca if tls else None,
        prefix=f"t{uuid4().hex[:8]}.",
    )


def _add_user(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    proof = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    wanted = UserScramCredentialUpsertion("lumbar", proof, b"right")
    for future in admin.alter_user_scram_credentials([wanted]).values():
        future.result(30)


def _certificate(folder: Path) -> Path:
    """Make an authority and a broker's certificate for 127.0.0.1; give the authority's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "broker.pem").write_bytes(secret + pem)
    (folder / "authority.pem").write_bytes(pem)
    return folder / "authority.pem"
