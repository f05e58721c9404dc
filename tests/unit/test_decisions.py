"""Decisions of people: kept whatever happens, and never in contradiction."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from audit.errors import InputError
from pipelines.decisions import (
    DIFFERENT,
    FILE,
    SAME,
    Agreement,
    Decision,
    append,
    frame,
    in_force,
    load,
    lost,
)


def decision(left: str, right: str, answer: str = SAME, **changes: str) -> Decision:
    fields = {
        "left_id": left, "right_id": right, "left_table": "legal_entity",
        "right_table": "legal_entity", "answer": answer, "person": "王一",
        "decided_on": "2019-03-18", "basis": "现场查看", "note": "", "run_id": "r1",
        "file": "a.xlsx", "left_identity": "x",
        "right_identity": "y",
    }  # fmt: skip
    return Decision(**(fields | changes))


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    first, second = decision("A", "B"), decision("B", "C", DIFFERENT)

    append(tmp_path, [first])
    append(tmp_path, [second])

    assert load(tmp_path) == [first, second]


def test_a_line_cut_short_by_a_crash_is_dropped_and_written_over(tmp_path: Path) -> None:
    append(tmp_path, [decision("A", "B")])
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"left_id": "A", "ri')

    assert load(tmp_path) == [decision("A", "B")]
    append(tmp_path, [decision("C", "D")])
    assert load(tmp_path) == [decision("A", "B"), decision("C", "D")]


def test_a_damaged_line_in_the_middle_stops_with_its_number(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"left_id": 1}\n', encoding="utf-8")

    with pytest.raises(InputError, match="1"):
        load(tmp_path)


@pytest.mark.parametrize("rest", [bytes(40), b'{"left_id": "A\0', b"garbage"])
def test_an_end_that_no_crash_leaves_is_told_and_not_written_over(
    tmp_path: Path, rest: bytes
) -> None:
    append(tmp_path, [decision("A", "B")])
    with (tmp_path / FILE).open("ab") as file:
        file.write(rest)
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(InputError, match="Line 2"):
        load(tmp_path)
    with pytest.raises(InputError, match="Line 2"):
        append(tmp_path, [decision("C", "D")])
    assert before == (tmp_path / FILE).read_bytes()


def test_pairs_of_the_last_run_that_the_file_lacks_are_counted(tmp_path: Path) -> None:
    published = tmp_path / "decision.parquet"
    frame([decision("A", "B"), decision("D", "C"), decision("E", "F")]).write_parquet(published)

    assert 2 == lost([decision("C", "D")], published)
    assert 0 == lost([], None)


def test_only_the_owner_reads_decisions(tmp_path: Path) -> None:
    append(tmp_path, [decision("A", "B")])

    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_the_last_word_on_a_pair_counts_whichever_side_is_left() -> None:
    first, last = decision("A", "B"), decision("B", "A", DIFFERENT)

    assert in_force([first, last]) == [last]


@pytest.mark.parametrize(
    ("before", "new"),
    [
        ([("A", "B", SAME), ("B", "C", SAME)], ("A", "C", DIFFERENT)),
        ([("A", "B", SAME), ("A", "C", DIFFERENT)], ("C", "B", SAME)),
        ([("A", "B", SAME), ("C", "D", SAME), ("A", "D", DIFFERENT)], ("B", "C", SAME)),
    ],
)
def test_contradiction_by_way_of_a_third_unit_is_refused(
    before: list[tuple[str, str, str]], new: tuple[str, str, str]
) -> None:
    agreement = Agreement(decision(*one) for one in before)

    assert agreement.against(decision(*new))
    assert agreement.against(decision(*new))


def test_another_word_on_the_same_pair_replaces_the_first() -> None:
    agreement = Agreement([decision("A", "B"), decision("B", "C")])

    assert not agreement.against(decision("A", "B", DIFFERENT))
    assert not agreement.against(decision("A", "C", DIFFERENT))
    assert agreement.against(decision("A", "B", SAME, right_id="C"))


def test_a_refused_change_leaves_the_earlier_word() -> None:
    agreement = Agreement([decision("A", "B"), decision("B", "C"), decision("A", "C")])

    assert agreement.against(decision("A", "C", DIFFERENT))
    assert agreement.against(decision("A", "C", DIFFERENT))


def test_equal_ids_of_other_tables_are_other_records() -> None:
    agreement = Agreement([decision("A", "B"), decision("B", "C")])

    assert not agreement.against(decision("A", "C", DIFFERENT, right_table="frame_unit"))


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    append(tmp_path, [decision("A", "B")])
    before = (tmp_path / FILE).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            append(tmp_path, [decision("C", "D")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert before == (tmp_path / FILE).read_bytes()


def test_a_contradiction_names_the_decisions_that_stand_against() -> None:
    chain = [decision("A", "B"), decision("B", "C")]
    parted = decision("A", "D", DIFFERENT)
    agreement = Agreement([*chain, parted, decision("X", "Y")])

    assert chain == agreement.against(decision("A", "C", DIFFERENT))
    assert [parted] == agreement.against(decision("D", "C"))


def test_many_decisions_are_compared_in_a_moment() -> None:
    n = 4000
    apart = [decision(f"A{i}", f"B{i}", DIFFERENT) for i in range(n)]
    agreement = Agreement(apart)

    start = time.process_time()
    refused = [agreement.against(decision("A0", f"A{i}")) for i in range(1, n)]

    assert not any(refused)
    assert agreement.against(decision("A7", f"B{n - 1}"))
    assert time.process_time() - start < 2
