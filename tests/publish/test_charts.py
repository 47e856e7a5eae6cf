import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from forecast.publish.charts import NARROW, FanData, fan_chart

SVG = "{http://www.w3.org/2000/svg}"


def years(*values):
    return pd.to_datetime([f"{year}-01-01" for year in values])


def fan(history, **kwargs):
    ahead = pd.DataFrame({"ds": years(2024, 2025), "median": [110.0, 120.0]})
    for level, width in ((80, 20.0), (95, 40.0)):
        ahead[f"lo-{level}"], ahead[f"hi-{level}"] = ahead["median"] - width, ahead["median"] + width
    return FanData(history=history, forecast=ahead, freq="YS", stock=False, **kwargs)


HISTORY = pd.DataFrame({"ds": years(2019, 2020, 2022, 2023), "y": [60.0, 70.0, 90.0, 100.0]})


def draw(data, **kwargs):
    text = {"chart_id": "c", "title": "Title", "description": "What it shows", "label": "Requests"}
    return fan_chart(data, **{**text, **kwargs})


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own output


def line_points(svg, element_id):
    """Points of the first path in a group of the chart, in its own coordinates."""
    root = parsed(svg)
    group = next(g for g in root.iter(f"{SVG}g") if g.get("id") == element_id)
    path = next(group.iter(f"{SVG}path")).get("d")
    return path.count("M "), [tuple(map(float, p)) for p in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path)]


def test_same_data_same_characters_and_well_formed():
    svg = draw(fan(HISTORY))
    assert svg == draw(fan(HISTORY))
    root = parsed(svg)
    assert root.get("role") == "img"
    assert {root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")} == set(
        root.get("aria-labelledby").split()
    )


def test_a_missing_year_is_a_gap_and_the_fan_starts_at_the_last_outturn():
    svg = draw(fan(HISTORY))
    strokes, history = line_points(svg, "c-line2d_" + first_line(svg, "#12436d"))
    _, projection = line_points(svg, "c-line2d_" + first_line(svg, "#f46a25"))
    assert strokes == 2
    assert projection[0] == pytest.approx(history[-1])
    assert len(projection) == 3


def first_line(svg, colour):
    return re.search(r'id="c-line2d_(\d+)">\s*<path d="[^"]*"[^>]*stroke: ' + colour, svg)[1]


def test_ids_are_prefixed_and_references_resolve():
    svg = draw(fan(HISTORY), chart_id="other")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("other-") for name in ids)
    assert set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)


def test_text_from_outside_is_escaped_and_is_no_formula():
    svg = draw(fan(HISTORY), title="<script>", description="a & b", label="$x_1$ <b>")
    assert "<script>" not in svg
    assert "$x_1$ &lt;b&gt;" in svg
    parsed(svg)


def test_break_and_threshold_are_labelled():
    svg = draw(fan(HISTORY, breaks=(pd.Timestamp("2022-01-01"),), threshold=130.0))
    assert "series break" in svg
    assert ">130<" in svg
    assert "series break" not in draw(fan(HISTORY))


@pytest.mark.parametrize("freq", ["QS", "MS", "W-MON"])
def test_other_periods_have_their_axis(freq):
    dates = pd.date_range("2023-01-01", periods=12, freq=freq)
    history = pd.DataFrame({"ds": dates[:9], "y": np.arange(9.0)})
    ahead = pd.DataFrame({"ds": dates[9:], "median": 9.0, "lo-80": 8.0, "hi-80": 10.0, "lo-95": 7.0, "hi-95": 11.0})
    svg = draw(FanData(history=history, forecast=ahead, freq=freq, stock=False), size=NARROW)
    assert {"QS": "Quarter", "MS": "Month", "W-MON": "Week"}[freq] in svg


def test_history_without_figures_or_without_projection_still_draws():
    empty = fan(HISTORY).forecast.iloc[:0]
    assert "Projection" not in draw(FanData(history=HISTORY, forecast=empty, freq="YS", stock=True))
    nothing = HISTORY.assign(y=np.nan)
    _, projection = line_points(draw(fan(nothing)), "c-line2d_" + first_line(draw(fan(nothing)), "#f46a25"))
    assert len(projection) == 2
    assert "January of each year" in draw(FanData(history=HISTORY, forecast=empty, freq="YS", stock=True))
