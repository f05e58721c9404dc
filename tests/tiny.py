"""A delivery of a few rows, for tests of the whole night."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

ENTITY = {
    "unit_id": "L1", "form": "611", "credit_code": "91430422209679931R", "name": "衡南县甲厂",
    "legal_rep": "王一", "opened_ym": "200002", "phone_mobile": "13500000001", "activity": "铸造",
    "industry_code": "3391", "specialty": "B", "region_code": "430422100001", "block_code": "001",
    "registration_type": "173", "status": "1", "accounting_standard": "1",
    "institution_type": "10", "has_establishments": "2", "employees": "5",
    "employees_female": "9",
}  # fmt: skip


def entity(**changes: str) -> dict[str, str]:
    """One legal entity; by default with more women than employees (FRM002)."""
    return ENTITY | changes


def write_csv(path: Path, rows: Sequence[dict[str, str]], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
