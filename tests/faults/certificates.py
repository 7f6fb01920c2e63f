"""Certificates made on the spot, good ones and bad ones."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM files."""

    cert_file: Path
    key_file: Path


class Authority:
    """A certificate authority of a test's own.

    :param folder: where PEM files are put.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Acme test authority")
        authority = self._sign(self._key, self._name, self._key)
        self.cert_file = folder / "authority.pem"
        self.cert_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str = "127.0.0.1", *, expired: bool = False, self_signed: bool = False) -> Certificate:
        """Make a certificate for a host or a client.

        :param host: address or name it is good for.
        :param expired: whether it ended yesterday.
        :param self_signed: whether it vouches for itself, and this authority does not.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(key, _name(host), key if self_signed else self._key, expired=expired, host=host)
        stem = f"{host}-{certificate.serial_number}"
        made = Certificate(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        made.cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return made

    def _sign(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: x509.Name,
        signer: ec.EllipticCurvePrivateKey,
        *,
        expired: bool = False,
        host: str | None = None,
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if signer is key else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * _DAY)
            .not_valid_after(now - _DAY if expired else now + _DAY)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if host is None:
            builder = builder.add_extension(_may_sign(), critical=True)
        else:
            names = x509.SubjectAlternativeName([_general_name(host)])
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
            builder = builder.add_extension(names, critical=False).add_extension(issuer, critical=False)
        return builder.sign(signer, hashes.SHA256())


def server_tls(certificate: Certificate, *, clients_of: Authority | None = None) -> ssl.SSLContext:
    """Give the TLS side of a server.

    :param clients_of: the authority whose certificate a client must show, if it must.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of.cert_file)
    return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _may_sign() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
