"""Charts of the report as SVG text, drawn on the server: no script, no font, no address in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from audit.model import Label
from reports.html_texts import clip

_NAME_LENGTH, _TICK = 13, 20
BAR_WIDTH, BAR_HEIGHT = 160, 20
_ROW, _NAME_WIDTH, _PANEL, _GAP, _TOP = 22, 180, 292, 36, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The common axis of the interval bars: shares from 0 to `top`, and the limits drawn in."""

    top: float
    limits: tuple[float, ...]

    def x(self, share: float) -> float:
        """Return the place of a share on the axis, in pixels; shares beyond it sit at its end."""
        return round(min(max(share / self.top, 0.0), 1.0) * (BAR_WIDTH - 8) + 4, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One column of bars: where its value stands in the row, its title, its colour class."""

    column: str
    title: Label
    css: str
    percent: bool = False


def _svg(width: float, height: float, css: str, body: Sequence[str]) -> Markup:
    # Everything in `body` is made of numbers and of texts that went through escape().
    return Markup(  # noqa: S704  # see above
        f'<svg class="{css}" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false">'
        f"{''.join(body)}</svg>"
    )


def _line(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{css}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def interval_bar(
    ends: tuple[float | None, float | None, float | None], scale: Scale, limit: float | None
) -> Markup:
    """Draw a rate with its interval (low, rate, high) against its limit; only the line for NULL."""
    low, rate, high = ends
    middle = BAR_HEIGHT / 2
    body = [_line("axis", 4, BAR_HEIGHT - 1, BAR_WIDTH - 4, BAR_HEIGHT - 1)]
    body += [
        _line(f"limit limit{i}", scale.x(limit), 0, scale.x(limit), BAR_HEIGHT)
        for i, each in enumerate(scale.limits)
        if each == limit
    ]
    if rate is None or low is None or high is None:
        return _svg(BAR_WIDTH, BAR_HEIGHT, "interval", body)
    start, end, point = scale.x(low), scale.x(high), scale.x(rate)
    body.append(
        f'<rect class="range" x="{start:g}" y="{middle - 3:g}" '
        f'width="{max(end - start, 1):g}" height="6" rx="3"/>'
    )
    if high > scale.top:
        edge = BAR_WIDTH - 4
        body.append(
            f'<path class="beyond" d="M{edge:g} {middle - 5:g}L{edge + 4:g} {middle:g}'
            f'L{edge:g} {middle + 5:g}Z"/>'
        )
    body.append(f'<circle class="point" cx="{point:g}" cy="{middle:g}" r="4"/>')
    return _svg(BAR_WIDTH, BAR_HEIGHT, "interval", body)


def interval_axis(scale: Scale) -> Markup:
    """Draw the axis above the interval bars, with the limits as its ticks."""
    places = [scale.x(limit) for limit in scale.limits]
    ticks = [(x, f"{limit:.0%}", "middle") for x, limit in zip(places, scale.limits, strict=True)]
    if any(right - left < _TICK for left, right in pairwise(places)):
        names = "/".join(f"{limit * 100:g}" for limit in scale.limits)
        ticks = [(sum(places) / len(places), f"{names}%", "middle")]
    if ticks and ticks[0][0] >= 1.5 * _TICK:
        ticks.insert(0, (scale.x(0), "0%", "start"))
    ticks.append((scale.x(scale.top), f"{scale.top:.0%}", "end"))
    body = [
        f'<text class="tick" x="{x:g}" y="11" text-anchor="{anchor}">{text}</text>'
        for x, text, anchor in ticks
    ]
    return _svg(BAR_WIDTH, 14, "interval", body)


def share_bar(share: float | None, top: float, css: str) -> Markup:
    """Draw one small horizontal bar for a share; an empty one for NULL or zero."""
    width = 0.0 if not share or top <= 0 else max(1.0, round(min(share / top, 1.0) * 56, 1))
    return _svg(56, 8, "share", [f'<rect class="bar {css}" width="{width:g}" height="8"/>'])


def _value_text(value: float | None, panel: Panel) -> str:
    if value is None:
        return "—"
    return f"{value:.1%}" if panel.percent else f"{value:,.0f}"


def _panel(panel: Panel, x: float, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    zh, en = escape(panel.title.zh), escape(panel.title.en)
    body = [
        f'<text class="head zh" x="{x:g}" y="14">{zh}</text>'
        f'<text class="head en" x="{x:g}" y="14">{en}</text>',
        _line("axis", x, _TOP - 4, x, _TOP + _ROW * len(rows)),
    ]
    top = max((row[panel.column] or 0 for row in rows), default=0) or 1
    room = _PANEL - 50
    for number, row in enumerate(rows):
        value = row[panel.column]
        y = _TOP + number * _ROW
        width = round((value or 0) / top * room, 1)
        if value:
            css = "held" if row.get("held") else panel.css
            body.append(
                f'<rect class="bar {css}" x="{x:g}" y="{y + 3:g}" '
                f'width="{max(width, 1):g}" height="{_ROW - 9}"/>'
            )
        body.append(
            f'<text class="value" x="{x + width + 5:g}" y="{y + 14:g}">'
            f"{_value_text(value, panel)}</text>"
        )
    return body


def county_chart(rows: Sequence[Mapping[str, Any]], panels: Sequence[Panel]) -> Markup:
    """Draw bars side by side, one row a county and one panel a measure.

    `rows`: `name` and the panels' columns (counts, or shares where `percent`; NULL has no bar).
    One with a true `held` is grey: it is not judged.
    """
    height = _TOP + _ROW * len(rows) + 4
    width = _NAME_WIDTH + len(panels) * (_PANEL + _GAP) - _GAP
    body = []
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        if number % 2:
            body.append(f'<rect class="stripe" y="{y:g}" width="{width:g}" height="{_ROW}"/>')
        body.append(
            f'<text class="name" x="{_NAME_WIDTH - 12}" y="{y + 14:g}" '
            f'text-anchor="end">{escape(clip(row["name"], _NAME_LENGTH))}</text>'
        )
    for number, panel in enumerate(panels):
        body += _panel(panel, _NAME_WIDTH + number * (_PANEL + _GAP), rows)
    return _svg(width, height, "chart", body)
