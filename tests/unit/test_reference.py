"""The shipped reference lists: counts, boundaries, thresholds and size classes as published."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from audit.contracts import CONTRACT
from audit.reference import load_families, load_owners, load_reference

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
REGIONS = ROOT / "sample_data" / "regions_hengyang.csv"
LISTS = load_reference()
PROFILE = {row["industry_code"]: row for row in LISTS["industry_profile"].to_pylist()}
CLASSES = ("large", "medium", "small")


def size_class(code, employees, revenue_kyuan, assets_kyuan):
    """Return 1 large to 4 micro by the bounds of the class, None where there are none."""
    row = PROFILE[code]
    if not row["size_covered"]:
        return None
    values = (("employees", employees), ("revenue", revenue_kyuan), ("assets", assets_kyuan))
    for rank, size in enumerate(CLASSES, start=1):
        bounds = [
            (v, row[f"size_{n}_{size}{'' if n == 'employees' else '_kyuan'}"]) for n, v in values
        ]
        if all(value >= bound for value, bound in bounds if bound is not None):
            return rank
    return 4


def regions():
    with REGIONS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_industry_has_all_levels_of_the_standard():
    levels = Counter(LISTS["industry"]["level"].to_pylist())

    assert levels == {"1": 20, "2": 97, "3": 473, "4": 1381}


def test_every_industry_stands_below_its_parent_and_in_order():
    rows = LISTS["industry"].to_pylist()
    level = {row["code"]: int(row["level"]) for row in rows}

    assert len(rows) == len(level)
    assert not [
        row["code"]
        for row in rows
        if level.get(row["parent"], 0) != level[row["code"]] - 1
        or (level[row["code"]] > 2 and not row["code"].startswith(row["parent"]))
    ]
    section = ""
    keys = []
    for row in rows:
        section = row["code"] if row["level"] == "1" else section
        keys.append((section, row["code"] if row["level"] != "1" else ""))
    assert sorted(keys) == keys


def test_sections_and_divisions_have_english_names():
    rows = LISTS["industry"].to_pylist()

    assert not [r["code"] for r in rows if (r["name_en"] is not None) != (r["level"] in "12")]


@pytest.mark.parametrize("path", sorted((ROOT / "rules" / "reference").glob("*.csv")))
def test_files_are_utf8_without_mark_and_with_plain_line_ends(path):
    data = path.read_bytes()

    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    assert data.endswith(b"\n")
    data.decode("utf-8")


def test_industry_equals_the_standard_list():
    path = SHARED / "reference" / "industry_gbt4754_2017.csv"
    if not path.exists():
        pytest.skip("../shared is missing: nothing to compare the industry list with")
    with path.open(encoding="utf-8-sig", newline="") as file:
        expected = [
            (r["code"], r["level"], r["parent"] or None, r["name"]) for r in csv.DictReader(file)
        ]
    actual = [
        (r["code"], r["level"], r["parent"], r["name_zh"]) for r in LISTS["industry"].to_pylist()
    ]

    assert expected == actual


def test_profile_has_one_row_a_class_with_a_known_specialty():
    assert 1381 == len(PROFILE) == LISTS["industry_profile"].num_rows
    assert set("ABCESXF") == {row["specialty"] for row in PROFILE.values()}


@pytest.mark.parametrize(
    ("code", "specialty", "in_scope"),
    [
        ("0111", "A", False),
        ("0412", "A", False),
        ("0511", "F", True),
        ("0610", "B", True),
        ("4390", "B", True),
        ("4610", "B", True),
        ("4710", "C", True),
        ("5090", "C", True),
        ("5111", "E", True),
        ("5211", "E", True),
        ("5311", "F", True),
        ("5432", "F", True),
        ("6110", "S", True),
        ("6299", "S", True),
        ("6621", "F", True),
        ("7010", "X", True),
        ("7020", "F", True),
        ("7040", "F", True),
        ("8310", "F", True),
        ("9620", "F", True),
        ("9700", "F", False),
    ],
)
def test_specialty_and_scope_at_the_boundaries(code, specialty, in_scope):
    row = PROFILE[code]

    assert (specialty, in_scope) == (row["specialty"], row["in_scope"])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0610", ("minimum", 20000, None, None)),
        ("4620", ("minimum", 20000, None, None)),
        ("4710", ("qualified", None, None, None)),
        ("5191", ("minimum", 20000, None, None)),
        ("5211", ("minimum", 5000, None, None)),
        ("6110", ("minimum", 2000, None, None)),
        ("6210", ("minimum", 2000, None, None)),
        ("5311", (None, None, None, None)),
        ("5431", ("minimum", None, 10000, 50)),
        ("6513", ("minimum", None, 10000, 50)),
        ("7010", ("all", None, None, None)),
        ("7020", ("minimum", None, 10000, 50)),
        ("7291", ("minimum", None, 10000, 50)),
        ("8051", ("minimum", None, 5000, 50)),
        ("8310", ("minimum", None, 10000, 50)),
        ("8411", ("minimum", None, 10000, 50)),
        ("8810", ("minimum", None, 5000, 50)),
        ("0511", (None, None, None, None)),
        ("6621", (None, None, None, None)),
        ("9221", (None, None, None, None)),
    ],
)
def test_thresholds_of_2018(code, expected):
    row = PROFILE[code]
    actual = (
        row["threshold_basis"],
        row["threshold_main_revenue_kyuan"],
        row["threshold_revenue_kyuan"],
        row["threshold_employees"],
    )

    assert expected == actual


def test_thresholds_agree_with_the_specialty_of_their_industry():
    wrong = [
        row
        for row in LISTS["threshold"].to_pylist()
        for code, profile in PROFILE.items()
        if code.startswith(row["industry_prefix"])
        and row["specialty"] != profile["specialty"]
        and not (row["industry_prefix"] != code and code == "7010")
    ]

    assert not wrong


def test_thresholds_of_2019_have_no_head_count():
    rows = [row for row in LISTS["threshold"].to_pylist() if row["vintage"] == "2019"]
    revenue = {row["industry_prefix"]: row["revenue_min_kyuan"] for row in rows}

    assert {None} == {row["employees_min"] for row in rows}
    expected = {"54": 20000, "72": 10000, "702": 10000, "78": 20000, "80": 5000, "83": 10000}
    expected |= {"84": 20000, "85": 5000, "90": 5000}
    assert expected == {prefix: revenue[prefix] for prefix in expected}


@pytest.mark.parametrize(
    ("code", "employees", "revenue_kyuan", "assets_kyuan", "expected"),
    [
        ("1713", 1000, 400000, 0, 1),
        ("1713", 1000, 399999, 0, 2),
        ("1713", 299, 400000, 0, 3),
        ("1713", 19, 400000, 0, 4),
        ("0511", 0, 200000, 0, 1),
        ("0511", 0, 500, 0, 3),
        ("0511", 0, 499, 0, 4),
        ("4710", 5, 800000, 799999, 2),
        ("4710", 5, 60000, 50000, 2),
        ("4710", 5, 60000, 49999, 3),
        ("5122", 20, 50000, 0, 2),
        ("5122", 5, 10000, 0, 3),
        ("5211", 50, 5000, 0, 2),
        ("5211", 10, 999, 0, 4),
        ("5431", 300, 30000, 0, 2),
        ("5910", 250, 300000, 0, 3),
        ("5920", 250, 300000, 0, 1),
        ("6010", 300, 20000, 0, 2),
        ("6110", 100, 20000, 0, 2),
        ("6410", 2000, 1000000, 0, 1),
        ("6513", 10, 500, 0, 3),
        ("7010", 0, 2000000, 100000, 1),
        ("7010", 0, 10000, 50000, 2),
        ("7010", 0, 10000, 49999, 3),
        ("7010", 0, 10000, 19999, 4),
        ("7020", 99, 50000, 0, 4),
        ("7020", 300, 10000, 0, 2),
        ("7030", 10, 0, 0, 3),
        ("7291", 300, 0, 1200000, 1),
        ("7291", 300, 0, 1000, 3),
        ("7511", 300, 0, 0, 1),
        ("8514", 9, 0, 0, 4),
        ("9011", 100, 0, 0, 2),
        ("5331", 1000, 400000, 0, None),
        ("6621", 1000, 400000, 0, None),
        ("8310", 1000, 400000, 0, None),
        ("8411", 1000, 400000, 0, None),
        ("9221", 1000, 400000, 0, None),
    ],
)
def test_size_classes_of_2017(code, employees, revenue_kyuan, assets_kyuan, expected):
    assert expected == size_class(code, employees, revenue_kyuan, assets_kyuan)


def test_size_classes_cover_the_divisions_of_the_method():
    covered = {row["division"] for row in PROFILE.values() if row["size_covered"]}
    left_out = {f"{n:02d}" for n in (53, 66, 67, 68, 69, 83, 84, *range(91, 98))}

    assert {f"{n:02d}" for n in range(1, 98)} - left_out == covered
    partly = {r["division"] for r in PROFILE.values() if not r["size_covered"]} & covered
    assert set() == partly


def test_size_bounds_fall_from_large_to_small():
    rows = LISTS["size_class"].to_pylist()
    triples = [
        [row[f"{name}_{size}{unit}"] for size in CLASSES]
        for row in rows
        for name, unit in (("employees", ""), ("revenue", "_kyuan"), ("assets", "_kyuan"))
    ]
    given = [t for t in triples if t != [None, None, None]]

    assert not [t for t in given if None in t or not t[0] > t[1] > t[2] > 0]


def test_credit_code_prefixes_name_known_institution_types():
    rows = {row["prefix"]: row for row in LISTS["credit_code_prefix"].to_pylist()}
    named = {kind for r in rows.values() for kind in (r["institution_types"] or "").split("|")}

    assert named - {""} <= set(CONTRACT.code_lists["institution_type"])
    assert (rows["91"]["institution_types"], rows["91"]["in_scope"]) == ("10", True)
    assert (rows["92"]["institution_types"], rows["92"]["in_scope"]) == (None, False)
    assert (rows["93"]["institution_types"], rows["93"]["in_scope"]) == ("55", True)
    assert (rows["54"]["institution_types"], rows["55"]["institution_types"]) == ("54", "53")


def test_owners_are_the_fourteen_groups_and_answer_once_for_every_specialty():
    owners = load_owners()
    specialties = [code for owner in owners for code in owner.specialties]

    assert 14 == len({owner.id for owner in owners}) == len({owner.label.zh for owner in owners})
    assert sorted(CONTRACT.code_lists["specialty"]) == sorted(specialties)
    assert [owner.label.zh for owner in owners if "X" in owner.specialties] == [
        "建筑业、房地产及固定资产投资组"
    ]


def test_families_have_their_own_prefix_folder_and_clause():
    families = load_families()

    expected = ["COD", "DUP", "LNK", "FRM", "PLA", "XSP", "REG", "TRL", "DIR", "PAD", "SEC", "PES"]
    assert expected == [family.id for family in families]
    assert len({family.folder for family in families}) == 12
    assert {f.folder: f.clause for f in families if f.id in ("DUP", "REG", "SEC")} == {
        "duplicate": "三(三)2",
        "register": "三(一)3",
        "confidential": "三(九)6",
    }


def test_a_list_with_other_columns_is_refused(tmp_path):
    for path in (ROOT / "rules" / "reference").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "industry.csv").write_text("code,name\nA,农业\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"industry\.csv"):
        load_reference(tmp_path)


def test_a_prefix_that_stands_twice_is_refused(tmp_path):
    for path in (ROOT / "rules" / "reference").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "size_class.csv").open("a", encoding="utf-8") as file:
        file.write("2017,51,批发业,200,20,5,,,,,,\n")

    with pytest.raises(ValueError, match="twice"):
        load_reference(tmp_path)


def test_an_owner_with_other_keys_is_refused(tmp_path):
    path = tmp_path / "owners.yaml"
    path.write_text("trade: {zh: 贸经组, en: Trade}\n", encoding="utf-8")

    with pytest.raises(ValueError, match="trade"):
        load_owners(path)


def test_regions_of_hengyang_are_complete_and_hang_together():
    rows = regions()
    codes = {row["region_code"]: row for row in rows}

    assert Counter(r["level"] for r in rows) == {"1": 1, "2": 1, "3": 15, "4": 192, "5": 2771}
    assert len(rows) == len(codes)
    assert {"2018-10-31"} == {row["vintage"] for row in rows}
    assert {12} == {len(code) for code in codes}
    assert [r["region_code"] for r in rows if r["parent_code"] not in codes] == ["430000000000"]
    assert not [
        r["region_code"]
        for r in rows
        if r["parent_code"] and int(codes[r["parent_code"]]["level"]) != int(r["level"]) - 1
    ]


def test_regions_equal_the_delivered_list():
    path = SHARED / "deliveries" / "small" / "region.csv"
    if not path.exists():
        pytest.skip("../shared is missing: nothing to compare the regions with")
    with path.open(encoding="gb18030", newline="") as file:
        delivered = [tuple(row) for row in csv.reader(file)][1:]
    here = {
        row
        for row in delivered
        if row[1] == "2018-10-31" and (row[0].startswith("4304") or row[0] == "430000000000")
    }

    assert here == {tuple(row.values()) for row in regions()}


def test_the_words_of_activities_know_the_classes_own_names():
    words = [(r["word"], r["divisions"].split("|")) for r in LISTS["activity_word"].to_pylist()]
    classes = [
        (row["code"], row["name_zh"])
        for row in LISTS["industry"].to_pylist()
        if row["level"] == "4" and "05" <= row["code"][:2] <= "96"
    ]

    told = {
        code: [code[:2] in divisions for word, divisions in words if word in name]
        for code, name in classes
    }

    assert [code for code, among in told.items() if among and not any(among)] == []
    assert sum(1 for among in told.values() if among) > 0.8 * len(classes)


def test_licence_types_name_known_registration_types():
    known = set(CONTRACT.code_lists["registration_type"])

    for row in LISTS["licence_type"].to_pylist():
        assert set(row["registration_types"].split("|")) <= known
