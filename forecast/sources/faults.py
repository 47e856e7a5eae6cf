"""Going on after a fault, so that all of them are told at once: one error, with the others as its notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from forecast.errors import SendForecastError

MOST = 20


class Faults:
    """Faults in the order they were found.

    Examples
    --------
    >>> faults = Faults()
    >>> for text in ("line 2 is wrong", "line 3 is wrong"):
    ...     with faults.kept():
    ...         raise SendForecastError(text)
    >>> try:
    ...     faults.refuse()
    ... except SendForecastError as error:
    ...     [str(each) for each in faults_of(error)]
    ['line 2 is wrong', 'line 3 is wrong']
    """

    def __init__(self) -> None:
        self._found: list[SendForecastError] = []

    def add(self, more: Iterable[SendForecastError]) -> None:
        """Keep faults that were found, not raised."""
        self._found += more

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the fault that is raised inside, and go on after the block."""
        try:
            yield
        except SendForecastError as error:
            self._found.append(error)

    def refuse(self) -> None:
        """Raise the first fault, if any; the others, up to twenty in all, are its notes."""
        if not self._found:
            return
        first = self._found[0]
        for other in self._found[1:MOST]:
            first.add_note(str(other))
        if len(self._found) > MOST:
            first.add_note(f"and {len(self._found) - MOST} more faults of this kind. Correct these first.")
        raise first


def faults_of(error: SendForecastError) -> list[SendForecastError]:
    """List an error and those that `Faults` noted on it, one line each."""
    return [error, *(type(error)(note) for note in getattr(error, "__notes__", ()))]
