"""What lies open when a projection starts: requests undecided, assessments in progress, refusals under appeal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.ehc.figures import Figures
from forecast.ehc.flow import decided_before, shares_of
from forecast.ehc.lags import Lags
from forecast.ehc.rates import StageRates, request_mix
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks
from forecast.panel import FloatArray

HIGHEST_TILT = 64.0


@dataclass(frozen=True, eq=False)
class Opening:
    """Cases open at the start.

    Attributes
    ----------
    undecided, assessing, appeals : ndarray (ages,)
        Requests without a decision; assessments agreed and not completed; refusals that will be overturned.
    undecided_weeks, assessing_weeks : ndarray (EARLIER_WEEKS,)
        Shares by the week of the request, oldest first.
    requested, planned : float
        Requests of the year before, and plans that follow from it: for what falls due in the first weeks only.
    notes : tuple of str
    """

    undecided: FloatArray
    assessing: FloatArray
    appeals: FloatArray
    undecided_weeks: FloatArray
    assessing_weeks: FloatArray
    requested: float
    planned: float
    notes: tuple[str, ...] = ()


def opening_of(
    weeks: Weeks,
    lags: Lags,
    *,
    undecided: FloatArray,
    assessing: FloatArray,
    requested: float,
    agreed: float,
    appeals: FloatArray | None = None,
    planned: float | None = None,
    notes: tuple[str, ...] = (),
) -> Opening:
    """Spread open cases over the weeks of their requests, as long ago as the area's lags make likely.

    Parameters
    ----------
    weeks : Weeks
    lags : Lags
    undecided, assessing : ndarray (ages,)
    requested, agreed : float
        Requests, and assessments agreed, in the year before.
    appeals : ndarray (ages,), optional
        Default none.
    planned : float, optional
        Plans that follow from that year; default as many as were agreed.
    notes : tuple of str
    """
    decided, waiting = _by_week(lags)
    most = agreed * weeks.earlier * decided if agreed else weeks.earlier * decided
    return Opening(
        undecided=undecided,
        assessing=assessing,
        appeals=np.zeros_like(undecided) if appeals is None else appeals,
        undecided_weeks=shares_of(weeks.earlier * (1 - decided), 1 - decided),
        assessing_weeks=_tilted(most, waiting, float(assessing.sum())),
        requested=requested,
        planned=agreed if planned is None else planned,
        notes=notes,
    )


def fitted_opening(figures: Figures, code: str, *, weeks: Weeks, rates: StageRates, lags: Lags) -> Opening:
    """Say what an area has open at the end of its latest published year.

    Assessments in progress were last published for 2021; since then they grow by those agreed and shrink by those
    completed, and are never fewer than the process itself holds.

    Parameters
    ----------
    figures : Figures
    code : str
        Of the area.
    weeks : Weeks
        From the year after the latest flows on.
    rates, lags : StageRates, Lags
        Of the area.
    """
    notes: list[str] = []
    requested = figures.last("requests", code)
    if np.isnan(requested):
        requested = 0.0
        notes.append("The area has no usable number of requests: nothing is taken to be open at the start.")
    mix = request_mix(figures, code)
    decided, waiting = _by_week(lags)
    undecided = float(figures.line("requests_undecided", code).get(figures.last_flow, np.nan))
    if np.isnan(undecided):
        undecided = requested * float((weeks.earlier * (1 - decided)).sum())
        notes.append(f"Requests without a decision: {undecided:,.0f}, what the area's lags make likely.")
    agreed_mix = mix * (1 - rates.refusal - rates.withdrawal)
    agreed = requested * float(agreed_mix.sum())
    held = agreed * weeks.earlier * decided
    expected = float((held * waiting).sum())
    least = agreed * float((weeks.earlier * _in_process(lags)).sum())
    rolled = _rolled(figures, code, undecided, requested, float(mix @ rates.withdrawal))
    assessing = min(max(rolled, least), float(held.sum())) if np.isfinite(rolled) else expected
    notes.append(_said(assessing, rolled, least, figures.last_flow))
    return opening_of(
        weeks,
        lags,
        undecided=undecided * mix,
        assessing=assessing * agreed_mix / agreed_mix.sum(),
        requested=requested,
        agreed=agreed,
        appeals=requested * mix * rates.refusal * rates.overturned * float(decided_before(weeks, lags).sum()),
        planned=requested * float(agreed_mix @ (1 - rates.no_plan)),
        notes=tuple(notes),
    )


def _said(assessing: float, rolled: float, least: float, year: int) -> str:
    said = f"Assessments agreed and not completed at the end of {year}: {assessing:,.0f}, modelled from "
    if np.isnan(rolled):
        return said + "the area's lags, as its figures do not say."
    if rolled < least:
        return said + f"what the process itself holds, as agreed less completed leaves {rolled:,.0f}."
    return said + "the last published number, those agreed and those completed since."


def _rolled(figures: Figures, code: str, undecided: float, requested: float, withdrawal: float) -> float:
    """Assessments in progress: the last published number, and what was agreed and completed since."""
    line = figures.line("assessments_undecided", code)
    if line.empty or not requested:
        return np.nan
    year, in_progress = int(line.index[-1]), float(line.iloc[-1])
    since = list(range(year + 1, figures.last_flow + 1))

    def flows(measure: str) -> FloatArray:
        return figures.line(measure, code).reindex(since).to_numpy(dtype=np.float64)

    requests, refused, completed = (flows(m) for m in ("requests", "requests_refused", "assessments_completed"))
    withdrawn = flows("requests_withdrawn")
    withdrawn = np.where(np.isfinite(withdrawn), withdrawn, requests * withdrawal)
    asked_then = float(figures.line("requests", code).get(year, np.nan))
    growth = undecided * (1 - asked_then / requested) if since else 0.0
    return float(in_progress + (requests - refused - withdrawn - completed).sum() - growth)


def _by_week(lags: Lags) -> tuple[FloatArray, FloatArray]:
    """Chance, by week of the request (EARLIER_WEEKS,), oldest first, of a decision by now, and then of no plan yet."""
    decision, _, issue, chance = lags.ranked()
    ago = np.arange(EARLIER_WEEKS, 0, -1)[:, None]
    decided = ((decision < ago) * chance).sum(axis=1)
    waiting = ((decision < ago) * (issue >= ago) * chance).sum(axis=1)
    still: FloatArray = waiting / np.maximum(decided, 1e-300)
    return decided, still


def _in_process(lags: Lags) -> FloatArray:
    """Chance, by week of the request, of being decided and not yet through an unhindered process."""
    decision, ready, _, chance = lags.ranked()
    ago = np.arange(EARLIER_WEEKS, 0, -1)[:, None]
    held: FloatArray = ((decision < ago) * (ready >= ago) * chance).sum(axis=1)
    return held


def _tilted(most: FloatArray, waiting: FloatArray, total: float) -> FloatArray:
    """Shares by week: the chance still to be waiting, raised to the power at which the cases agreed give the total."""
    low, high = 0.0, HIGHEST_TILT
    for _ in range(60):
        power = (low + high) / 2
        low, high = (power, high) if (most * (waiting > 0) * waiting**power).sum() > total else (low, power)
    return shares_of(most * (waiting > 0) * waiting ** ((low + high) / 2), waiting)
