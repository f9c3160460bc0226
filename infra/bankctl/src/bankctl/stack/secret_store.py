"""Secrets of one installation: generated when first asked for, kept in files of mode 0600, never defaulted."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def _password() -> str:
    return secrets.token_urlsafe(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


_KINDS: dict[str, Callable[[], str]] = {"airflow_fernet_key": _fernet_key}


class SecretStore:
    """The folder of secrets of one state directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """The file of a secret; creates the secret when it is not there yet."""
        file = self._folder / name
        if not file.exists():
            write_private(file, _KINDS.get(name, _password)())
        return file

    def read(self, name: str) -> str:
        """The secret's text."""
        return self.path(name).read_text(encoding="utf-8")

    def private_key(self, user: str) -> Path:
        """A warehouse user's private key (PKCS#8 PEM, RSA 2048); its public half lies beside it as `<user>.pub.pem`."""
        private = self._folder / f"{user.lower()}.pem"
        if not private.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            write_private(self.public_key(user), public.decode())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_private(private, pem.decode())
        return private

    def public_key(self, user: str) -> Path:
        """The path of a warehouse user's public key."""
        return self._folder / f"{user.lower()}.pub.pem"


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file that only its owner can read (or as `mode` says), whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)
