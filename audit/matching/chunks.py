"""Work on arrays a chunk at a time, on threads: chunks fit a processor's cache.

NumPy and polars let go of the interpreter's lock while they compute.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 2
Result = TypeVar("Result")


def each_chunk(
    n: int, size: int, work: Callable[[slice], Result], threads: int = THREADS
) -> list[Result]:
    """Return what `work` gives for the slices of `size` that `n` rows fall into, in their order."""
    chunks = [slice(start, start + size) for start in range(0, n, size)]
    if len(chunks) < 2:
        return [work(chunk) for chunk in chunks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, chunks))
