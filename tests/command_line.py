"""The command line in the process of a test."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from pipelines import cli


def call(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, output, errors."""
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(StringIO()) as shown,
        redirect_stderr(StringIO()) as errors,
    ):
        patch.setattr("sys.argv", ["census-audit", *map(str, arguments)])
        patch.setattr("os.umask", lambda _: 0)
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, shown.getvalue(), errors.getvalue()
