"""Links of a night after others are those of a night from nothing over the same delivery."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from link_stage import linked
from tiny import entity, write_csv

from pipelines.link_tables import TABLES

Rows = list[dict[str, str]]
COUNTIES = ("430422101001", "430405010002", "430481001001")
TRADES = ("宏达建材", "鸿达建材", "远望农机", "老王小吃", "福裕装饰")
CODES = ("91430422209679931R", "91430481MA4L16JQ9B", "", "91430422209679932R")
FORMS = ("有限公司", "有限责任公司", "经营部", "总厂")


def firm(chance: random.Random, number: int) -> dict[str, str]:
    return entity(
        unit_id=f"L{number:03}",
        name=chance.choice(("衡南县", "")) + chance.choice(TRADES) + chance.choice(FORMS),
        credit_code=chance.choice(CODES),
        legal_rep=chance.choice(("王一", "李二", "周五")),
        phone_mobile=f"1357470000{chance.randrange(4)}",
        address=f"解放路{chance.randrange(3)}号",
        region_code=chance.choice(COUNTIES),
    )


def listed(chance: random.Random, number: int) -> dict[str, str]:
    one = firm(chance, number)
    return {
        "source": chance.choice(("1", "2")), "register_id": f"R{number}", "name": one["name"],
        "credit_code": one["credit_code"], "legal_rep": one["legal_rep"],
        "phone": one["phone_mobile"], "region_code": one["region_code"], "address": one["address"],
    }  # fmt: skip


@dataclass
class Town:
    """Firms in two files and a register, from night to night."""

    root: Path
    chance: random.Random
    files: dict[str, Rows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = {
            "legal_entity_1.csv": [firm(self.chance, n) for n in range(12)],
            "legal_entity_2.csv": [firm(self.chance, n) for n in range(12, 24)],
            "register_unit.csv": [listed(self.chance, n) for n in range(12)],
        }

    def edit(self, how: str) -> None:
        """Change the delivery the way a county would."""
        rows = self.files[self.chance.choice(("legal_entity_1.csv", "legal_entity_2.csv"))]
        row = self.chance.choice(rows)
        match how:
            case "remove":
                rows.remove(row)
            case "rename":
                row["name"] += "分公司"
            case "code":
                row["credit_code"] = self.chance.choice(CODES)
            case "move":
                row["region_code"] = self.chance.choice(COUNTIES)
            case "add":
                number = 100 * len(self.files)
                more = [firm(self.chance, number + n) for n in range(4)]
                self.files[f"legal_entity_{number}.csv"] = more
            case "list":
                self.chance.choice(self.files["register_unit.csv"])["legal_rep"] = "周五"

    def links(self, state: Path) -> dict[str, list[Any]]:
        """Return what the link stage leaves behind, with what is kept in `state`."""
        folder = self.root / "in"
        shutil.rmtree(folder, ignore_errors=True)
        for name, rows in self.files.items():
            write_csv(folder / name, rows)
        with linked(folder, state) as found:
            assert "done" == found.summary.state
            return {
                name: found.engine.rows(f"SELECT * FROM linkage.{name} ORDER BY ALL")
                for name in TABLES
            }


EDITS = ("remove", "rename", "code", "move", "add", "list")


@pytest.mark.parametrize("seed", range(2))
def test_links_after_edits_are_those_of_a_night_from_nothing(tmp_path: Path, seed: int) -> None:
    """Each seed draws half of the edits, together all."""
    chance = random.Random(seed)  # noqa: S311  # draws edits, keeps no secret
    town = Town(tmp_path, chance)
    assert town.links(tmp_path / "state")["link"]
    for number, how in enumerate(EDITS[seed::2]):
        town.edit(how)

        assert town.links(tmp_path / f"fresh{number}") == town.links(tmp_path / "state")
