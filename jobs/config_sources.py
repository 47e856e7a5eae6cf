"""The blocks under `data` of a config: which source to read, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from jobs.config_fields import DataPath, DateFormat, Encoding, MaxGap, Measure, OneOrMany, TablePath, Words


class Spec(BaseModel):
    """Base of the blocks of a config: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Series(Spec):
    """Base of the sources."""

    max_gap: MaxGap = 2
    """Missing periods in a row that are filled; a longer run refuses a table and cuts published history before it."""


class Sen2Release(Series):
    """DfE's release "Education, health and care plans" (SEN2)."""

    source: Literal["sen2_release"]
    path: DataPath
    """`bundled`, or the folder or zip of a release as downloaded, relative to the config file."""


class NhsWaitingList(Series):
    """NHS England's monthly workbooks of community waiting lists: speech and language, children."""

    source: Literal["nhs_waiting_list"]
    path: OneOrMany[DataPath]
    """`bundled`, a folder of workbooks, or a list of workbooks, relative to the config file."""


class Columns(Spec):
    """The column names of a table."""

    ds: Words
    """Column of the date (any day of the period)."""
    y: Words
    """Column of the count."""
    area: Words | None = None
    """Column of the area code or name; without it the table is one series."""
    area_name: Words | None = None
    """Column of the area name, when `area` is a code."""


class Table(Series):
    """A council's own counts: csv, xlsx or parquet."""

    source: Literal["table"]
    path: TablePath
    """The file, relative to the config file."""
    measure: Measure
    """What is counted, such as slt_referrals."""
    freq: Literal["YS", "QS", "MS", "W-MON"]
    """Period of a row: year, quarter, month, or week from Monday."""
    columns: Columns
    date_format: OneOrMany[DateFormat] | None = None
    """How text dates are written, such as %d/%m/%Y; a list is tried in order; ISO when left out."""
    sheet: Words | None = None
    """Sheet of a workbook; the first when left out."""
    encoding: Encoding | None = None
    """Encoding of a csv; UTF-8 when left out."""
    provenance: Literal["local", "published", "synthetic"] = "local"
    """Local data is not published without disclosure control; synthetic data is labelled."""
    title: Words | None = None
    """What the page calls the data; the name of the file when left out. Needed when published."""
    publisher: Words | None = None
    """Who publishes the data. Needed when published."""
    licence: Words | None = None
    """On what terms, such as Open Government Licence v3.0. Needed when published."""
    available_after_days: Annotated[int, Field(ge=0, le=3660)] = 0
    """Days from the end of a period until its figure was known."""


class LogColumns(Spec):
    """The column names of a referral log."""

    month: Words
    """Column of the month (any day of it)."""
    referrals: Words
    """Column of the count."""
    locality: Words | None = None
    """Column of the locality; without it all are counted together, as without the others below."""
    age_band: Words | None = None
    """Column of the age band, such as 5-10."""
    source: Words | None = None
    """Column of who referred."""
    tier: Words | None = None
    """Column of the tier, such as specialist."""


class SltReferrals(Spec):
    """A service's referrals to speech and language therapy by month, as counts: csv, xlsx or parquet."""

    source: Literal["slt_referrals"]
    path: DataPath
    """`bundled`, which is synthetic, or the file, relative to the config file."""
    columns: LogColumns | None = None
    """When left out: month, locality, age_band, source, tier, referrals, those that are there."""
    date_format: OneOrMany[DateFormat] | None = None
    """How text dates are written, such as %d/%m/%Y; a list is tried in order; ISO when left out."""
    sheet: Words | None = None
    """Sheet of a workbook; the first when left out."""
    encoding: Encoding | None = None
    """Encoding of a csv; UTF-8 when left out."""
    provenance: Literal["local", "published", "synthetic"] | None = None
    """Local when left out: not published without disclosure control. Synthetic data is labelled, as the bundled is."""
    title: Words | None = None
    """What the page calls the data; the name of the file when left out. Needed when published."""
    publisher: Words | None = None
    """Who publishes the data. Needed when published."""
    licence: Words | None = None
    """On what terms, such as Open Government Licence v3.0. Needed when published."""
    available_after_days: Annotated[int, Field(ge=0, le=3660)] = 0
    """Days from the end of a month until its figures were known."""


SOURCES: dict[str, type[Spec]] = {
    "sen2_release": Sen2Release,
    "nhs_waiting_list": NhsWaitingList,
    "table": Table,
    "slt_referrals": SltReferrals,
}
COLUMNS: dict[str, type[Spec]] = {"table": Columns, "slt_referrals": LogColumns}
SeriesSource = Sen2Release | NhsWaitingList | Table
Source = Annotated[Sen2Release | NhsWaitingList | Table | SltReferrals, Field(discriminator="source")]
