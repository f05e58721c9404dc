"""The report in Chromium, from a file and without a network: language, sorting, search, paper."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_sample import city_report
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from reports.html import write_report

pytestmark = pytest.mark.browser

SECONDS_TO_LOAD = 30

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
    "--window-size=1280,1600",
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(city_report(), path)
    return path


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("needs the Debian packages chromium and chromium-driver")
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        chrome.execute_cdp_cmd("Network.enable", {})
        chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["http://*", "https://*"]})
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, report: Path) -> webdriver.Chrome:
    open_report(chromium, report)
    WebDriverWait(chromium, SECONDS_TO_LOAD).until(
        lambda page: "complete" == page.execute_script("return document.readyState")
    )
    return chromium


def open_report(chromium: webdriver.Chrome, report: Path) -> None:
    """Shows the report anew, whole to its last line.

    ``get`` of the address that is shown already may come back before the page does, and without
    script it cannot ask the page whether it is loaded: so by an empty page, and until the footer.
    """
    chromium.get("about:blank")
    chromium.get(report.as_uri())
    WebDriverWait(chromium, SECONDS_TO_LOAD).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "footer")
    )


def find(page: webdriver.Chrome, css: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, css)


def column(page: webdriver.Chrome, table: str, place: int) -> list[str]:
    cells = page.find_elements(By.CSS_SELECTOR, f"#{table} tbody tr > :nth-child({place})")
    return [cell.get_attribute("data-v") or "" for cell in cells if cell.is_displayed()]


def test_page_loads_without_errors_or_requests(page: webdriver.Chrome) -> None:
    # "resource" entries are whatever else the page fetched.
    fetched = page.execute_script("return performance.getEntriesByType('resource').length")
    assert 0 == fetched
    assert [] == page.get_log("browser")  # type: ignore[no-untyped-call]


def test_button_switches_the_language_and_back(page: webdriver.Chrome) -> None:
    heading = find(page, "#glance h2")
    assert "1 总体情况" == " ".join(heading.text.split())
    find(page, "#lang").click()
    assert "1 Overview" == " ".join(heading.text.split())
    assert "Economic census audit report 20190318-013000" == page.title
    assert "en" == find(page, "html").get_attribute("lang")
    assert "中文" == find(page, "#lang").text
    assert not [e for e in page.find_elements(By.CSS_SELECTOR, "h2 .zh") if e.is_displayed()]
    find(page, "#lang").click()
    assert "1 总体情况" == " ".join(heading.text.split())


def test_heading_sorts_numbers_down_then_up(page: webdriver.Chrome) -> None:
    heading = find(page, "#ruletable thead th:nth-child(8)")
    heading.find_element(By.CSS_SELECTOR, ".sort").click()
    down = [float(v) for v in column(page, "ruletable", 8) if v]
    assert sorted(down, reverse=True) == down
    assert down[0] > down[-1]
    # Rules without a verdict have no number: they stay last, whichever way it goes.
    assert ["", "", ""] == column(page, "ruletable", 8)[-3:]
    assert "descending" == heading.get_attribute("aria-sort")
    heading.find_element(By.CSS_SELECTOR, ".sort").send_keys("\n")
    assert sorted(down) == [float(v) for v in column(page, "ruletable", 8) if v]
    assert ["", "", ""] == column(page, "ruletable", 8)[-3:]


def test_sorting_keeps_the_number_of_rows_shown(page: webdriver.Chrome) -> None:
    find(page, "#regions4 thead th:nth-child(3) .sort").click()
    shown = [float(v) for v in column(page, "regions4", 3)]
    assert 12 == len(shown)
    flagged = [r["n_failed_legal"] or 0 for r in city_report().regions.to_pylist()
               if r["flagged"] and r["region_level"] == "4"]  # fmt: skip
    assert sorted(flagged, reverse=True)[:12] == shown


def test_search_filter_and_show_all(page: webdriver.Chrome) -> None:
    tools = ".tools[data-table=regions4]"
    flagged = [
        row for row in city_report().regions.to_pylist()
        if row["flagged"] and row["region_level"] == "4"
    ]  # fmt: skip
    assert 12 == len(column(page, "regions4", 1))
    assert str(len(flagged)) == find(page, f"{tools} .of").text
    find(page, f"{tools} .more").click()
    assert len(flagged) == len(column(page, "regions4", 1))
    find(page, f"{tools} .only").click()
    assert 192 == len(column(page, "regions4", 1))
    find(page, f"{tools} .find").send_keys("祁东县")
    assert 24 == len(column(page, "regions4", 1))


def test_page_is_whole_without_script(chromium: webdriver.Chrome, report: Path) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_report(chromium, report)
        rows = chromium.find_elements(By.CSS_SELECTOR, "#regions5 tbody tr")
        assert 200 == len(rows)
        assert "1 总体情况" == " ".join(find(chromium, "#glance h2").text.split())
        assert not find(chromium, "#lang").is_displayed()
        assert rows[-1].is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_wide_enough_for_the_screen_of_an_office(page: webdriver.Chrome, tmp_path: Path) -> None:
    """Nothing is cut off at 1280, and the page does not scroll sideways; keeps a picture."""
    for language in ("zh", "en"):
        width = page.execute_script("return document.documentElement.scrollWidth")
        assert 1280 == width, language
        overflowing = page.execute_script(
            "return Array.prototype.filter.call(document.querySelectorAll('.scroll'),"
            "function (e) { return e.scrollWidth > e.clientWidth + 1; }).length"
        )
        assert 0 == overflowing, language
        height = page.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": 1280, "height": height, "scale": 1}
        shot = page.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        picture = tmp_path / f"report-{language}.png"
        picture.write_bytes(base64.b64decode(shot["data"]))
        assert picture.stat().st_size > 100_000
        find(page, "#lang").click()


def test_prints_on_a4(page: webdriver.Chrome, tmp_path: Path) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not find(page, ".contents").is_displayed()
        assert not find(page, "#lang").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    printed = page.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )
    pdf = base64.b64decode(printed["data"])
    (tmp_path / "report.pdf").write_bytes(pdf)
    # A4 landscape in points, and a length that somebody would still read.
    assert b"/MediaBox [0 0 841" in pdf
    assert 8 <= pdf.count(b"/Type /Page\n") <= 18


TALL = """
const lines = (element) => element.querySelectorAll("br").length + 1;
return Array.from(document.querySelectorAll(arguments[0]))
  .filter((e) => e.offsetParent && e.getBoundingClientRect().height > 22 * lines(e))
  .map((e) => e.textContent);
"""


def test_headings_and_intervals_of_regions_break_where_they_should(page: webdriver.Chrome) -> None:
    """Neither a word nor an interval is cut in two."""
    for _ in ("zh", "en"):
        shown = page.find_elements(By.CSS_SELECTOR, "#flagged thead .sort > span")
        assert 6 == len([span for span in shown if span.is_displayed()])
        assert [] == page.execute_script(TALL, ".regions thead .sort > span")
        assert [] == page.execute_script(TALL, "#flagged td.rate .range")
        find(page, "#lang").click()
