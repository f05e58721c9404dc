"""Charts of the report: geometry, and nothing drawn for what is unknown."""

from __future__ import annotations

import re

from audit.model import Label
from reports.charts import (
    BAR_WIDTH,
    Panel,
    Scale,
    county_chart,
    interval_axis,
    interval_bar,
    share_bar,
)


def test_interval_bar_draws_range_point_and_limits() -> None:
    scale = Scale(top=0.1, limits=(0.05,))
    middle = 4 + (BAR_WIDTH - 8) / 2
    bar = interval_bar((0.0, 0.05, 0.1), scale, 0.05)
    assert f'cx="{middle:g}"' in bar
    assert f'x1="{middle:g}"' in bar
    assert f'x="4" y="7" width="{BAR_WIDTH - 8}"' in bar
    assert "beyond" not in bar
    assert "beyond" in interval_bar((0.05, 0.2, 0.4), scale, 0.05)
    unknown = interval_bar((None, None, None), scale, 0.05)
    assert "limit" in unknown
    assert "point" not in unknown
    assert "limit" not in interval_bar((None, None, None), scale, None)


def test_axis_labels_do_not_run_into_each_other() -> None:
    def labels(top: float) -> list[str]:
        return re.findall(r">([^<>]+)</text>", interval_axis(Scale(top=top, limits=(0.03, 0.05))))

    assert ["0%", "3%", "5%", "10%"] == labels(0.1)
    assert ["3/5%", "25%"] == labels(0.25)


def test_share_bar_of_unknown_is_empty() -> None:
    assert 'width="0"' in share_bar(None, 0.5, "fatal")
    assert 'width="56"' in share_bar(0.5, 0.5, "fatal")
    assert 'width="1"' in share_bar(0.0001, 0.5, "fatal")


def test_county_chart_labels_every_bar() -> None:
    panels = (Panel(column="n", title=Label("数", "count"), css="fatal"),)
    chart = county_chart([{"name": "甲<b>", "n": 1200}, {"name": "乙", "n": None}], panels)
    assert "甲&lt;b&gt;" in chart
    assert ">1,200<" in chart
    assert ">—<" in chart
    assert 1 == chart.count('class="bar fatal"')
