import re
import xml.etree.ElementTree as ET

import pytest

from forecast.publish.speech_language.charts import ChartText, Fan, compared, fans, stacked, staff
from forecast.publish.speech_language.run import Figures
from tests.publish.speech_language.frame import BANDS

TEXT = ChartText("c", "Title", "What it shows & why", " (synthetic data)")
WITHIN = Fan("within_target", "Waiting less than 18 weeks", 92.0, per_cent=True)
BOTH = (WITHIN, Fan("p92_wait", "Weeks that 92% wait less than", 18.0))


@pytest.fixture(scope="module")
def frame(slt):
    return slt.table


@pytest.fixture(scope="module")
def figures(frame):
    return Figures(frame)


def words(svg):
    ET.fromstring(svg)  # noqa: S314 - our own output
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_fans_are_drawn_wide_and_narrow_and_the_same_each_time(figures):
    wide, narrow = fans(figures, BOTH, TEXT)
    assert wide == fans(figures, BOTH, TEXT)[0]
    for svg in (wide, narrow):
        said = words(svg)
        assert {"Waiting less than 18 weeks", "Weeks that 92% wait less than", "100%", "Target"} <= set(said)
        assert said.count("(synthetic data)") == 1
        assert said.count("(history modelled, synthetic data)") == 1
        assert said.count("Projection") == 1
    assert 'id="c-wide-title"' in wide
    assert 'id="c-narrow-title"' in narrow


def test_a_fan_without_figures_is_left_out(frame):
    bare = Figures(frame[frame["measure"].ne("p92_wait")])
    assert "Weeks that 92% wait less than" not in words(fans(bare, BOTH, TEXT)[0])
    assert fans(Figures(frame[frame["measure"].eq("capacity")]), BOTH, TEXT) == ()


def test_the_list_is_stacked_by_band_and_bands_beyond_the_target_stand_out(figures):
    wide, narrow = stacked(figures, BANDS, TEXT, weeks=18)
    for svg in (wide, narrow):
        assert {"0 to 1 weeks", "18 to 52 weeks", "52+ weeks", "4 in 5 range of all", "projected"} <= set(words(svg))
        fills = set(re.findall(r"fill: (#[0-9a-f]{6})", svg))
        assert {"#f46a25", "#8a2c02"} <= fills
    blue = set(re.findall(r"fill: (#[0-9a-f]{6})", stacked(figures, BANDS[:5], TEXT, weeks=18)[0]))
    assert not {"#f46a25", "#8a2c02"} & blue


def test_a_history_that_is_modelled_is_drawn_and_says_so(frame):
    one = (Fan("p92_wait", "Weeks that 92% wait less than"),)
    untagged = ChartText("c", "Title", "What it shows")
    drawn = words(fans(Figures(frame), one, untagged)[0])
    assert "(history modelled)" in drawn
    ahead = frame[frame["status"].eq("projected")]
    assert "(history modelled)" not in words(fans(Figures(ahead), one, untagged)[0])


def test_a_modelled_month_is_history_not_forecast(figures, monkeypatch):
    drawn = []
    monkeypatch.setattr("forecast.publish.speech_language.charts.draw_fan", lambda _, data, __: drawn.append(data))
    fans(figures, (Fan("p92_wait", "Weeks that 92% wait less than"),), TEXT)
    assert [(len(data.history), len(data.forecast)) for data in drawn] == [(9, 48)] * 2


def test_two_options_of_one_title_are_two_lines(frame):
    options = [("Same", Figures(frame)), ("Same", Figures(frame, "more_staff"))]
    assert words(compared(options, WITHIN, TEXT)[0]).count("Same") == 2


def test_published_lists_alone_have_no_range_and_none_no_chart(frame):
    published = frame[frame["status"].ne("projected")]
    assert "projected" not in words(stacked(Figures(published), BANDS, TEXT, weeks=18)[0])
    assert stacked(Figures(frame[frame["measure"].ne("waiting")]), BANDS, TEXT, weeks=18) == ()


def test_therapists_needed_are_a_fan_against_those_in_post(frame, figures):
    for svg in staff(figures, TEXT):
        assert {"In post", "Needed to keep pace with demand", "4 in 5 range of the need"} <= set(words(svg))
    assert staff(Figures(frame[frame["measure"].ne("wte_needed")]), TEXT) == ()
    without = words(staff(Figures(frame[frame["measure"].ne("wte_in_post")]), TEXT)[0])
    assert "In post" not in without


def test_options_are_lines_with_names_of_their_own(frame):
    options = [("As it is", Figures(frame)), ("Two more", Figures(frame, "more_staff"))]
    for svg in compared(options, WITHIN, TEXT):
        assert {"As it is", "Two more", "Target", "100%"} <= set(words(svg))
    assert compared([("As it is", Figures(frame[frame["measure"].eq("capacity")]))], WITHIN, TEXT) == ()
