"""MinIO's notification targets for the landing: two on the same events."""

from typing import Final

FAST_TARGET: Final = "FAST"
"""At once, and forgetful."""
DURABLE_TARGET: Final = "DURABLE"
"""Kept until it is delivered, and up to 3 s late."""
WEBHOOK_ARNS: Final = tuple(f"arn:minio:sqs::{target}:webhook" for target in (FAST_TARGET, DURABLE_TARGET))
