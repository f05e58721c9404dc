"""Run Splink in its own environment: `python splink_run.py OUT`.

OUT holds parsed.parquet (or parsed_field and parsed_register, then the two are linked) and gets
scored.parquet and splink.json.

The strongest set-up we could honestly give it ("expert2"): our parsed columns, thirteen rules from
our keys, u from random pairs, m from pairs with equal valid codes, a level "both valid, different"
for the code, term frequencies on names, owners, telephones and addresses.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as cll
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

U_PAIRS = 1e6
LOWEST_WEIGHT = -10.0
CLUSTER_WEIGHT = 5.0
MEMORY = "11GB"
RULES = (
    ("credit",), ("org",), ("core", "county"), ("core", "owner"), ("core_sound", "owner_sound"),
    ("trade", "road"), ("trade_sound", "township"), ("owner", "road"), ("owner", "industry"),
    ("owner", "county"), ("address",), ("phone_a",), ("phone_b",),
)  # fmt: skip
NEVER_SEEN = 1e-7


def both(column: str) -> str:
    """Return the condition that both sides agree."""
    return f"{column}_l = {column}_r"


def level(condition: str, frequency: str | None = None) -> Any:
    """Return a level, with term frequencies of a column if given."""
    made = cll.CustomLevel(condition)
    if frequency:
        made = made.configure(tf_adjustment_column=frequency, disable_tf_exact_match_detection=True)
    return made


def fixed(condition: str, m: float, u: float) -> Any:
    """Return a level of given weights."""
    return cll.CustomLevel(condition).configure(
        m_probability=m, u_probability=u, fix_m_probability=True, fix_u_probability=True
    )


def comparison(name: str, null: str, levels: list[Any]) -> Any:
    """Return a comparison: null, the levels in order, and everything else."""
    empty = cll.CustomLevel(null).configure(is_null_level=True)
    return CustomComparison([empty, *levels, cll.ElseLevel()], output_column_name=name)


def _name() -> Any:
    return comparison(
        "name",
        "name_l IS NULL OR name_r IS NULL",
        [
            level(f"{both('name')} AND {both('core')}", "core"),
            level(both("core"), "core"),
            level(both("core_sound"), "core_sound"),
            level(f"{both('trade')} AND {both('industry')}", "trade"),
            level(both("trade"), "trade"),
            level(both("trade_sound"), "trade_sound"),
            level("levenshtein(trade_l, trade_r) <= 3 AND length(trade_l) > 1 "
                  "AND length(trade_r) > 1 "
                  "AND (trade_head_l = trade_head_r OR trade_tail_l = trade_tail_r)"),
            level("jaro_winkler_similarity(name_l, name_r) >= 0.92"),
            level("jaro_winkler_similarity(name_l, name_r) >= 0.85"),
        ],
    )  # fmt: skip


def _others() -> list[Any]:
    two = "phone_a_l = phone_a_r OR phone_b_l = phone_b_r"
    digit = (
        "levenshtein(CAST(phone_b_l AS VARCHAR), CAST(phone_b_r AS VARCHAR)) <= 1 "
        "OR levenshtein(CAST(phone_a_l AS VARCHAR), CAST(phone_a_r AS VARCHAR)) <= 1"
    )
    return [
        comparison(
            "owner", "owner_l IS NULL OR owner_r IS NULL",
            [level(both("owner"), "owner"), level(both("owner_sound")),
             level("levenshtein(owner_l, owner_r) <= 3 "
                   "AND substr(owner_l, 1, 1) = substr(owner_r, 1, 1)")],
        ),
        comparison(
            "phone", "phone_l IS NULL OR phone_r IS NULL", [level(two, "phone"), level(digit)]
        ),
        comparison(
            "address", "address_l IS NULL OR address_r IS NULL",
            [level(both("address"), "address"), level(both("road_no"), "road_no"),
             level(both("road")), level("jaro_winkler_similarity(address_l, address_r) >= 0.95")],
        ),
        comparison("township", "township_l IS NULL OR township_r IS NULL",
                   [level(both("township")), level(both("county"))]),
        comparison("activity", "industry_code_l IS NULL OR industry_code_r IS NULL",
                   [level(both("industry_code")),
                    level("industry_code_l // 100 = industry_code_r // 100")]),
        comparison("form", "form_l IS NULL OR form_r IS NULL", [level(both("form"))]),
        comparison("branch", "branch_l IS NULL AND branch_r IS NULL", [level(both("branch"))]),
    ]  # fmt: skip


def _code() -> Any:
    short = "length(credit_text_l) = 18 AND length(credit_text_r) = 18"
    edit = f"{short} AND damerau_levenshtein(credit_text_l, credit_text_r) <= 1"
    return comparison(
        "code",
        "credit_text_l IS NULL OR credit_text_r IS NULL",
        [
            fixed(both("credit"), 0.55, 2e-7),
            fixed("credit_ok_l AND credit_ok_r", 1e-4, 0.95),
            fixed(both("org"), 0.1, 2e-7),
            fixed(edit, 0.25, 2e-7),
        ],
    )


def settings(link_type: str) -> Any:
    """Return the settings of the model."""
    return SettingsCreator(
        link_type=link_type,
        comparisons=[_name(), *_others(), _code()],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in RULES],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def train(linker: Any) -> None:
    """Take u from random pairs and m from pairs with equal valid codes."""
    linker.training.estimate_probability_two_random_records_match([block_on("credit")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=1)
    linker.training.estimate_m_from_label_column("label")
    for comparison_ in linker._settings_obj.comparisons:
        for one in comparison_._comparison_levels_excluding_null:
            for side in ("m", "u"):
                value = getattr(one, f"_{side}_probability", None)
                if not isinstance(value, float) or value <= 0:
                    setattr(one, f"_{side}_probability", NEVER_SEEN)


def load(con: Any, out: Path) -> list[str]:
    """Load the parsed files; return the names of their tables."""
    pair = (out / "parsed_register.parquet").exists()
    names = ["parsed_field", "parsed_register"] if pair else ["parsed"]
    for name in names:
        con.execute(f"CREATE TABLE {name} AS FROM read_parquet('{out / name}.parquet')").fetchall()
    return names


def write(con: Any, scored: str, tables: list[str], out: Path) -> None:
    """Write the scored pairs; `apart` says that both codes are valid and differ."""
    left, right = tables[0], tables[-1]
    con.execute(
        "COPY (SELECT unique_id_l AS left_id, unique_id_r AS right_id, match_weight, "
        "match_probability AS probability, "
        "coalesce(l.credit_ok AND r.credit_ok AND l.org <> r.org, false) AS apart "
        f"FROM {scored} JOIN {left} l ON l.unique_id = unique_id_l "
        f"JOIN {right} r ON r.unique_id = unique_id_r) TO '{out / 'scored.parquet'}'"
    ).fetchall()


def main() -> None:
    """Run and measure."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    out = Path(sys.argv[1])
    start, cpu = time.perf_counter(), time.process_time()
    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{MEMORY}'").fetchall()
    tables = load(con, out)
    db = DuckDBAPI(connection=con)
    inputs = [db.register(name) for name in tables]
    link_type = "link_only" if len(inputs) > 1 else "dedupe_only"
    linker = Linker(inputs, settings(link_type), log_level=logging.ERROR)
    train(linker)
    trained = time.perf_counter()
    scored = linker.inference.predict(threshold_match_weight=LOWEST_WEIGHT)
    predicted = time.perf_counter()
    linker.clustering.cluster_pairwise_predictions_at_threshold(
        scored, threshold_match_weight=CLUSTER_WEIGHT
    )
    end = time.perf_counter()
    spent = {
        "wall": end - start,
        "cpu": time.process_time() - cpu,
        "train": trained - start,
        "predict": predicted - trained,
        "cluster": end - predicted,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }
    write(con, scored.physical_name, tables, out)
    (out / "splink.json").write_text(json.dumps(spent, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
