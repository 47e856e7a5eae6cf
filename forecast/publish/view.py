"""What the page shows, in words and rows: the template adds only markup."""

from __future__ import annotations

from dataclasses import dataclass

RANGE_BELOW = "\n"


@dataclass(frozen=True)
class Row:
    """A row of a table: its heading and its cells, as text; what follows `RANGE_BELOW` in a cell is the range."""

    head: str
    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True)
class Group:
    """Rows under a heading of their own; an empty title means no heading."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table with a caption and a heading for every column; the first column heads the rows."""

    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    words: bool = False


def table(caption: str, columns: tuple[str, ...], rows: tuple[Row, ...], *, words: bool = False) -> Table:
    """Return a table of one group; `words` says that the cells are text, not numbers."""
    return Table(caption, columns, (Group("", rows),), words)


@dataclass(frozen=True)
class Block:
    """One area and measure.

    Attributes
    ----------
    area, headline : str
    sure : str
        How sure the headline is, in a sentence; "" if unknown.
    remarks : tuple of str
        Breaks in the series, notes of the publisher, short history.
    charts : tuple of str
        SVG: one for wide and one for narrow screens, or one for both; empty if there is nothing to draw.
    figures : Table or None
    earlier : Table or None
        The older part of a long history, which `figures` then leaves out.
    chance_title, chance_note : str
    chance : Table or None
        Chance of more than the threshold, by period.
    """

    area: str
    headline: str
    sure: str
    remarks: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    figures: Table | None = None
    earlier: Table | None = None
    chance_title: str = ""
    chance_note: str = ""
    chance: Table | None = None


@dataclass(frozen=True)
class Accuracy:
    """How past forecasts did: sentences, then tables."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Section:
    """One measure of one target: the first area in full, the others as cards or rows."""

    anchor: str
    title: str
    synthetic: bool
    lead: Block
    accuracy: Accuracy
    cards: tuple[Block, ...]
    all_areas: Table | None


@dataclass(frozen=True)
class Part:
    """A question a planner asks, answered: sentences, then charts, then tables, then tables to open.

    Attributes
    ----------
    title : str
    sentences : tuple of str
    remarks : tuple of str
        What to know about the figures.
    charts : tuple of str
        SVG, each drawn for wide and for narrow screens.
    tables, folded : tuple of Table
    """

    title: str
    sentences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    charts: tuple[tuple[str, ...], ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What changed since the last release: sentences, then tables to open."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A name and what it is: a line of the summary or of a list of details."""

    name: str
    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Planning:
    """A section that answers a planner's questions about one area: from request to plan, or speech and language.

    Attributes
    ----------
    anchor, title, area : str
    synthetic : bool
        Whether figures in it were made up.
    headline : str
    sentences : tuple of str
    parts : tuple of Part
    glance_title : str
        Heading of what is to be read off at once; "" for nothing.
    glance : tuple of Fact
    """

    anchor: str
    title: str
    area: str
    synthetic: bool
    headline: str
    sentences: tuple[str, ...]
    parts: tuple[Part, ...]
    glance_title: str = ""
    glance: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    facts: tuple[Fact, ...]
    synthetic: bool
    alerts: tuple[str, ...]
    summary: tuple[Fact, ...]
    sections: tuple[Section, ...]
    planning: tuple[Planning, ...]
    planning_areas: Part | None
    speech_language: Planning | None
    changes: Changes
    method: tuple[Fact, ...]
    sources: Table
    licences: tuple[str, ...]
    unusable: tuple[str, ...]
    warnings: tuple[str, ...]
    versions: tuple[Fact, ...]
