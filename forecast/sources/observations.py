"""The table every source returns, and the way from it to a `Panel`.

An observation is one published or local figure, or one vintage of it: a figure that a later release changed
is two rows, each with the day it became available. It keeps why it is missing or must not be used
(`reason`), what a reader should know about it (`note`), and the day it became available, so that a
forecast made as of an earlier day never sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.panel import Panel

OBSERVATION_COLUMNS = (
    "measure",
    "geographic_level",
    "area_code",
    "area_name",
    "region_code",
    "ds",
    "y",
    "reason",
    "note",
    "available",
    "provenance",
    "source",
)
FIGURE = ["measure", "area_code", "ds"]
# Levels whose figures add up those of others, the finest first.
AGGREGATES = ("icb", "region", "nhs_region", "national")
PROVENANCES = ("published", "synthetic", "local")


@dataclass(frozen=True)
class SourceNote:
    """Where figures come from and on what terms.

    Attributes
    ----------
    id : str
        Short name that observations carry in `source`.
    title, publisher, licence : str
        As the publisher states them.
    released : str
        ISO date of the release, only its year when the files say no more, or "" when they say nothing.
    provenance : {"published", "synthetic", "local"}
        Decides what may be published and how it is labelled.
    digest : str
        SHA-256 over the files that were read.
    """

    id: str
    title: str
    publisher: str
    licence: str
    released: str
    provenance: str
    digest: str


@dataclass(frozen=True)
class Reading:
    """What a source returned: observations, the notes of their sources, and warnings for the manifest."""

    observations: pd.DataFrame
    sources: tuple[SourceNote, ...]
    warnings: tuple[str, ...] = ()


def checked(observations: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Return observations with the standard columns in order and dates in nanoseconds, or refuse duplicates.

    Parameters
    ----------
    observations : DataFrame
        At least `OBSERVATION_COLUMNS`.
    where : str
        File or folder named in the error.

    Raises
    ------
    InputError
        If two rows give the same measure, area and date, and became available on the same day.
    """
    frame = observations[list(OBSERVATION_COLUMNS)].astype({"ds": "datetime64[ns]", "available": "datetime64[ns]"})
    key = [*FIGURE, "available"]
    repeated = frame[frame.duplicated(key, keep=False)]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"{where}: {len(repeated)} rows repeat a figure, first {first['measure']}/{first['area_code']} at "
            f"{first['ds']:%Y-%m-%d}; one row a measure, area and date is allowed. Remove or add up the repeats."
        )
    return frame.sort_values(key).reset_index(drop=True)


def visible(observations: pd.DataFrame, as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Keep what was known on a day, and of each figure its latest vintage then: no look-ahead.

    Parameters
    ----------
    observations : DataFrame
    as_of : Timestamp or ISO date

    Returns
    -------
    DataFrame
        One row a measure, area and date.
    """
    return latest(observations[observations["available"] <= pd.Timestamp(as_of)])


def latest(observations: pd.DataFrame) -> pd.DataFrame:
    """Keep the latest vintage of each figure, in the order given."""
    if observations.duplicated(FIGURE).any():
        newest = observations.groupby(FIGURE)["available"].transform("max")
        observations = observations[observations["available"].eq(newest)]
    return observations.reset_index(drop=True)


def usable(observations: pd.DataFrame) -> pd.Series:
    """Return `y` where it may be used and NaN where a reason forbids it; `low` and `k` round to zero."""
    reason = observations["reason"]
    y = observations["y"].where(reason.eq(""))
    return y.mask(reason.isin(["low", "k"]), 0.0)


def panel_of(observations: pd.DataFrame, *, freq: str, groups: Sequence[str] = ("measure",)) -> Panel:
    """Make a panel of one geographic level from observations.

    Parameters
    ----------
    observations : DataFrame
        Rows of one geographic level: bottom areas and published aggregates never share a panel. Of a figure
        with several vintages the latest is taken; `visible` cuts them at a day.
    freq : {"YS", "QS", "MS", "W-MON"}
        Period of the figures.
    groups : sequence of str, default ("measure",)
        Key columns to pool over.

    Returns
    -------
    Panel
        `unique_id` is `<measure>/<area_code>`; keys are measure, area_code and region_code. Series with
        no usable figure are kept out.
    """
    observations = latest(observations)
    levels = observations["geographic_level"].unique()
    if len(levels) > 1:
        raise InputError(
            f"observations: levels {sorted(levels)} in one panel; areas and their aggregates would be counted "
            "twice. Make one panel a geographic_level."
        )
    frame = pd.DataFrame(
        {
            "unique_id": observations["measure"] + "/" + observations["area_code"],
            "ds": observations["ds"],
            "y": usable(observations),
            "measure": observations["measure"],
            "area_code": observations["area_code"],
            "region_code": observations["region_code"],
        }
    )
    known = frame.groupby("unique_id")["y"].transform("count") > 0
    return Panel.from_frame(frame[known], freq=freq, groups=list(groups))


def digest_files(paths: Iterable[Path]) -> str:
    """SHA-256 over file names and contents, in name order."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        total.update(path.name.encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
