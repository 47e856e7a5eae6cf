"""What lies open when a projection starts: requests undecided, assessments in progress, refusals under appeal."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecast.ehc.figures import Figures
from forecast.ehc.flow import CLEARING, decided_before, shares_of
from forecast.ehc.lags import Lags
from forecast.ehc.rates import StageRates, request_mix
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks
from forecast.panel import FloatArray

HIGHEST_TILT = 64.0
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Opening:
    """Cases open at the start.

    Attributes
    ----------
    undecided, assessing, appeals : ndarray (ages,)
        Requests without a decision; assessments agreed and not completed; refusals that will be overturned.
    undecided_weeks, assessing_weeks : ndarray (EARLIER_WEEKS,)
        Shares by the week of the request, oldest first.
    undecided_excess, assessing_excess : ndarray (EARLIER_WEEKS,)
        What of these shares is beyond what the area's lags imply for its requests of the year before: such cases are
        worked off over `flow.CLEARING` weeks.
    requested, planned : float
        Requests of the year before, and plans that follow from it: for what falls due in the first weeks only.
    notes : tuple of str
    """

    undecided: FloatArray
    assessing: FloatArray
    appeals: FloatArray
    undecided_weeks: FloatArray
    assessing_weeks: FloatArray
    undecided_excess: FloatArray
    assessing_excess: FloatArray
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
    """
    decided, waiting = _by_week(lags)
    most = agreed * weeks.earlier * decided if agreed else weeks.earlier * decided
    undecided_weeks = shares_of(weeks.earlier * (1 - decided), 1 - decided)
    assessing_weeks = _tilted(most, waiting, float(assessing.sum()))
    return Opening(
        undecided=undecided,
        assessing=assessing,
        appeals=np.zeros_like(undecided) if appeals is None else appeals,
        undecided_weeks=undecided_weeks,
        assessing_weeks=assessing_weeks,
        undecided_excess=_beyond(undecided, undecided_weeks, requested * weeks.earlier * (1 - decided)),
        assessing_excess=_beyond(assessing, assessing_weeks, agreed * weeks.earlier * decided * waiting),
        requested=requested,
        planned=agreed if planned is None else planned,
    )


def fitted_opening(figures: Figures, code: str, *, weeks: Weeks, rates: StageRates, lags: Lags) -> Opening:
    """Say what an area has open at the end of its latest published year.

    Assessments in progress were last published for 2021; since then they grow by those agreed and shrink by those
    completed, and are never fewer than the process itself holds. Requests of an area without that year's move with
    England's from its latest.

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
    requested = _requested(figures, code, notes)
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
    found = opening_of(
        weeks,
        lags,
        undecided=undecided * mix,
        assessing=assessing * agreed_mix / agreed_mix.sum(),
        requested=requested,
        agreed=agreed,
        appeals=requested * mix * rates.refusal * rates.overturned * float(decided_before(weeks, lags).sum()),
        planned=requested * float(agreed_mix @ (1 - rates.no_plan)),
    )
    return replace(found, notes=(*notes, *_said_of_excess(found)))


def _requested(figures: Figures, code: str, notes: list[str]) -> float:
    """Return requests of the latest year; notes say where they are not those published."""
    line, england = figures.line("requests", code), figures.national["requests"]
    if line.empty:
        notes.append("The area has no usable number of requests: nothing is taken to be open at the start.")
        return 0.0
    year, requests = int(line.index[-1]), float(line.iloc[-1])
    if year == figures.last_flow:
        return requests
    moved = requests * float(england[figures.last_flow] / england[year])
    notes.append(
        f"Requests of {figures.last_flow}: {moved:,.0f}, the area's {requests:,.0f} of {year} moved with those of "
        "England, as it has no usable number of its own."
    )
    return moved


def _said_of_excess(opening: Opening) -> list[str]:
    pairs = (
        ("requests without a decision", "decided", opening.undecided, opening.undecided_excess),
        ("assessments in progress", "completed, without a capacity,", opening.assessing, opening.assessing_excess),
    )
    return [
        f"Of {cases.sum():,.0f} {name} at the start, {cases.sum() * excess.sum():,.0f} are more than the area's own "
        f"lags leave open: they are taken to be {done} evenly over {CLEARING // 52} years, and late."
        for name, done, cases, excess in pairs
        if cases.sum() * excess.sum() >= 0.5
    ]


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


def _beyond(cases: FloatArray, shares: FloatArray, implied: FloatArray) -> FloatArray:
    """Shares by week beyond the cases that are implied in all."""
    total = float(cases.sum())
    if total <= implied.sum() * (1 + ROUNDING):
        return np.zeros_like(shares)
    beyond = np.maximum(shares - implied / total, 0.0)
    excess: FloatArray = beyond * (1 - float(implied.sum()) / total) / beyond.sum()
    return excess


def _tilted(most: FloatArray, waiting: FloatArray, total: float) -> FloatArray:
    """Shares by week: the chance still to be waiting, raised to the power at which the cases agreed give the total."""
    low, high = 0.0, HIGHEST_TILT
    for _ in range(60):
        power = (low + high) / 2
        low, high = (power, high) if (most * (waiting > 0) * waiting**power).sum() > total else (low, power)
    return shares_of(most * (waiting > 0) * waiting ** ((low + high) / 2), waiting)
