"""From a finding to text as it was delivered, also where the eye cannot tell what is in it."""

from __future__ import annotations

from pathlib import Path

from deliveries import run
from tiny import entity, write_csv

from pipelines.explain import explain


def test_explain_shows_file_line_encoding_and_what_is_hidden(tmp_path: Path) -> None:
    path = tmp_path / "in" / "legal_entity_odd.csv"
    odd = entity(unit_id="L2", name=" 衡阳Ａ\ue000\u3000厂", employees_female="９９９９")
    write_csv(path, [entity(), odd])
    path.write_bytes(path.read_text("utf-8-sig").encode("gb18030"))
    night = run(tmp_path / "in", tmp_path / "out", rules="FRM002")
    query = "SELECT finding_key FROM finding WHERE subject_id = 'L2' AND rule_id = 'FRM002'"

    (row,) = [
        row
        for row in explain(tmp_path / "out", night.table(query)["finding_key"][0]).rows
        if row.role == "subject"
    ]

    assert ("legal_entity_odd.csv", 2, 3, "gb18030") == (row.file, row.row, row.line, row.encoding)
    cells = {cell.column: (cell.value, cell.visible) for cell in row.cells}
    assert ("9999", "\\uFF19\\uFF19\\uFF19\\uFF19") == cells["employees_female"]
    assert ("衡阳A\ue000 厂", "\\u0020衡阳\\uFF21\\uE000\\u3000厂") == cells["name"]
