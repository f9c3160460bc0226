"""A certificate authority of the installation's own, and the stand-in's server certificate signed by it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bankctl.stack.secret_store import write_private

_VALID = timedelta(days=3650)


def ensure(folder: Path) -> None:
    """Make `ca.pem`, `server.pem`, `server.key` and `ca-bundle.pem` (certifi's roots and ours) where missing."""
    if (folder / "ca-bundle.pem").exists():
        return
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Banking data pipeline, local")])
    now = datetime.now(UTC)
    ca = _builder(ca_name, ca_name, ca_key, now).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    ca_certificate = ca.sign(ca_key, hashes.SHA256())
    # "snowflake" is its name in the network of containers.
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.DNSName("snowflake"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    server = _builder(server_name, ca_name, server_key, now).add_extension(names, False)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    ca_pem = ca_certificate.public_bytes(serialization.Encoding.PEM).decode()
    write_private(folder / "ca.pem", ca_pem)
    write_private(folder / "server.pem", _pem(server.sign(ca_key, hashes.SHA256())))
    write_private(folder / "server.key", _key_pem(server_key))
    write_private(folder / "ca-bundle.pem", Path(certifi.where()).read_text(encoding="utf-8") + "\n" + ca_pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
