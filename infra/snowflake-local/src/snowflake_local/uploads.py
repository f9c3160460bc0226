"""PUT's uploads: a signed address for one file of a stage, and the file written whole or not at all."""

import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fakesnow.transforms import stage
from sqlglot import exp


class Uploads:
    """Addresses below /fs_bucket/, each good for one path, for the life of the server."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def stage_info(self, base_url: str, put: exp.Expr) -> dict[str, Any]:
        """What the connector needs to upload: it takes us for Google's store, which is a plain HTTP PUT."""
        data = put.args["put_stage_data"]
        name = Path(data["src_locations"][0]).name
        path = os.path.relpath(Path(data["stageInfo"]["location"]) / name, stage.LOCAL_BUCKET_PATH)
        return {
            "locationType": "GCS",
            "location": f"{put.args['put_stage_name']}/",
            "creds": {},
            "presignedUrl": f"{base_url}/fs_bucket/{quote(path)}?signature={self._signature(path)}",
        }

    def write(self, path: str, signature: str, body: bytes) -> bool:
        """Store one uploaded file; False when the address is not one of ours.

        The file appears with its whole content: a listing or COPY never sees a part, a kill leaves none.
        """
        if not hmac.compare_digest(signature, self._signature(path)):
            return False
        root = Path(stage.LOCAL_BUCKET_PATH)
        target = Path(os.path.normpath(root / path))
        if not target.is_relative_to(root):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming = root.parent / "incoming"
        incoming.mkdir(exist_ok=True)
        part = incoming / uuid.uuid4().hex
        part.write_bytes(body)
        part.replace(target)
        return True

    def _signature(self, path: str) -> str:
        return hmac.new(self._key, path.encode(), hashlib.sha256).hexdigest()
