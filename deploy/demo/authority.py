"""A certificate authority of the length of one process, for HTTPS between parts of one machine."""

import ssl
import tempfile
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock import machine_now

_LASTS = timedelta(days=1)


class Authority:
    """Makes certificates for any name; its own key is nowhere but in memory."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("An authority of this machine")
        self._own = _unsigned(name, self._key, issuer=name, ca=True).sign(self._key, hashes.SHA256())

    def trusting(self) -> ssl.SSLContext:
        """Give what a client needs that trusts this authority and no other."""
        pem = self._own.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def serving(self, host: str) -> ssl.SSLContext:
        """Give what a server needs whose name is `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _unsigned(_name(host), key, issuer=self._own.subject, ca=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name, ca: bool
) -> x509.CertificateBuilder:
    now = machine_now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LASTS)
        .not_valid_after(now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
