"""The command line in the process of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import cli


def call(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, output, errors."""
    code = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["census-audit", *map(str, arguments)])
        patch.setattr("os.umask", lambda _: 0)
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err
