"""Stage link: which records are one unit.

Units among themselves, units against each register and against the frame (one to one), and units
against the mentions of other tables. What people decided binds. A matcher that fails leaves its
tables empty and says so: the night goes on, and rules over links cannot be decided.
"""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.matcher import match_units
from audit.matching.parsing import parse_units
from audit.matching.records import Decisions
from audit.matching.registers import Side, match_registers
from audit.matching.settings import MatchSettings
from audit.matching.settling import Counts
from audit.matching.texts import Texts
from pipelines import decisions as said
from pipelines import link_kept
from pipelines.context import LOG, RunContext, bar
from pipelines.link_mentions import match_mentions
from pipelines.link_records import (
    gazetteer,
    list_records,
    named_records,
    parent_records,
    unit_records,
)
from pipelines.link_tables import (
    DONE,
    FAILED,
    OFF,
    Found,
    clear,
    state_of,
    write,
    write_decisions,
    write_state,
)
from pipelines.publish import CURRENT
from pipelines.reuse import Published
from reports.matching import Matching

FEWEST_LABELS = 50
"""Pairs with equal valid codes below which an estimate of precision and recall would mislead."""
DECISIONS = "parquet/linkage.decision.parquet"
UNIT, REGISTER, MENTION = "unit@1", "register@1", "mention@1"


@dataclass(frozen=True, slots=True)
class _Parser:
    """Turns records into sides; all of a night share places, industry words and known texts."""

    places: Gazetteer
    words: Lexicon
    texts: Texts
    kept: link_kept.Kept

    def side(self, records: pl.DataFrame, *, keep: bool = False) -> Side:
        """Return records with their features; some are kept parsed for the next night."""
        features = parse_units(
            records,
            gazetteer=self.places,
            lexicon=self.words,
            texts=self.texts,
            kept=self.kept.fields if keep else None,
        )
        return Side(records=records, features=features)


def settings(ctx: RunContext, matcher: str) -> MatchSettings:
    """Return the settings of a matcher, with the thresholds of the configuration."""
    wanted = ctx.config.link
    return MatchSettings(
        matcher=matcher,
        link_at=wanted.link_at,
        possible_at=wanted.possible_at,
        threads=ctx.config.threads,
    )


def binding(decisions: list[said.Decision]) -> Decisions:
    """Return decisions as the matcher takes them: the frame's ids carry a prefix there."""
    frame = said.frame(decisions)
    ids = [
        pl.when(pl.col(f"{side}_table") == "frame_unit")
        .then("frame|" + pl.col(f"{side}_id"))
        .otherwise(pl.col(f"{side}_id"))
        .alias(f"{side}_id")
        for side in ("left", "right")
    ]
    same = (pl.col("answer") == said.SAME).alias("same")
    return Decisions(pairs=frame.select(*ids, same))


def _match(ctx: RunContext, decisions: list[said.Decision]) -> Found:
    units, lists = unit_records(ctx.engine), list_records(ctx.engine)
    places = gazetteer(ctx.engine, ctx.config.vintage)
    words = Lexicon.learn(pl.concat([units, lists]), gazetteer=places)
    kept = link_kept.Kept(ctx.state_dir, places, words)
    parser = _Parser(places, words, Texts(), kept)
    said_pairs = binding(decisions)
    field = parser.side(units, keep=True)
    field = replace(field, counts=Counts.over(field.features))
    # The matchers of units and of registers need nothing of each other.
    with bar(ctx.progress, "匹配", "link", 3) as progress, ThreadPoolExecutor(1) as aside:
        among_units = aside.submit(
            match_units,
            units,
            field.features,
            settings=settings(ctx, UNIT),
            decisions=said_pairs,
        )
        listed = parser.side(lists, keep=True)
        parts = {
            REGISTER: match_registers(
                field, listed, settings=settings(ctx, REGISTER), decisions=said_pairs
            )
        }
        progress.advance()
        named, parents = named_records(ctx.engine), parent_records(ctx.engine)
        parts[MENTION] = match_mentions(
            field,
            [parser.side(mentions) for mentions in (named, parents)],
            settings(ctx, MENTION),
        )
        progress.advance()
        parts = {UNIT: among_units.result(), **parts}
        progress.advance()
    kept.settle()
    return Found(parts)


def _estimate(metric: str) -> str:
    """Return the matcher's own estimate of units; NULL where hardly a pair had equal codes."""
    value = f"(SELECT MAX(value) FROM linkage.quality WHERE matcher = '{UNIT}' AND metric = "
    return f"CASE WHEN {value}'labels_same') >= {FEWEST_LABELS} THEN {value}'{metric}') END"


def summary(ctx: RunContext) -> Matching:
    """Return the counts of tonight's matching from `linkage.*`."""
    kinds = "('register_unit', 'frame_unit')"
    counted = ctx.engine.fetch(f"""
SELECT
  COUNT(*) FILTER (WHERE decision = 'link' AND matcher = '{UNIT}') AS n_units,
  COUNT(*) FILTER (WHERE decision = 'link' AND right_table IN {kinds}) AS n_registers,
  COUNT(*) FILTER (WHERE decision = 'possible_link' AND matcher <> '{MENTION}') AS n_possible,
  (SELECT COUNT(DISTINCT cluster_id) FROM linkage.cluster) AS n_clusters,
  (SELECT COUNT(*) FROM linkage.large_block) AS n_large_blocks,
  (SELECT COUNT(*) FROM linkage.decision) AS n_decided,
  (SELECT COUNT(*) FROM linkage.decision WHERE state <> 'in_force') AS n_changed,
  {_estimate("estimated_precision")} AS precision,
  {_estimate("estimated_recall")} AS recall
FROM linkage.link""").to_pylist()[0]
    return Matching(state=state_of(ctx.engine) or OFF, **counted)


def _failed(error: BaseException) -> None:
    """Log where the matcher failed; what the error says may hold values of a unit."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    LOG.warning(
        "匹配未完成，依赖匹配的规则本次无法判定 the matcher failed, rules over links cannot be "
        "decided: %s, %s:%d",
        type(error).__name__,
        Path(place.filename).name,
        place.lineno or 0,
    )


def run(ctx: RunContext) -> Matching:
    """Fill `linkage.*`; safe to run again. A failing matcher never stops the night.

    InputError where the file of decisions is damaged: going on would part what people joined.
    """
    clear(ctx.engine)
    if not ctx.config.link.enabled:
        write_state(ctx.engine, OFF)
        link_kept.clear(ctx.state_dir)
        return summary(ctx)
    decisions = said.in_force(said.load(ctx.state_dir))
    last = Published(ctx.state_dir.parent / CURRENT).file(DECISIONS)
    if n_lost := said.lost(decisions, last):
        LOG.warning(
            "人工判定文件 %s 中缺少上次发布时已有的 %d 对判定，请从备份恢复 the file of decisions "
            "lacks %d pairs of the last published run: restore it from a backup",
            said.FILE,
            n_lost,
            n_lost,
        )
    try:
        write(ctx.engine, _match(ctx, decisions), decisions)
        write_decisions(ctx.engine, decisions)
        state = DONE
    # The night goes on without links, whatever it was; a fault inside polars is no Exception.
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # see above
        _failed(error)
        clear(ctx.engine)
        link_kept.clear(ctx.state_dir)
        state = FAILED
    write_state(ctx.engine, state)
    return summary(ctx)
