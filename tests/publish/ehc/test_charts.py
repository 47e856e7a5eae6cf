import re
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest

from forecast.publish.ehc.charts import ChartText, fans, stacked
from forecast.publish.ehc.run import AreaFigures
from tests.publish.ehc.frame import ehc_frame

TEXT = ChartText("c", "Title", "What it shows & why")
BOTH = ("requests", "plans_issued")


def area_of(frame):
    return AreaFigures(frame, "E08000007")


def words(svg):
    return [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_fans_are_drawn_wide_and_narrow_and_the_same_each_time():
    area = area_of(ehc_frame())
    wide, narrow = fans(area, BOTH, TEXT, same_scale=True)
    assert (wide, narrow) == fans(area, BOTH, TEXT, same_scale=True)
    for svg in (wide, narrow):
        ET.fromstring(svg)  # noqa: S314 - our own output
        assert {"Requests", "Plans issued"} <= set(words(svg))
        assert words(svg).count("Projection") == 1
    assert 'id="c-wide-title"' in wide
    assert 'id="c-narrow-title"' in narrow


def test_counts_beside_each_other_have_one_scale():
    area = area_of(ehc_frame())
    shared, own = (Counter(words(fans(area, BOTH, TEXT, same_scale=same)[0])) for same in (True, False))
    assert {shared[tick] for tick in ("0", "600", "1,800", "2,400")} == {2}
    assert own["1,800"] == 1


def test_a_share_runs_from_0_to_100_per_cent():
    drawn = words(fans(area_of(ehc_frame()), ("timeliness_20_week", "backlog"), TEXT, same_scale=False)[0])
    assert {"0%", "100%", "Assessments under way"} <= set(drawn)


def test_a_measure_without_figures_is_left_out():
    frame = ehc_frame()
    gone = frame["measure"].eq("plans_issued")
    frame.loc[gone, ["mean", "median", "lo-80", "hi-80", "lo-95", "hi-95"]] = np.nan
    drawn = words(fans(area_of(frame), BOTH, TEXT, same_scale=True)[0])
    assert "Plans issued" not in drawn
    assert fans(area_of(frame[frame["measure"].eq("backlog")]), BOTH, TEXT, same_scale=True) == ()


def test_the_caseload_is_stacked_by_band_with_the_range_of_the_total():
    wide, narrow = stacked(area_of(ehc_frame()), "age_band", TEXT)
    for svg in (wide, narrow):
        ET.fromstring(svg)  # noqa: S314 - our own output
        assert {"Aged under 5", "Aged 20 to 25", "Not published", "projected", "4 in 5 range of the total"} <= set(
            words(svg)
        )
    frame = ehc_frame()
    told = stacked(area_of(frame[frame["ds"].dt.year.ge(2024)]), "age_band", TEXT)[0]
    assert "Not published" not in words(told)


def test_published_figures_alone_have_no_range_and_none_no_chart():
    frame = ehc_frame()
    drawn = words(stacked(area_of(frame[frame["status"].eq("published")]), "age_band", TEXT)[0])
    assert "projected" not in drawn
    assert stacked(area_of(frame[frame["measure"].ne("caseload")]), "age_band", TEXT) == ()


@pytest.mark.parametrize("number", [3, 13])
def test_a_stack_has_a_shade_for_each_part(number):
    by = "placement" if number == 3 else "need"
    frame = ehc_frame()
    kept = frame[
        frame["by"].ne(by) | frame["category"].isin(list(frame[frame["by"].eq(by)]["category"].unique())[:number])
    ]
    svg = stacked(area_of(kept), by, TEXT)[0]
    fills = set(re.findall(r"fill: (#[0-9a-f]{6})", svg)) - {"#000000"}
    assert len(fills - {"#b1b4b6", "#0b0c10"}) >= number
