"""The landing bucket: the bucket itself, one user per service with the least it needs, and its notification."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from minio import Minio, MinioAdmin, S3Error
from minio.credentials.providers import StaticProvider
from minio.error import MinioException
from minio.notificationconfig import NotificationConfig, QueueConfig, SuffixFilterRule

from bank_common import names
from bank_common.landing.segments import SUFFIX
from bank_common.runtime.errors import PipelineError

# minio-py signs for this region; with none MinIO answers every call of a restricted user with AccessDenied.
REGION: Final = "us-east-1"
_CREATED: Final = ["s3:ObjectCreated:*"]


class BucketError(PipelineError):
    """The object store refused something that provisioning needs."""


@dataclass(frozen=True, slots=True)
class StoreUser:
    """A service's access: it may list the bucket and do `actions` on its objects, nothing else."""

    access_key: str
    secret_key: str
    actions: Sequence[str]

    def policy(self, bucket: str) -> dict[str, Any]:
        """The user's policy document."""
        arn = f"arn:aws:s3:::{bucket}"
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListBucket"], "Resource": [arn]},
                {"Effect": "Allow", "Action": list(self.actions), "Resource": [f"{arn}/*"]},
            ],
        }


def consumer_user(access_key: str, secret_key: str) -> StoreUser:
    """The consumer creates segments and reads them back. It may not delete: a landed segment is for ever."""
    return StoreUser(access_key, secret_key, ("s3:GetObject", "s3:PutObject"))


def loader_user(access_key: str, secret_key: str) -> StoreUser:
    """The loader, and everything that inspects the chains, reads."""
    return StoreUser(access_key, secret_key, ("s3:GetObject",))


@dataclass(frozen=True, slots=True)
class StoreAdmin:
    """The administrator's access to the store: `host:port` without a scheme, and the root credentials."""

    endpoint: str
    access_key: str
    secret_key: str
    secure: bool = False


def ensure(
    store: StoreAdmin, users: Sequence[StoreUser], webhook_targets: Sequence[str], *, bucket: str = names.BUCKET
) -> None:
    """Make bucket, users, policies and notification what they have to be, whatever was there.

    Each webhook target (an ARN that the store knows from its own configuration) gets every created segment.

    Raises:
        BucketError: the store refused; the message says what.
    """
    try:
        client = Minio(
            store.endpoint,
            access_key=store.access_key,
            secret_key=store.secret_key,
            secure=store.secure,
            region=REGION,
        )
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket, location=REGION)
        _users(store, users, bucket)
        client.set_bucket_notification(bucket, _notification(webhook_targets))
    except MinioException as error:
        reason = f"{error.code}, {error.message}" if isinstance(error, S3Error) else str(error)
        raise BucketError(
            f"The object store at {store.endpoint} refused: {reason.rstrip('.')}.",
            advice="See `bank status` and `bank logs minio`.",
        ) from error


def _notification(targets: Sequence[str]) -> NotificationConfig:
    return NotificationConfig(
        queue_config_list=[
            QueueConfig(
                _CREATED, config_id=f"segments-{number}", suffix_filter_rule=SuffixFilterRule(SUFFIX), queue=arn
            )
            for number, arn in enumerate(targets)
        ]
    )


def _users(store: StoreAdmin, users: Sequence[StoreUser], bucket: str) -> None:
    admin = MinioAdmin(
        endpoint=store.endpoint,
        credentials=StaticProvider(store.access_key, store.secret_key),
        region=REGION,
        secure=store.secure,
    )
    attached = {user: entry.get("policyName", "") for user, entry in json.loads(admin.user_list()).items()}
    for user in users:
        policy = f"{bucket}-{user.access_key}"
        admin.user_add(user.access_key, user.secret_key)
        admin.policy_add(policy, policy=user.policy(bucket))
        if attached.get(user.access_key) != policy:
            admin.policy_set(policy, user=user.access_key)
