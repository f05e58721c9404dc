"""What a process may leave behind when it dies: no memory, no values."""

from __future__ import annotations

import faulthandler
import resource
import sys
import threading
from pathlib import Path
from types import TracebackType


def _say(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Tell what failed and where; the message of an error may hold values."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    sys.stderr.write(f"错误：程序出错 Error: the program failed ({kind.__name__}, {where})\n")


def keep_no_dumps() -> None:
    """Write no core file and no traceback with values, whatever ends the process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    sys.excepthook = _say
    threading.excepthook = lambda args: _say(
        args.exc_type, args.exc_value or RuntimeError(), args.exc_traceback
    )
