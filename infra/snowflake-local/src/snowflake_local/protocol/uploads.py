"""PUT's uploads: a signed address for one file of a stage, and the file written whole or not at all."""

import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from snowflake_local.load.put import Upload


class Uploads:
    """Addresses below /fs_bucket/, each good for one path, for the life of the server; `root` is the stages' folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._key = secrets.token_bytes(32)

    def told(self, upload: Upload, base_url: str) -> dict[str, Any]:
        """What the connector is told, to upload; `base_url` is where this server is for it."""
        put = upload.put
        return {
            "stageInfo": self._local(upload) if upload.is_bound else self._presigned(upload, base_url),
            "src_locations": [upload.local],
            "parallel": put.parallel,
            "autoCompress": put.auto_compress,
            "sourceCompression": put.source_compression,
            "overwrite": put.overwrite,
            "command": "UPLOAD",
        }

    def _local(self, upload: Upload) -> dict[str, Any]:
        """A folder, for a client on this machine: a bound stage is not sent with the repeats for the files."""
        return {"locationType": "LOCAL_FS", "location": str(upload.to.file("")), "creds": {}}

    def _presigned(self, upload: Upload, base_url: str) -> dict[str, Any]:
        """The connector takes us for Google's store, which is a plain HTTP PUT."""
        path = os.path.relpath(upload.to.file(Path(upload.local).name), self._root)
        return {
            "locationType": "GCS",
            "location": f"{upload.to.stage}/",
            "creds": {},
            "presignedUrl": f"{base_url}/fs_bucket/{quote(path)}?signature={self._signature(path)}",
        }

    def write(self, path: str, signature: str, body: bytes) -> bool:
        """Store one uploaded file; False when the address is not one of ours.

        The file appears with its whole content: a listing or COPY never sees a part, a kill leaves none.
        """
        if not hmac.compare_digest(signature, self._signature(path)):
            return False
        root = self._root
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
