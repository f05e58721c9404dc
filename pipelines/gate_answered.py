"""What Great Expectations said of last night's profile, where it is asked the same again.

To load it takes longer than to judge: where no profile changed, its results and Data Docs are those
of the last published run. The pages tell when they were made.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl

from audit.gate import Cell, expectations
from pipelines.contents import digest
from pipelines.context import LOG, RunContext
from pipelines.gate_worker import DOCS, Answer, request
from pipelines.publish import CURRENT
from pipelines.reuse import Published, second_name

KEY = "gx"
"""Key of the manifest's `contents` for what results and Data Docs follow from."""
_RESULTS = "audit.gate_check"
_PACKAGES = ("great-expectations", "pandas", "numpy", "jinja2")
_PAGES = ("data_docs.py", "data_docs_words.py", "templates/data_docs.css", "templates/data_docs.js")
_REPORTS = Path(__file__).resolve().parents[1] / "reports"


def asked(ctx: RunContext, cells: Iterable[Cell]) -> str:
    """Return what stands for all that the answer follows from; empty where nothing is carried."""
    if ctx.store is None:
        return ""
    try:
        versions = [version(name) for name in _PACKAGES]
    except PackageNotFoundError:
        return ""
    pages = ((_REPORTS / name).read_bytes().hex() for name in _PAGES)
    return digest(
        ctx.store.fingerprint, *versions, *pages, request(cells, expectations(ctx.config.gate))
    )


def again(ctx: RunContext, key: str) -> Answer | None:
    """Return the last run's answer and put its Data Docs into this one; None where it was another.

    None as well where results or pages are not as they were published.
    """
    published = Published(ctx.state_dir.parent / CURRENT)
    results = published.sound(_RESULTS, KEY, key) if key else None
    if results is None:
        return None
    pages = [page for place in published.files(DOCS) if (page := published.file(place))]
    if not pages or len(pages) < len(published.files(DOCS)):
        return None
    target = ctx.run_dir / DOCS
    target.mkdir()
    for page in pages:
        second_name(page, target / page.name)
    LOG.info("gate: the profile is the last run's, and so is what Great Expectations said of it")
    return Answer(results=_results(results), has_docs=True)


def _results(path: Path) -> dict[str, dict[str, str]]:
    """Return the results that were published, by cell and check."""
    cell = pl.concat_str("table_name", "file", pl.col("region_code").fill_null(""), separator="|")
    rows = pl.read_parquet(path).select(cell, "check_id", "gx_result")
    found: dict[str, dict[str, str]] = {}
    for name, check, result in rows.iter_rows():
        found.setdefault(name, {})[check] = result
    return found
