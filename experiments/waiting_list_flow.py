"""How far the simulated list is off on published lists, by how much of a list's growth is taken to go on.

For each provider whose list balances, from each month at which four are known: capacity and referrals are fitted to the
months up to it (referrals are the published proxy), and the list is run on with them, once, without any spread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.clinics import Booking, Clinics
from forecast.speech_language.fit import GROWS_ON, ListFit, fit_list
from forecast.speech_language.list_panel import list_panel
from forecast.speech_language.norms import weekly
from forecast.speech_language.proxy import BandHistory, band_history
from forecast.speech_language.waiting_list import run_list
from forecast.speech_language.weeks import MonthWeeks

SHARES = (0.0, GROWS_ON, 0.5, 1.0)
FIRST = 4
AHEAD = 4
LEAVING = weekly(np.full(WaitBands().n, 0.01))
NONE = np.zeros(WaitBands().n)


def simulated(observations: pd.DataFrame) -> list[list[str]]:
    """Return a table of WAPE in per cent, the mean over origins: rows shares of growth and naive, columns months ahead.

    Parameters
    ----------
    observations : DataFrame
        Published lists; providers with one in every month are taken.
    """
    panel = list_panel(observations)
    codes = panel.take(np.asarray(np.isfinite(panel.total).all(axis=1))).ids
    cells = pd.DataFrame(
        [row for code in codes for row in _cells(band_history(observations, code))],
        columns=["method", "origin", "horizon", "error", "actual"],
    )
    sums = cells.groupby(["method", "origin", "horizon"])[["error", "actual"]].sum()
    wape = (100 * sums["error"] / sums["actual"]).groupby(["method", "horizon"]).mean()
    origins = cells.groupby("horizon")["origin"].nunique()
    horizons = range(1, AHEAD + 1)
    rows = [["simulated list, WAPE %", *(f"+{horizon}" for horizon in horizons)]]
    names = [*(_named(share) for share in SHARES), "naive"]
    rows += [[name, *(f"{wape[name, horizon]:.1f}" for horizon in horizons)] for name in names]
    return [*rows, ["origins", *(str(origins[horizon]) for horizon in horizons)]]


def _cells(history: BandHistory) -> Iterator[tuple[str, int, int, float, float]]:
    """Errors of one provider: method, months known, months ahead, absolute error, outturn."""
    for known in range(FIRST, len(history.months)):
        try:
            fit = fit_list(
                _until(history, known),
                referrals=None,
                reneging=LEAVING,
                removal=NONE,
                bands=WaitBands(),
                booking=Booking(),
            )
        except InputError:
            continue
        months = history.months[known : known + AHEAD]
        outturn = history.total[known : known + AHEAD]
        for share in SHARES:
            run = _run(fit, share, months)
            for ahead, (made, actual) in enumerate(zip(run, outturn, strict=True), start=1):
                yield _named(share), known, ahead, abs(made - actual), actual
        for ahead, actual in enumerate(outturn, start=1):
            yield "naive", known, ahead, abs(history.total[known - 1] - actual), actual


def _run(fit: ListFit, share: float, months: pd.DatetimeIndex) -> np.ndarray:
    """Run a list on with a share of its growth, and return its size at the end of each month."""
    calendar = MonthWeeks.of(months)
    growth = (fit.capacity - fit.observed) / (1 - GROWS_ON)
    capacity = max(fit.observed + (1 - share) * growth, 0.0)
    run = run_list(
        Clinics(of_cell=np.zeros(1, dtype=np.int64), reneging=LEAVING, removal=NONE, booking=fit.booking),
        opening=fit.opening[None],
        referrals=(fit.referrals * calendar.in_month)[None, :, None],
        weeks=calendar.weeks,
        capacity=(capacity * calendar.profile)[None],
        groups=np.ones((1, 1), dtype=np.bool_),
    )
    return np.asarray(run.size[0, :, 0])


def _until(history: BandHistory, known: int) -> BandHistory:
    kept = slice(known)
    return replace(
        history,
        months=history.months[kept],
        bands=history.bands[kept],
        total=history.total[kept],
        available=history.available[kept],
    )


def _named(share: float) -> str:
    return f"{100 * share:.0f} % of its growth goes on"
