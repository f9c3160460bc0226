from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from bankctl.stack.secret_store import SecretStore


def test_secrets_are_made_once_private_and_different(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets")
    first = store.read("minio_root_password")
    assert len(first) >= 24
    assert store.read("minio_root_password") == first
    assert store.read("webhook_token") != first
    assert store.path("webhook_token").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_fernet_key_is_one(tmp_path: Path) -> None:
    Fernet(SecretStore(tmp_path).read("airflow_fernet_key"))


def test_a_key_pair_belongs_together(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    private = load_pem_private_key(store.private_key("BANK_LOADER").read_bytes(), None)
    public = load_pem_public_key(store.public_key("BANK_LOADER").read_bytes())
    assert private.public_key() == public
