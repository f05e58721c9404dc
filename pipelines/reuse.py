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

from pipelines.context import RunContext

MANIFEST = "manifest.json"
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)


def content_of(ctx: RunContext, name: str) -> str:
    """Return what stands for the rows of a delivered table: where they come from, which are left.

    Empty where that is not known: then the rows are compared with nothing.
    """
    schema, _, table = name.partition(".")
    if schema != "census" or ctx.store is None or table not in ctx.store.contents:
        return ""
    left = ctx.engine.rows(
        "SELECT COUNT(*), CAST(SUM(hash(file_no, row_no)) AS VARCHAR), "
        f"CAST(BIT_XOR(hash(row_no, file_no)) AS VARCHAR) FROM {name}"
    )
    return hashlib.sha256(f"{ctx.store.contents[table]} {left}".encode()).hexdigest()


@dataclass(frozen=True)
class Published:
    """The last published run, by its folder; nothing where there is none."""

    folder: Path

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return manifest if isinstance(manifest, dict) else {}

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {file["path"]: file["sha256"] for file in self._manifest.get("outputs", ())}

    def link(self, name: str, content: str, target: Path) -> bool:
        """Put the Parquet file of a table under a second name; False where it cannot be used.

        It can where it holds the same content, and its bytes are those of its manifest.
        """
        source = (self.folder / "parquet" / f"{name}.parquet").resolve()
        known = self._manifest.get("contents", {}).get(name)
        if known != content or not source.is_file():
            return False
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != self._digests.get(f"parquet/{name}.parquet"):
            return False
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            shutil.copyfile(source, target)
        return True
