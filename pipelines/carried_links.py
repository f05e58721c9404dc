"""Links of the last published run, where nothing changed that they follow from."""

from __future__ import annotations

from importlib.metadata import version

from pipelines import link, link_records, link_tables
from pipelines.contents import Contents, digest
from pipelines.context import LOG, RunContext
from pipelines.decisions import FILE
from pipelines.link_tables import DONE, TABLES, clear, state_of
from pipelines.publish import CURRENT
from pipelines.reuse import LINKS, Published
from pipelines.standing import stands
from reports.matching import Matching

INPUTS = (
    "legal_entity", "establishment", "self_employed", "register_unit", "frame_unit", "clue",
    "external_finding", "region",
)  # fmt: skip
"""The delivered tables that the matchers read."""
READ = f"{link_records.READ} {link_tables.IDENTITIES}"
"""All SELECTs over them: a column that none of these names matters to no link."""
_PACKAGES = ("numpy", "polars", "rapidfuzz", "scipy")


def _key(ctx: RunContext, contents: Contents) -> str:
    """Return what stands for all that the links follow from: tables, answers of people, program."""
    answers = ctx.state_dir / FILE
    said = answers.read_bytes().hex() if answers.is_file() else ""
    versions = (version(name) for name in _PACKAGES)
    return digest(contents.store.fingerprint, said, *versions, contents.read(READ, INPUTS))


def _take_over(ctx: RunContext, key: str) -> bool:
    published = Published(ctx.state_dir.parent / CURRENT)
    paths = {name: published.sound(f"linkage.{name}", LINKS, key) for name in TABLES}
    if not all(paths.values()):
        return False
    clear(ctx.engine)
    for name, path in paths.items():
        if path is not None:
            ctx.engine.append_file(f"linkage.{name}", path)
    return True


def run(ctx: RunContext) -> Matching:
    """Fill `linkage.*`, from the last published run where the matchers would give the same.

    InputError where the file of decisions is damaged.
    """
    if ctx.store is None or ctx.contents_tonight is None or not ctx.config.link.enabled:
        return link.run(ctx)
    key = _key(ctx, ctx.contents_tonight)
    if stands(ctx.engine, ctx.store, LINKS, key) or _take_over(ctx, key):
        LOG.info("link: nothing changed that links follow from, those of the last run stand")
        matched = link.summary(ctx)
    else:
        matched = link.run(ctx)
    if state_of(ctx.engine) == DONE:
        ctx.contents[LINKS] = key
    return matched
