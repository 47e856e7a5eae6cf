"""The page's section "Speech and language: demand, waits and therapists": what a planner asks, in that order."""

from __future__ import annotations

from forecast.publish.run import RunRecord
from forecast.publish.speech_language.accuracy import past_errors
from forecast.publish.speech_language.answers import answers
from forecast.publish.speech_language.assumed import assumed, notes
from forecast.publish.speech_language.demand import demand, expected
from forecast.publish.speech_language.lines import periods_of
from forecast.publish.speech_language.options import glance, met_as_now, options
from forecast.publish.speech_language.run import Figures, SpeechLanguageRun
from forecast.publish.speech_language.waits import afterwards, waits
from forecast.publish.speech_language.words import goal_name, kind, month, ranged, tag, told
from forecast.publish.speech_language.workforce import short_of, therapists, today
from forecast.publish.tables import chosen_forecasts
from forecast.publish.view import Planning

TITLE = "Speech and language: demand, waits and therapists"
ANCHOR = "speech-and-language"
LIST = "slt_waiting"


def speech_language(run: RunRecord) -> Planning | None:
    """Return the section; None if the run has none."""
    slt = run.speech_language
    if slt is None:
        return None
    figures = Figures(slt.table)
    periods = periods_of(slt, figures)
    by_option = [Figures(slt.table, str(option["name"])) for option in slt.options]
    parts = (
        options(slt, by_option, chart_id=ANCHOR),
        answers(slt),
        demand(slt, figures, periods, chart_id=ANCHOR),
        waits(slt, figures, periods, chart_id=ANCHOR),
        afterwards(slt, figures, periods),
        therapists(slt, figures, periods, chart_id=ANCHOR),
        past_errors(),
        assumed(slt),
        notes(slt),
    )
    lead = (expected(slt, figures, periods), short_of(slt, figures), today(slt, figures), met_as_now(slt))
    return Planning(
        anchor=ANCHOR,
        title=TITLE,
        area=slt.provider.name,
        synthetic=slt.synthetic,
        headline=" ".join(filter(None, lead)),
        sentences=tuple(filter(None, (_known(slt), _beside(run, slt, figures)))),
        parts=tuple(part for part in parts if part is not None),
        glance_title=f"When the target is met: {goal_name(slt.goal)}",
        glance=glance(slt),
    )


def _known(slt: SpeechLanguageRun) -> str:
    """Say whose list it is and to when it is known."""
    return (
        f"The published waiting list of {slt.provider.name} is known to {month(slt.known_to)}; the projection runs "
        f"from {month(slt.first)} to {month(slt.last)}. “Likely” means 4 times in 5."
    )


def _beside(run: RunRecord, slt: SpeechLanguageRun, figures: Figures) -> str:
    """Say how the section that looks at the list alone differs, so that two figures do not surprise."""
    for target in run.targets:
        ahead = chosen_forecasts(run, target)
        chosen = ahead["area_code"].eq(slt.provider.code) & ahead["measure"].eq(LIST)
        for _, last in ahead[chosen].sort_values("ds").tail(1).iterrows():
            if figure := figures.at("waiting", last["ds"]):
                ends = {"median": last["median"], "low": last["lo-80"], "high": last["hi-80"]}
                other = ranged(ends, kind("waiting"), "children waiting")
                here = told(figure, kind("waiting"))
                return (
                    f"A section above projects the list by itself, from past lists: {other} at the end of "
                    f"{month(last['ds'])}. Here the list follows from referrals and first contacts: {here}"
                    f"{tag((figure,))}. Up to six months the section above rests on forecasts whose accuracy is "
                    "measured."
                )
    return ""
