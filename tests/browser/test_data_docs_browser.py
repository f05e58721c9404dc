"""Great Expectations' Data Docs in Chromium, without a network: shown, filtered, opened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from test_report_browser import FLAGS, SECONDS_TO_LOAD

from audit.gate import Cell, GateSettings, expectations
from pipelines.gate_worker import request

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("great_expectations", reason="the extra [gx] is not installed")
    target = tmp_path_factory.mktemp("docs") / "gx"
    cell = Cell(
        table="legal_entity", file="f.csv", region_code="430422000000", n_rows=100, n_refused=0,
        n_expected=None, values={"empty": 0.9, "dates": 0.0}, items={},
    )  # fmt: skip
    line = request([cell], expectations(GateSettings()), str(target))
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.gate_gx"], input=line + "\n", cwd=ROOT, text=True,
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["docs"]
    return target


@pytest.fixture(scope="module")
def page(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
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
        chrome.get((site / "index.html").as_uri())
        waiting = WebDriverWait(chrome, SECONDS_TO_LOAD)
        waiting.until(lambda page: page.find_elements(By.CSS_SELECTOR, "li a"))
        chrome.find_element(By.CSS_SELECTOR, "li a").click()
        waiting.until(lambda page: page.find_elements(By.CSS_SELECTOR, ".btn-group label"))
        waiting.until(lambda page: "complete" == page.execute_script("return document.readyState"))
        yield chrome
    finally:
        chrome.quit()


def shown(page: webdriver.Chrome, text: str) -> int:
    cells = page.find_elements(By.XPATH, f"//td[contains(., '{text}')]")
    return sum(cell.is_displayed() for cell in cells)


def test_nothing_is_fetched_and_nothing_complains(page: webdriver.Chrome) -> None:
    fetched = page.execute_script("return performance.getEntriesByType('resource').length")

    assert 0 == fetched
    assert [] == page.get_log("browser")  # type: ignore[no-untyped-call]


def test_failed_only_hides_what_passed_and_back(page: webdriver.Chrome) -> None:
    both, passed = shown(page, "必填项空值率"), shown(page, "日期超出合理范围")
    labels = page.find_elements(By.CSS_SELECTOR, ".btn-group label")
    assert both
    assert passed
    labels[1].click()
    assert shown(page, "必填项空值率")
    assert 0 == shown(page, "日期超出合理范围")
    labels[0].click()
    assert (both, passed) == (shown(page, "必填项空值率"), shown(page, "日期超出合理范围"))


def test_more_info_opens_and_closes(page: webdriver.Chrome) -> None:
    opener = page.find_element(By.CSS_SELECTOR, '[data-toggle="collapse"]')
    target = opener.get_attribute("data-target") or opener.get_attribute("href") or ""
    box = page.find_element(By.CSS_SELECTOR, "#" + target.rsplit("#", 1)[-1])
    assert not box.is_displayed()
    opener.click()
    assert box.is_displayed()
    opener.click()
    assert not box.is_displayed()
