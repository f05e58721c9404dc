"""Files of the last published run that tonight's would equal byte for byte."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from audit.contracts import CONTRACT
from pipelines.context import RunContext

MANIFEST = "manifest.json"
LINKS = "linkage"
"""Key of the manifest's `contents` for what all tables `linkage.*` follow from."""
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)


def content_of(ctx: RunContext, name: str) -> str:
    """Return what stands for the rows of a published table: all that they follow from.

    Empty where that is not known: then the rows are compared with nothing.
    """
    schema, _, table = name.partition(".")
    if schema == LINKS:
        return ctx.contents.get(LINKS, "")
    if name in ctx.contents:
        return ctx.contents[name]
    if ctx.contents_tonight is None or schema != "census" or table not in CONTRACT.tables:
        return ""
    return ctx.contents_tonight.of(table)


@dataclass(frozen=True)
class Published:
    """The last published run, by its folder; nothing where there is none."""

    folder: Path

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            sound = isinstance(manifest.get("contents", {}), dict) and all(
                isinstance(file["path"], str) and isinstance(file["sha256"], str)
                for file in manifest["outputs"]
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}
        return manifest if sound else {}

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {file["path"]: file["sha256"] for file in self._manifest.get("outputs", ())}

    def follows(self, key: str, content: str) -> bool:
        """Tell whether `contents` of the manifest has `content` under `key`."""
        return bool(self._manifest.get("contents", {}).get(key) == content)

    def file(self, place: str) -> Path | None:
        """Return a file of the run; None where its bytes are not those of the manifest."""
        source = (self.folder / place).resolve()
        if not source.is_file():
            return None
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return source if digest == self._digests.get(place) else None

    def files(self, folder: str) -> list[str]:
        """Return the places of the files that the manifest names in a folder."""
        return [place for place in self._digests if place.startswith(f"{folder}/")]

    def sound(self, name: str, key: str, content: str) -> Path | None:
        """Return the Parquet file of a table; None where it cannot be used.

        It can where it follows from `content`, and its bytes are those of the manifest.
        """
        return self.file(f"parquet/{name}.parquet") if self.follows(key, content) else None

    def link(self, name: str, content: str, target: Path) -> bool:
        """Put the Parquet file of a table under a second name; False where it cannot be used."""
        source = self.sound(name, name, content)
        if source is None:
            return False
        second_name(source, target)
        return True


def second_name(source: Path, target: Path) -> None:
    """Give a published file a second name, or copy it where the disk has none."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
