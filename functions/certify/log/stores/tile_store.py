"""The log's files in S3: tiles for everybody, batches that are put aside."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from avarez.object_store import Bucket
from avarez.transparency.tiles import Tile, hashes_of
from functions.certify.log.sequencing import LogUnsound

TILE_PREFIX: Final = "tile/"
STAGING_PREFIX: Final = "staging/"
LAST_CHECKPOINT: Final = "checkpoint"
WRITERS: Final = 8
_CONTENT_TYPE: Final = "application/octet-stream"


class LogBucket:
    """Tiles under `tile/`, batches under `staging/`."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = Bucket(bucket, s3)

    def find_tile(self, tile: Tile) -> bytes | None:
        """The tile's bytes; of an unfinished one, from the finished tile where only that is left."""
        content = self._bucket.find(TILE_PREFIX + tile.path)
        if content is None and tile.size_bytes < Tile(tile.level, tile.index).size_bytes:
            full = self._bucket.find(TILE_PREFIX + Tile(tile.level, tile.index).path)
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
        content = self._bucket.find(LAST_CHECKPOINT)
        return None if content is None else content.decode("utf-8")

    def keep_last_checkpoint(self, note: str) -> None:
        """The checkpoint, stored and read back."""
        self._keep(LAST_CHECKPOINT, note.encode())

    def staged(self, name: str) -> bytes:
        """A batch that was put aside."""
        content = self._bucket.find(STAGING_PREFIX + name)
        if content is None:
            raise LogUnsound(f"the batch {name} is missing")
        return content

    def _keep(self, key: str, content: bytes) -> None:
        self._bucket.keep(key, content, _CONTENT_TYPE)
