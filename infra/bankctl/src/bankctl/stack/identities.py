"""The identities of an installation: who logs in where, and which secret holds the password."""

from typing import Final

from bank_common import names

AIRFLOW_ADMIN: Final = "admin"
AIRFLOW_RECEIVER: Final = "receiver"

CONSUMER_STORE_USER: Final = "cdc-consumer"
LOADER_STORE_USER: Final = "bank-loader"
STORE_PASSWORDS: Final = {
    CONSUMER_STORE_USER: "minio_consumer_password",
    LOADER_STORE_USER: "minio_loader_password",
}
"""The object store's users and the secrets that hold their passwords."""

WAREHOUSE_ROLES: Final = {
    names.ADMIN_USER: "ACCOUNTADMIN",
    names.LOADER_USER: names.LOADER_ROLE,
    names.TRANSFORMER_USER: names.TRANSFORMER_ROLE,
}
"""The local warehouse's users, each with its role."""
