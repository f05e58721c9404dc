"""The page of figures, written from the results alone."""

from __future__ import annotations

from typing import Any

INTRO = """\
# Finding one unit twice: measured beside Splink

{date}, {machine}; Splink {splink}, its DuckDB {duckdb}. Seed {seed}. Load of the machine at the
start: {load:.1f} (above about 1 other work disturbed the wall times; then trust CPU seconds).

Made-up firms with known truth (`benchmarks/firms`): one province; 5 % of the records are copies
damaged in several fields at once; owners' families, branches, agency telephones and cluster
addresses are the pairs that must not match. Splink 5 gets our parsed columns, thirteen rules from
our keys, u from random pairs, m from pairs with equal valid codes, a level "both valid, different";
pairs of two valid different codes are removed afterwards; **its threshold is the best in
hindsight, ours is fixed at p = 0.5**. Time runs from the raw file to clusters; Splink's includes
normalising, which is our own parser's work: what makes it faster makes both faster. Pairs:
probability before merging. Links: the pairs that each system hands over, ours after merging and
deciding, Splink's above its threshold. Clusters: all pairs within clusters. Hard: pairs that do not
both show one and the same code.
"""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    rule = ("---", *("---:" for _ in head[1:]))
    return [_row(*head), _row(*rule), *(_row(*row) for row in rows), ""]


def _share(value: float) -> str:
    return f"{value:.4f}"


def _prf(quality: dict[str, float]) -> str:
    return f"{quality['f1']:.4f} ({quality['precision']:.4f} / {quality['recall']:.4f})"


def _size(records: str, figures: dict[str, Any]) -> list[str]:
    mine, other, times = figures["ours"], figures["splink"], figures["ratios"]
    used, peer, before = mine["spent"], other["spent"], other["normalise"]
    rows: list[tuple[object, ...]] = [
        ("wall s", f"{used['wall']:.1f}", f"{peer['wall']:.1f} + {before['wall']:.1f}"),
        ("CPU s", f"{used['cpu']:.1f}", f"{peer['cpu']:.1f} + {before['cpu']:.1f}"),
        ("peak GB", f"{used['peak_gb']:.2f}", f"{peer['peak_gb']:.2f}"),
        (
            "candidate pairs a record",
            f"{mine['pairs_per_record']:.2f}",
            f"{other['pairs_per_record']:.2f} kept",
        ),
        (
            "recall of candidates",
            _share(mine["candidate_recall"]),
            _share(other["candidate_recall"]),
        ),
        ("pairs F1 (P / R)", _prf(mine["pairs"]), _prf(other["pairs"])),
        ("… without the veto", "", _prf(other["pairs_without_veto"])),
        ("links F1", _prf(mine["links"]), _prf(other["pairs"])),
        ("hard pairs F1", _prf(mine["hard"]), _prf(other["hard"])),
        ("hard links F1", _prf(mine["hard_links"]), _prf(other["hard"])),
        ("clusters F1", _prf(mine["clusters"]), _prf(other["clusters"])),
        ("… with our merging", "", _prf(other["clusters_merged"])),
        (
            "calibration error",
            f"{mine['calibration_error']:.5f}",
            _share(other["calibration_error"]),
        ),
        ("… of unsure pairs (.01 to .99)", _share(mine["calibration_error_unsure"]), ""),
        ("stated precision", _share(mine["stated_precision"]), _share(other["stated_precision"])),
        (
            "true precision there",
            _share(mine["links"]["precision"]),
            _share(other["precision_there"]),
        ),
        ("stated recall", _share(mine["stated_recall"]), ""),
        ("true recall there", _share(mine["links"]["recall"]), ""),
        ("pairs for review", f"{mine['review_pairs']:.0f}", ""),
    ]
    head = f"## {int(records):_} records, {mine['pairs']['true']:_} true pairs".replace("_", " ")
    ratio = (
        f"Splink over ours: error of pairs {times['pair_error']:.1f} ×, of links "
        f"{times['link_error']:.1f} ×, of clusters "
        f"{times['cluster_error']:.1f} × (with our merging {times['cluster_error_merged']:.1f} ×), "
        f"wall {times['wall']:.1f} ×, CPU {times['cpu']:.1f} ×, memory {times['memory']:.1f} ×."
    )
    return [head, "", *_table(("", "ours", "Splink"), rows), ratio, ""]


def _stress(found: dict[str, Any]) -> list[str]:
    rows: list[tuple[object, ...]] = [
        (
            label,
            _share(one["ours"]["pairs"]["f1"]),
            _share(one["ours"]["clusters"]["f1"]),
            _share(one["ours"]["candidate_recall"]),
            _share(one["splink"]["pairs"]["f1"]),
            _share(one["splink"]["clusters_merged"]["f1"]),
        )
        for label, one in found.items()
    ]
    names = ("", "pairs", "clusters", "candidates", "Splink pairs", "Splink, our merging")
    return ["## Other circumstances (F1; recall of candidates)", "", *_table(names, rows)]


def _damage(figures: dict[str, Any]) -> list[str]:
    mine, other = figures["ours"]["by_damage"], figures["splink"]["by_damage"]
    rows: list[tuple[object, ...]] = [
        (kind, one["pairs"], _share(one["recall"]), _share(other[kind]["recall"]))
        for kind, one in sorted(mine.items(), key=lambda item: item[1]["recall"])
    ]
    head = ("damage of one of the two", "pairs", "recall", "Splink")
    return ["## Recall by kind of damage (links, largest size)", "", *_table(head, rows)]


def _pair(found: dict[str, Any]) -> list[str]:
    mine, other = found["ours"], found["splink"]
    rows: list[tuple[object, ...]] = [
        (
            "one to one F1 (P / R)",
            _prf(mine["links"]),
            _prf(other["one_to_one"]),
        ),
        ("pairs before assignment", "", _prf(other["pairs"])),
        (
            "wall s",
            f"{mine['spent']['wall']:.1f}",
            f"{other['spent']['wall']:.1f} + {other['normalise']['wall']:.1f}",
        ),
        (
            "CPU s",
            f"{mine['spent']['cpu']:.1f}",
            f"{other['spent']['cpu']:.1f} + {other['normalise']['cpu']:.1f}",
        ),
        ("pairs for review", mine["review_pairs"], ""),
    ]
    title = f"## Field records against a register, {mine['links']['true']:_} true pairs"
    return [title.replace("_", " "), "", *_table(("", "ours", "Splink"), rows)]


def page(result: dict[str, Any]) -> str:
    """Return the page as Markdown."""
    intro = INTRO.format(
        **{k: result[k] for k in ("date", "machine", "seed")},
        **result["versions"],
        load=result["load_at_start"],
    )
    lines = [intro]
    for records, figures in result["sizes"].items():
        lines += _size(records, figures)
    if result["sizes"]:
        lines += _damage(list(result["sizes"].values())[-1])
    if result["stress"]:
        lines += _stress(result["stress"])
    if "pair" in result:
        lines += _pair(result["pair"])
    return "\n".join(lines)
