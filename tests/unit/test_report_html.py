"""The report: one inert file in two languages that never shows more than it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from report_sample import city_report, first_night

from audit.model import Label
from reports.html import (
    ReportData,
    percent,
    probability,
    render_report,
    write_report,
    zip_reasons,
)
from reports.html_texts import VERDICTS, clean, clip

VOID = {"meta", "input", "br", "img", "link", "hr"}
CJK = re.compile(r"[\u3400-\u9fff]")
WORDS = re.compile(r"[A-Za-z\u3400-\u9fff]")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202egpj.exe'
NOT_PROSE = {"code", "bdi", "style", "script", "title"}


@dataclass
class Node:
    """An element of a parsed page; `children` holds elements and texts in order."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, tag: str = "", css: str = "") -> list[Node]:
        return [n for n in self.walk() if tag in ("", n.tag) and (not css or css in n.classes)]


class Tree(HTMLParser):
    """Builds Nodes; fails on a page whose elements do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]
        self.feed(page)
        assert [self.root] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(data: ReportData) -> Node:
    return Tree(render_report(data)).root


@pytest.fixture(scope="module")
def page() -> Node:
    return parse(city_report())


def zh(node: Node) -> str:
    """Return what a reader of Chinese sees."""
    if "en" in node.classes or node.tag in ("style", "script", "title"):
        return ""
    return "".join(c if isinstance(c, str) else zh(c) for c in node.children)


def row_of(page: Node, table: str, key: str) -> Node:
    found = next(n for n in page.all("table") if n.attributes.get("id") == table)
    return next(row for row in found.all("tr") if key in row.text)


def with_column(table: pa.Table, name: str, value: object) -> pa.Table:
    rows = table.to_pylist()
    return pa.Table.from_pylist([{**row, name: value} for row in rows])


def with_first(table: pa.Table, **values: object) -> pa.Table:
    rows = table.to_pylist()
    return pa.Table.from_pylist([{**rows[0], **values}, *rows[1:]])


def test_page_refers_to_nothing_outside_itself(page: Node) -> None:
    loading = {"src", "srcset", "poster", "data", "action", "background", "xlink:href"}
    assert [] == [n.tag for n in page.walk() if loading & set(n.attributes)]
    links = [n.attributes["href"] for n in page.walk() if "href" in n.attributes]
    targets = ["glance", "where", "counties", "levels", "rules", "coverage", "intake", "guide"]
    assert [*(f"#{name}" for name in targets), "#gate"] == links
    assert targets == [n.attributes["id"] for n in page.all("section")]
    text = render_report(city_report())
    assert [] == re.findall(r"https?:|url\(|@import|@font-face|XMLHttp|fetch\(", text)


def test_policy_forbids_all_but_the_inline_parts(page: Node) -> None:
    policy = [
        n.attributes["content"]
        for n in page.all("meta")
        if n.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert 1 == len(policy)
    parts = set(policy[0].split("; "))
    assert {
        "default-src 'none'", "style-src 'unsafe-inline'", "script-src 'unsafe-inline'",
        "img-src data:", "base-uri 'none'", "form-action 'none'",
    } == parts  # fmt: skip


def untranslated(node: Node) -> Iterator[str]:
    """Yield every text that has words and stands in neither language nor in data."""
    if node.tag in NOT_PROSE or node.classes & {"zh", "en"}:
        return
    if node.tag == "text" and "name" in node.classes:
        return
    for child in node.children:
        if isinstance(child, Node):
            yield from untranslated(child)
        elif WORDS.search(child):
            yield child.strip()


@pytest.mark.parametrize("data", [city_report(), first_night()], ids=["second", "first"])
def test_every_text_stands_in_both_languages(data: ReportData) -> None:
    root = parse(data)
    assert [] == list(untranslated(root))
    pairs = 0
    for node in root.walk():
        elements = [c for c in node.children if isinstance(c, Node)]
        for i, element in enumerate(elements):
            if "zh" in element.classes:
                twin = elements[i + 1]
                assert "en" in twin.classes, element.text
                assert element.text.strip() and twin.text.strip(), (element.text, twin.text)
                pairs += 1
            if "en" in element.classes:
                assert "zh" in elements[i - 1].classes, element.text
    assert pairs > 1000


def test_english_texts_are_not_chinese(page: Node) -> None:
    def prose(node: Node) -> str:
        if node.tag == "bdi" or node.attributes.get("lang") == "zh-CN":
            return ""
        return "".join(c if isinstance(c, str) else prose(c) for c in node.children)

    assert [] == [n.text for n in page.all(css="en") if CJK.search(prose(n))]


def test_page_is_chinese_without_script(page: Node) -> None:
    html = page.all("html")[0]
    assert ("zh-CN", {"lang-zh"}) == (html.attributes["lang"], html.classes)
    css = page.all("style")[0].text
    assert ".en { display: none; }" in css
    assert ".tools { display: none;" in css


def test_first_night_says_so_and_compares_with_nothing() -> None:
    page = parse(first_night())
    glance = page.all("section")[0]
    assert "本次为首次审核，没有上一夜可比" in zh(glance)
    assert ["新增"] == [zh(n.all("th")[0]) for n in glance.all("tbody")[0].all("tr")]


def test_second_night_tells_what_changed(page: Node) -> None:
    rows = page.all("section")[0].all("tbody")[0].all("tr")
    told = {zh(r.all("th")[0]): [zh(c) for c in r.all("td")] for r in rows}
    assert {
        "新增": ["212", "1,930", "160", "2,302"],
        "延续": ["1,204", "7,718", "902", "9,824"],
        "重现": ["9", "31", "0", "40"],
        "已消除": ["388", "1,270", "95", "1,753"],
        "本次未送达": ["7", "2", "1", "10"],
        "未复核": ["11", "3", "0", "14"],
        "已确认属实": ["0", "144", "12", "156"],
    } == told
    assert "数值已更正 1,602；单位已不在数据中 97" in zh(page.all("section")[0])


def test_four_numbers(page: Node) -> None:
    tiles = page.all(css="tile")
    shown = [(zh(t.all(css="what")[0]), zh(t.all(css="big")[0])) for t in tiles]
    flagged = sum(row["n_flagged"] for row in city_report().levels.to_pylist())
    assert [
        ("单位数", "357,044"),
        ("强制性差错单位", "1,288"),
        ("核实性差错", "9,679"),
        ("须实地核查地区", str(flagged)),
    ] == shown


@pytest.mark.parametrize(
    ("rule_id", "name"),
    [("COD005", "规则出错"), ("DUP011", "不适用"), ("LNK006", "无法判定"), ("PLA001", "不适用")],
)
def test_rule_without_verdict_never_looks_like_a_pass(page: Node, rule_id: str, name: str) -> None:
    row = row_of(page, "ruletable", rule_id)
    assert [name] == [zh(n) for n in row.all(css="pill")]
    assert [] == row.all(css="v-passed")
    assert "—" in zh(row.all("td")[9])
    line = next(r for r in page.all(css="matrix")[0].all("tr") if rule_id in r.text)
    assert 16 == len(line.all("td"))
    assert [] == [n for n in line.all("td") if n.classes & {"v-passed", "v-partly"}]


def test_reason_of_a_missing_verdict_is_shown(page: Node) -> None:
    def reasons(rule_id: str) -> list[str]:
        detail = row_of(page, "ruletable", rule_id).all(css="detail")[0]
        return [detail.all(css="zh")[0].text, detail.all(css="en")[0].text]

    label = "上期主要指标"
    assert [f"未送达：{label}", "not delivered: Previous values of key items"] == reasons("DUP011")
    assert ["无适用对象", "nothing in scope"] == reasons("PLA001")
    assert ["The database refused a statement: Binder Error"] * 2 == reasons("COD005")
    assert [] == row_of(page, "ruletable", "COD001").all(css="detail")


def test_verdicts_differ_by_letter_and_by_colour(page: Node) -> None:
    css = page.all("style")[0].text
    assert 10 == len({v.letter.zh for v in VERDICTS.values()})
    assert 10 == len({v.letter.en for v in VERDICTS.values()})
    colours = [re.findall(rf"\.{v.css} \{{([^}}]*)\}}", css)[0] for v in VERDICTS.values()]
    assert 10 == len(set(colours))


def test_crash_is_announced_at_the_top(page: Node) -> None:
    assert "有 1 条规则出错，没有结论，今夜结果不完整：COD005" in zh(page.all(css="alarm")[0])
    rules = with_column(city_report().rules, "verdict", "PASSED")
    alarms = parse(replace(city_report(), rules=rules)).all(css="alarm")
    assert ["数据门禁"] == [zh(alarm)[:4] for alarm in alarms]


def test_gate_is_told_at_the_top_and_what_follows_in_the_line_it_follows_from(page: Node) -> None:
    told = next(zh(n) for n in page.all("section")[0].all("li") if "数据门禁" in zh(n))
    assert "隔离待核 1" in told
    assert "衡南县（法人单位基本情况" in told
    lines = page.all(css="follow")
    assert ["随之无法归县的表 1 张：从业人员及工资总额"] == [zh(line) for line in lines]
    accepted = [row for row in city_report().gate.to_pylist() if row["verdict"] == "accept"]
    calm = parse(replace(city_report(), gate=pa.Table.from_pylist(accepted)))
    assert [1] == [len(calm.all(css="alarm"))]


def test_refused_rows_are_the_sum_of_their_reasons(page: Node) -> None:
    chips = page.all(css="reason-sum")
    total = sum(int(zh(n.all("dd")[0]).replace(",", "")) for n in chips)
    shown = sum(row["n"] for row in city_report().refusals.to_pylist())
    assert shown == total
    apart = zh(page.all(css="apart")[0])
    assert "整个文件未读入：无法识别的表 1" in apart
    assert "不再退回的" in apart


def test_files_that_were_not_read_are_named_at_the_top(page: Node) -> None:
    """That every table came does not tell that a county's file could not be read."""
    told = [zh(n) for n in page.all("section")[0].all("li", css="unread")]
    assert ["1 个文件未读入：会议纪要.csv（原因见第7部分）"] == told
    read = [row for row in city_report().refusals.to_pylist() if not row["whole"]]
    calm = parse(replace(city_report(), refusals=pa.Table.from_pylist(read)))
    assert [] == calm.all("li", css="unread")


def test_guide_names_what_goes_to_senders_and_reviewers(page: Node) -> None:
    guide = zh(page.all("section")[-1])
    assert "rejects/" in guide
    assert "review/" in guide


def test_matrix_shows_each_verdict_in_its_county(page: Node) -> None:
    data = city_report()
    line = next(r for r in page.all(css="matrix")[0].all("tr") if "COD002" in r.text)
    cells = [row for row in data.coverage.to_pylist() if row["rule_id"] == "COD002"]
    expected = [
        VERDICTS[c["verdict"]].letter.zh + (str(c["n_failed"]) if c["n_failed"] else "")
        for c in cells
    ]
    assert expected == [zh(td) for td in line.all("td")]
    heads = [zh(th) for th in page.all(css="county")]
    assert [*data.counties["name"].to_pylist()[:-1], "全市层面或区划外"] == heads


@pytest.mark.parametrize("section", ["where", "counties"])
def test_county_held_back_is_grey_with_its_reason(page: Node, section: str) -> None:
    (place,) = [n for n in page.all("section") if n.attributes.get("id") == section]
    (row,) = place.all("tr", "held")

    assert "衡南县" in row.text
    assert ["v-held"] == [c for pill in row.all(css="pill") for c in pill.classes - {"pill"}]
    assert "行数与应到行数之比 41.7%" in row.text
    assert "rows against those expected 41.7%" in row.text


def test_county_held_back_has_no_share_and_no_coloured_bar(page: Node) -> None:
    (place,) = [n for n in page.all("section") if n.attributes.get("id") == "counties"]
    (row,) = place.all("tr", "held")
    bars = place.all("rect", "bar")

    assert "—" == row.all("td")[3].text
    assert 2 == sum("held" in bar.classes for bar in bars)
    assert 14 == sum("fatal" in bar.classes for bar in bars)
    assert 14 == sum("rate" in bar.classes for bar in bars)


def test_regions_of_a_county_held_back_are_grey_in_every_list(page: Node) -> None:
    (place,) = [n for n in page.all("section") if n.attributes.get("id") == "levels"]
    codes = {row.all("td", "where")[0].attributes["data-v"][:6] for row in place.all("tr", "held")}

    assert {"430422"} == codes


def test_villages_not_shown_are_counted_and_located(page: Node) -> None:
    rows = {
        level: len(next(n for n in page.all("table") if n.attributes.get("id") == level).all("tr"))
        for level in ("regions3", "regions4", "regions5")
    }
    assert {"regions3": 16, "regions4": 193, "regions5": 201} == rows
    note = zh(page.all("section")[3].all(css="note")[0])
    assert (
        "只列次序最前的 200 个，其余 2,589 个未列出；全部在数据库的表 audit.region_score中。"
        == note
    )


def test_flagged_region_shows_interval_probability_and_three_reasons() -> None:
    data = city_report()
    first = with_first(
        data.regions.slice(0, 1), rate=0.0412, rate_low=0.035, rate_high=0.05, probability=0.998,
        flagged=True, reasons="甲；乙；丙", reasons_en="a; b; c",
    )  # fmt: skip
    row = parse(replace(data, regions=first, flagged=data.flagged.slice(0, 0))).all(css="flagged")[
        0
    ]
    assert "4.1%3.5%–5.0%法人和产业单位" == zh(row.all(css="rate")[0])
    assert ["甲", "乙", "丙"] == [zh(n) for n in row.all(css="reason")]
    assert ">99%" in [zh(n) for n in row.all("td")]
    assert 1 == len(row.all("line", "limit"))


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    data = city_report()
    regions = with_column(data.regions, "region_name", HOSTILE)
    rules = data.rules
    for name in ("title_zh", "title_en", "detail", "clause", "family"):
        rules = with_first(rules, **{name: HOSTILE})
    counties = with_first(data.counties, name=HOSTILE)
    info = replace(data.info, run_id=HOSTILE, code_version=HOSTILE, input_digest=HOSTILE)
    files = data.files
    for name in ("file", "table_name", "format", "encoding", "unknown_columns"):
        files = with_column(files, name, HOSTILE)
    causes = pa.Table.from_pylist([{"cause": HOSTILE, "n": 1}])
    refusals = with_column(with_column(data.refusals, "file", HOSTILE), "reason", HOSTILE)
    bad = replace(
        data, city=HOSTILE, vintage=HOSTILE, info=info, finished_at=HOSTILE, previous_run=HOSTILE,
        regions=with_column(regions, "reasons", HOSTILE), rules=rules, counties=counties,
        files=files, causes=causes, refusals=refusals,
    )  # fmt: skip
    page = parse(bad)
    assert 1 == len(page.all("script"))
    assert [] == page.all("img")
    assert [] == [n.tag for n in page.walk() if any(a.startswith("on") for a in n.attributes)]
    assert "{{ 7 * 7 }}" in page.text
    assert "\u202e" not in page.text
    assert write_report(bad, tmp_path / "report.html") > 0


def test_header_of_a_file_that_gave_nothing_is_counted_not_quoted(page: Node) -> None:
    row = row_of(page, "files", "会议纪要.csv")
    assert "2 列" == zh(row.all(css="cols")[0])
    assert "甲公司" not in page.text
    data = city_report()
    loaded = with_first(data.files, rows_loaded=5)
    assert "甲公司" in parse(replace(data, files=loaded)).text


def test_files_show_rows_and_reasons(page: Node) -> None:
    row = row_of(page, "files", "17")
    cells = [zh(n) for n in row.all("td")]
    assert "17" == cells[6]
    assert ["主键重复 10", "数值错误 4 （已在其他文件更正 2）", "保密单位 3"] == [
        zh(n) for n in row.all(css="reason")
    ]
    assert "法人单位_重报.xlsx" in [zh(n) for n in page.all(css="col")]


def test_files_not_shown_are_counted() -> None:
    data = city_report()
    many = replace(data, intake=replace(data.intake, n_files=len(data.files) + 5))
    notes = [zh(n) for n in parse(many).all(css="note")]
    assert any("其余 5 个在数据库的表 census.delivered_file中" in note for note in notes)


def test_report_of_a_city_is_small_and_always_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    size = write_report(city_report(), one)
    write_report(city_report(), other)
    assert one.stat().st_size == size
    assert size < 3_000_000
    assert one.read_bytes() == other.read_bytes()


def test_empty_night_still_makes_a_page() -> None:
    data = city_report()
    names = [
        "levels", "flagged", "regions", "counties", "rules", "coverage", "changes", "causes",
        "tables", "files", "refusals", "outside",
    ]  # fmt: skip
    empty = replace(data, **{name: getattr(data, name).slice(0, 0) for name in names})
    page = parse(empty)
    assert 3 == zh(page.all("section")[3]).count("没有这一级的评分")


def test_numbers_never_claim_more_than_is_known() -> None:
    assert ["—", "0.0%", "<0.1%", "3.2%"] == [percent(v) for v in (None, 0.0, 0.0001, 0.0316)]
    shown = [probability(v) for v in (None, 0.0, 0.5, 0.996, 1.0)]
    assert ["—", "<1%", "50%", ">99%", ">99%"] == shown


def test_texts_are_cleaned_and_clipped() -> None:
    assert "a\ufffdb\ufffd中\u3000文" == clean("a\x00b\u202e中\u3000文")
    assert "" == clean(None)
    assert "abcd…" == clip("abcdefgh", 5)


def test_reasons_that_do_not_pair_are_shown_whole() -> None:
    assert [Label("甲", "a"), Label("乙", "b")] == zip_reasons("甲；乙", "a; b")
    assert [Label("甲；乙", "a")] == zip_reasons("甲；乙", "a")
    assert [] == zip_reasons(None, None)
