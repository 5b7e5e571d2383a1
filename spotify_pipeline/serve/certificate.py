"""Certificates for HTTPS: a user's own, or one that is made.

Belongs here: making and finding them. Does not belong here: serving.
"""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from spotify_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

__all__ = ["Certificate", "given", "made"]

VALID = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Certificate:
    """Files of PEM."""

    certificate: Path
    key: Path


def given(certificate: Path, key: Path) -> Certificate:
    """Take a user's own.

    Raises
    ------
    PipelineError
        A file is missing.
    """
    for file in (certificate, key):
        if not file.is_file():
            raise PipelineError(f"{file}: no such file")
    return Certificate(certificate, key)


def made(folder: Path, hosts: Sequence[str]) -> Certificate:
    """Make a certificate for some hosts, or take the one that was made for them before.

    Browsers warn of it once, for nobody vouches for it.

    Parameters
    ----------
    folder
        Where it is kept.
    hosts
        Names and addresses.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = x509.SubjectAlternativeName([_name(host) for host in dict.fromkeys(hosts)])
    now = datetime.now(UTC)
    if found.certificate.is_file() and found.key.is_file():
        kept = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        held = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if held == names and kept.not_valid_after_utc - now > RENEWED_BEFORE:
            return found
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "spotify-pipeline on this network")]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(found.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    found.certificate.write_bytes(certificate.public_bytes(pem))
    return found


def _name(host: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
