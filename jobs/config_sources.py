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


SOURCES: dict[str, type[Spec]] = {"sen2_release": Sen2Release, "nhs_waiting_list": NhsWaitingList, "table": Table}
Source = Annotated[Sen2Release | NhsWaitingList | Table, Field(discriminator="source")]
