"""What two records are to each other when they are not one unit: the legitimate patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.features import KINDS, U32, U64, Features, Flags

RELATIONS = {
    "same_unit": ("同一单位", "the same unit"),
    "unit_and_household": ("单位与个体户重复", "enumerated as a unit and as self-employed"),
    "headquarters": ("法人与本部", "legal entity and its headquarters"),
    "branch": ("总分机构或同一法人的分支", "parent and branch, or branches of one parent"),
    "same_code": ("代码相同、其他不符", "same code, little else agrees"),
    "same_name": ("同名、代码均有效且不同", "same name, two valid codes"),
    "bare_name": ("异地通用名称", "a generic name in another place"),
    "same_owner": ("同一负责人的不同单位", "several units of one person"),
    "agency": ("电话由多家共用", "a telephone used by many"),
    "market": ("同一楼宇或市场、负责人不同", "same building or market, other owner"),
    "conflict": ("证据互相矛盾", "evidence in conflict"),
    "similar": ("近似", "similar"),
}
"""Words of each relation, Chinese and English; the first that holds is given."""

_OTHER_BRANCH = lv.number_of(lv.BRANCH, "one"), lv.number_of(lv.BRANCH, "other")
_AGENCY = lv.number_of(lv.PHONE, "agency")
_LEGAL_ESTABLISHMENT = lv.number_of(lv.KIND, "legal_establishment")
_HOUSEHOLD = lv.number_of(lv.KIND, "household")
_UNIT_KINDS = (KINDS["legal_entity"], KINDS["establishment"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Rows of pairs, their patterns and whether they were found to be one unit."""

    left: U32
    right: U32
    patterns: U64
    linked: Flags
    conflict: Flags


def headquarters(features: Features, left: U32, right: U32) -> Flags:
    """Say which pairs are a legal entity and its own 本部, which share name and code by right."""
    result = np.zeros(len(left), bool)
    at = np.flatnonzero(features.kind[left] != features.kind[right])
    result[at] = _headquarters(features, left[at], right[at])
    return result


def headquarters_among(
    features: Features, pairs: tuple[U32, U32], patterns: U64, which: U32
) -> NDArray[np.int64]:
    """Return the places of the same among compared pairs, `which` of the patterns each shows."""
    left, right = pairs
    at = np.flatnonzero((lv.level_of(patterns, lv.KIND) == _LEGAL_ESTABLISHMENT)[which])
    return at[_headquarters(features, left[at], right[at])]


def _headquarters(features: Features, left: U32, right: U32) -> Flags:
    kinds = features.kind[left], features.kind[right]
    legal = np.where(kinds[0] == _UNIT_KINDS[0], left, right)
    local = np.where(kinds[0] == _UNIT_KINDS[0], right, left)
    two = (features.kind[legal] == _UNIT_KINDS[0]) & (features.kind[local] == _UNIT_KINDS[1])
    org = features.org[legal]
    by_parent = (org != 0) & (features.parent[local] == org)
    by_code = (org != 0) & (features.org[local] == org)
    by_name = (features.parent[local] == 0) & (features.core[legal] == features.core[local])
    result: Flags = two & features.is_headquarters[local] & (by_parent | by_code | by_name)
    return result


def _branches(features: Features, pairs: Related, level: dict[str, NDArray[np.uint8]]) -> Flags:
    left, right = pairs.left, pairs.right
    org_l, org_r = features.org[left], features.org[right]
    parent_l, parent_r = features.parent[left], features.parent[right]
    result: Flags = (
        ((org_l != 0) & (parent_r == org_l) & (org_r != org_l))
        | ((org_r != 0) & (parent_l == org_r) & (org_l != org_r))
        | ((parent_l != 0) & (parent_l == parent_r) & (org_l != org_r))
        | (np.isin(level["branch"], _OTHER_BRANCH) & (level["name"] >= lv.NAME_TRADE))
    )
    return result


def relations(features: Features, pairs: Related) -> NDArray[np.str_]:
    """Return the relation of each pair, a key of RELATIONS."""
    level = {f.id: lv.level_of(pairs.patterns, f) for f in lv.FIELDS}
    name, owner, address = level["name"], level["owner"], level["address"]
    household = level["kind"] == _HOUSEHOLD
    alone = (owner <= lv.OWNER_DIFFERS) & (name < lv.NAME_CORE)
    bare = (level["rarity"] == lv.GENERIC) & (name >= lv.NAME_CORE)
    conditions = {
        "headquarters": headquarters(features, pairs.left, pairs.right),
        "unit_and_household": pairs.linked & household,
        "same_unit": pairs.linked,
        "branch": _branches(features, pairs, level),
        "same_code": (level["code"] == lv.CODE_SAME) & (name < lv.NAME_NEAR),
        "same_name": (level["code"] == lv.CODE_VALID_DIFFER) & (name >= lv.NAME_CORE),
        "bare_name": bare & (level["region"] <= lv.REGION_COUNTY),
        "conflict": pairs.conflict,
        "same_owner": (owner >= lv.OWNER_SOUND) & (name < lv.NAME_CORE),
        "agency": (level["phone"] == _AGENCY) & alone,
        "market": (address >= lv.ADDRESS_NUMBER) & alone,
    }
    found = np.select(list(conditions.values()), list(conditions), default="similar")
    result: NDArray[np.str_] = found
    return result
