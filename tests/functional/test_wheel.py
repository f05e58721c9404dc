"""The wheel carries everything: installed into an empty environment, run from another folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_runs_the_sample_from_another_folder(tmp_path: Path) -> None:
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    _run(sys.executable, *build, cwd=tmp_path)
    wheel = next(tmp_path.glob("*.whl"))
    python = tmp_path / "env" / "bin" / "python"
    _run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.txt", cwd=tmp_path)
    _run(*pip, "--no-deps", wheel, cwd=tmp_path)
    audit = tmp_path / "env" / "bin" / "census-audit"

    _run(audit, "sample", "--out", "s", "--units", "500", cwd=tmp_path)
    shown = _run(
        audit, "run", "--input", "s", "--out", "o", "--salt-file", "s_truth/salt.txt", cwd=tmp_path
    )

    assert re.search(r"有差错 findings \d\d", shown)
    assert "规则出错" not in shown
    assert (tmp_path / "o" / "current" / "report.html").is_file()
