"""Great Expectations' Data Docs made to work without a network: own style, own script, no address.

The pages that Great Expectations writes fetch their style, scripts and logo from outside. All that
is taken out; a style sheet and a few lines of script of our own take its place.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path

from reports.data_docs_words import in_our_words

TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    'form-action \'none\'"><meta name="referrer" content="no-referrer">'
)
_DROPPED = (
    re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<footer\b.*?</footer\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<img\b[^>]*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<iframe\b.*?</iframe\s*>", re.DOTALL | re.IGNORECASE),
)
_ADDRESS = re.compile(
    r"""\s(?:href|src|action|integrity|crossorigin)\s*=\s*("(?:https?:)?//[^"]*"|'(?:https?:)?//[^']*')""",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(
    r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
    r"""|@import|\b(?:integrity|crossorigin)\s*=""",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)


def outside_addresses(page: str) -> list[str]:
    """Return what in a page would reach for an outside address; empty when it is offline."""
    return [found.group(0) for found in _OUTSIDE.finditer(page)]


def offline(page: str) -> str:
    """Return a page of the Data Docs without anything from outside, with our style and script."""
    for pattern in _DROPPED:
        page = pattern.sub("", page)
    page = _ADDRESS.sub("", page)
    page = _TITLE.sub("", page)
    style = (TEMPLATES / "data_docs.css").read_text(encoding="utf-8")
    script = (TEMPLATES / "data_docs.js").read_text(encoding="utf-8")
    head = f"{_POLICY}<title>数据门禁 Great Expectations</title><style>{style}</style>"
    page = page.replace("</head>", f"{head}</head>", 1)
    return page.replace("</body>", f"<script>{script}</script></body>", 1)


def _index(pages: list[tuple[str, str]]) -> str:
    style = (TEMPLATES / "data_docs.css").read_text(encoding="utf-8")
    links = "".join(
        f'<li><a href="{escape(name)}">{escape(title)}</a></li>' for name, title in pages
    )
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">{_POLICY}'
        f"<title>数据门禁 Great Expectations</title><style>{style}</style></head>"
        '<body><div class="container-fluid"><h2>数据门禁：Great Expectations 检查结果</h2>'
        "<p>Great Expectations 判定的是各文件在各县的统计数（概况），不含任何单位的数据；"
        "结论见审核报告第六、七部分。 It judged counts and rates of files by county, no unit's "
        "data; for the verdicts see the report.</p>"
        f"<ul>{links}</ul></div></body></html>"
    )


def take_over(site: Path, target: Path) -> int:
    """Write the Data Docs of `site` to `target`, offline; return the number of pages.

    `site` is the folder that Great Expectations built. ValueError where a page still has an
    outside address: then nothing is written.
    """
    found = [
        *(("validation", p) for p in sorted(site.glob("validations/**/*.html"))),
        *(("suite", p) for p in sorted(site.glob("expectations/**/*.html"))),
    ]
    titles = {"validation": "检查结果 Results", "suite": "检查项与界限 Expectations and bounds"}
    texts, pages = {}, []
    for place, (kind, path) in enumerate(found):
        name = f"{kind}{place}.html"
        texts[name] = _relink(in_our_words(offline(path.read_text(encoding="utf-8"))))
        pages.append((name, titles[kind]))
        if outside_addresses(texts[name]):
            raise ValueError(f"{kind} page is not offline")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, text in {**texts, "index.html": _index(pages)}.items():
        (target / name).write_text(text, encoding="utf-8")
    return len(texts)


def _relink(page: str) -> str:
    """Let links up the folders of the site lead to our one index."""
    return re.sub(r'href="(?:\.\./)*(?!#)[^"#]*\.html[^"]*"', 'href="index.html"', page)
