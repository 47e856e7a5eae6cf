"""Published waiting lists of many providers, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import InputError
from forecast.panel import FloatArray
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.proxy import BANDS, TOTAL

NHS = WaitBands()
TARGET = int(np.searchsorted(NHS.starts, 18))  # first band over 18 weeks


@dataclass(frozen=True, eq=False, kw_only=True)
class ListPanel:
    """Published lists of several organisations at the end of each month.

    n organisations, N months, B bands.

    Attributes
    ----------
    ids : tuple of str
        Codes.
    months : DatetimeIndex (N,)
        First days, without a hole.
    total : ndarray (n, N)
        Children waiting; NaN where not known.
    bands : ndarray (n, N, B)
        By wait band, which sum to the total; NaN where not known.
    """

    ids: tuple[str, ...]
    months: pd.DatetimeIndex
    total: FloatArray
    bands: FloatArray

    def until(self, n_months: int) -> ListPanel:
        """Return the first months alone."""
        kept = slice(n_months)
        return replace(self, months=self.months[kept], total=self.total[:, kept], bands=self.bands[:, kept])

    def take(self, rows: npt.NDArray[np.bool_]) -> ListPanel:
        """Return some of the organisations."""
        ids = tuple(name for name, kept in zip(self.ids, rows, strict=True) if kept)
        return replace(self, ids=ids, total=self.total[rows], bands=self.bands[rows])

    @property
    def share(self) -> FloatArray:
        """Per cent who have waited 18 weeks or more (n, N); NaN where not known or nobody waits."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share: FloatArray = 100 * self.bands[:, :, TARGET:].sum(axis=2) / self.bands.sum(axis=2)
        return share


def list_panel(observations: pd.DataFrame, *, level: str = "provider") -> ListPanel:
    """Lay published lists out side by side.

    Parameters
    ----------
    observations : DataFrame
        Of `forecast.sources.nhs_waiting_list.read` or `forecast.reference.slt_waiting`; the latest vintage counts.
    level : {"provider", "icb", "nhs_region", "national"}

    Returns
    -------
    ListPanel
        Organisations with a total in some month; bands scaled to it, NaN where all of them are zero beside one.

    Raises
    ------
    InputError
        No list of that level.
    """
    rows = observations[observations["geographic_level"].eq(level) & observations["measure"].isin([TOTAL, *BANDS])]
    latest = rows.sort_values("available", kind="stable").drop_duplicates(["measure", "area_code", "ds"], keep="last")
    wide = latest.pivot_table(index="area_code", columns=["measure", "ds"], values="y").sort_index()
    if wide.empty or TOTAL not in wide.columns.get_level_values(0):
        raise InputError(
            f"published waiting lists: none of level {level!r}. Use provider, icb, nhs_region or national."
        )
    found = wide[TOTAL].columns
    months = pd.date_range(found.min(), found.max(), freq="MS").as_unit("ns")
    full = wide.reindex(columns=pd.MultiIndex.from_product([[TOTAL, *BANDS], months]))
    values = full.to_numpy(dtype=np.float64).reshape(len(full), 1 + len(BANDS), len(months))
    values, ids = values[some := np.isfinite(values[:, 0]).any(axis=1)], full.index[some]
    total, bands = values[:, 0], np.moveaxis(values[:, 1:], 1, 2)
    sums = bands.sum(axis=2)
    scale = np.divide(total, sums, out=np.where(total == 0, 1.0, np.nan), where=sums > 0)
    return ListPanel(ids=tuple(ids), months=months, total=total, bands=bands * scale[:, :, None])
