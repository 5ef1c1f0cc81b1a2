"""The log's files in S3: tiles for everybody, batches that are put aside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.dynamo import client
from avarez.errors import ServiceBusy
from avarez.transparency.tiles import Tile, hashes_of
from functions.certify.log.sequencing import LogUnsound

TILE_PREFIX: Final = "tile/"
STAGING_PREFIX: Final = "staging/"
LAST_CHECKPOINT: Final = "checkpoint"
WRITERS: Final = 8


class LogBucket:
    """Tiles under `tile/`, batches under `staging/`."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = bucket
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client, made on first use."""
        if self._s3 is None:
            self._s3 = client("s3")
        return self._s3

    def find_tile(self, tile: Tile) -> bytes | None:
        """The tile's bytes; of an unfinished one, from the finished tile where only that is left."""
        content = self._read(TILE_PREFIX + tile.path)
        if content is None and tile.size_bytes < Tile(tile.level, tile.index).size_bytes:
            full = self._read(TILE_PREFIX + Tile(tile.level, tile.index).path)
            content = None if full is None else full[: tile.size_bytes]
        return content

    def read_tile(self, tile: Tile) -> bytes:
        """The tile's bytes, of the length that its name says.

        Raises: LogUnsound, TilesUnsound when it is missing or of another length; ServiceBusy.
        """
        content = self.find_tile(tile)
        if content is None:
            raise LogUnsound(f"tile {tile.path} is missing")
        hashes_of(tile, content)
        return content

    def keep_tiles(self, contents: Mapping[Tile, bytes]) -> None:
        """Each tile, stored and read back."""
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(lambda one: self._keep(TILE_PREFIX + one[0].path, one[1]), contents.items()))

    def stage(self, name: str, content: bytes) -> None:
        """The batch, stored and read back."""
        self._keep(STAGING_PREFIX + name, content)

    def last_checkpoint(self) -> str | None:
        """The checkpoint that was published last; None before the first."""
        content = self._read(LAST_CHECKPOINT)
        return None if content is None else content.decode("utf-8")

    def keep_last_checkpoint(self, note: str) -> None:
        """The checkpoint, stored and read back."""
        self._keep(LAST_CHECKPOINT, note.encode())

    def staged(self, name: str) -> bytes:
        """A batch that was put aside."""
        content = self._read(STAGING_PREFIX + name)
        if content is None:
            raise LogUnsound(f"the batch {name} is missing")
        return content

    def _keep(self, key: str, content: bytes) -> None:
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        try:
            self.s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/octet-stream",
                ChecksumSHA256=checksum,
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error
        if self._read(key) != content:
            raise ServiceBusy("The stored file does not read back as it was written.")

    def _read(self, key: str) -> bytes | None:
        try:
            content = self.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            # To a reader who may not list, S3 says 403 of what is not there (API reference, GetObject).
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "AccessDenied", "403"):
                return None
            raise ServiceBusy() from error
        except BotoCoreError as error:
            raise ServiceBusy() from error
        return bytes(content)
