"""A delivery of three units in four files, for nights in which little changes."""

from __future__ import annotations

from tiny import entity

FILES: dict[str, list[dict[str, str]]] = {
    "legal_entity_1.csv": [entity(), entity(unit_id="L2", name="衡南县乙厂")],
    "legal_entity_2.csv": [entity(unit_id="L3", region_code="430405010002", employees="")],
    "finance.csv": [{"unit_id": "L1", "form": "611-3", "revenue_kyuan": "7"}],
    "agency.csv": [{"agency_id": "A1", "name": "所", "phone": "13500000001"}],
}
"""Two units of one code, each with more women than people employed."""
