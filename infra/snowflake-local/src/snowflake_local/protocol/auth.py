"""Key-pair login: the JWT of Snowflake's SNOWFLAKE_JWT authenticator, checked against the public keys we were given."""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

_INCORRECT = "Incorrect username or password was specified."
_LEEWAY_SECONDS = 60
_REQUIRED: Any = {"require": ["exp", "iat", "iss", "sub"]}


class LoginError(Exception):
    """The login is refused; `code` is Snowflake's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class User:
    """A user: name, role, and the key that verifies the login."""

    name: str
    role: str
    key: RSAPublicKey

    @property
    def fingerprint(self) -> str:
        """SHA256:base64 of the public key, as in the token's issuer."""
        der = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


class Users:
    """The users of a file: `{"NAME": {"public_key_file": "…", "role": "…"}}`."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    @classmethod
    def read(cls, path: Path) -> "Users":
        """Read the file and every key that it names.

        Raises:
            ValueError: a file is missing or is no RSA public key; the message names it.
        """
        users: dict[str, User] = {}
        try:
            for name, entry in json.loads(path.read_text(encoding="utf-8")).items():
                key = load_pem_public_key(Path(entry["public_key_file"]).read_bytes())
                if not isinstance(key, RSAPublicKey):
                    raise ValueError(f"{entry['public_key_file']} is not an RSA key")
                users[name.upper()] = User(name.upper(), entry["role"].upper(), key)
        except (OSError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(f"the users file {path} can't be used: {type(error).__name__} {error}") from error
        return cls(users)

    def login(self, name: str, authenticator: str, token: str, role: str | None) -> tuple[User, str]:
        """Check a login; gives the user and the role of the session.

        Raises:
            LoginError: no such user, another authenticator, a bad or expired token, or a role it does not have.
        """
        user = self._users.get(name.upper())
        if authenticator.upper() != "SNOWFLAKE_JWT":
            raise LoginError("390100", f"{_INCORRECT} The stand-in knows key-pair login only (SNOWFLAKE_JWT).")
        if user is None:
            raise LoginError("390100", _INCORRECT)
        try:
            claims = jwt.decode(token, user.key, algorithms=["RS256"], leeway=_LEEWAY_SECONDS, options=_REQUIRED)
        except jwt.PyJWTError as error:
            raise LoginError("390144", f"JWT token is invalid: {error}") from None
        subject = str(claims.get("sub", ""))
        if subject.rpartition(".")[2].upper() != user.name or claims.get("iss") != f"{subject}.{user.fingerprint}":
            raise LoginError("390144", "JWT token is invalid: issuer or subject is not this user's.")
        requested = (role or user.role).upper()
        if user.role not in (requested, "ACCOUNTADMIN"):
            raise LoginError(
                "390189", f"Role '{requested}' specified in the connect string is not granted to this user."
            )
        return user, requested
