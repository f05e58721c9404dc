"""What is taken from a published run whose manifest may be damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.reuse import MANIFEST, Published

SOUND: dict[str, Any] = {"contents": {"linkage": "x"}, "outputs": [{"path": "a", "sha256": "0"}]}


def published(folder: Path, manifest: Any) -> Published:
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "a").write_text("")
    return Published(folder)


def test_a_sound_manifest_tells_what_its_run_follows_from(tmp_path: Path) -> None:
    run = published(tmp_path, SOUND)

    assert run.follows("linkage", "x")
    assert ["a/b"] == published(tmp_path, {"outputs": [{"path": "a/b", "sha256": ""}]}).files("a")


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {},
        SOUND | {"contents": []},
        SOUND | {"contents": None},
        SOUND | {"outputs": 5},
        SOUND | {"outputs": [{}]},
        SOUND | {"outputs": [{"path": 1, "sha256": "0"}]},
    ],
)
def test_of_a_manifest_of_another_shape_nothing_is_taken(tmp_path: Path, manifest: Any) -> None:
    run = published(tmp_path, manifest)

    assert not run.follows("linkage", "x")
    assert run.file("a") is None
    assert [] == run.files("a")
