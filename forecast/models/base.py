"""What a forecasting model is, and the registry that finds it.

A model is one file in this folder with one frozen dataclass marked `@register`, or a member of
`forecast.engine` (`compiled.py` makes a model of each). It turns the window of an origin into point
forecasts; intervals are not its business (`forecast.intervals` measures them on errors out of sample).
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Protocol, TypeVar, runtime_checkable

import forecast.models as models_package
from forecast.errors import SpecError
from forecast.panel import FloatArray, Window


@dataclass(frozen=True)
class Capability:
    """What the runner asks a model before it fits.

    Attributes
    ----------
    min_history : int
        Observations a series needs.
    min_cycles : int
        Whole seasons a seasonal series needs besides.
    handles_missing : bool
        False: interior gaps are interpolated before the model sees them.
    batch : bool
        True: answers all rows of a window in one call, missing figures included. False: called one series at
        a time.
    pooled : bool
        True: a row's answer may use the other rows of its pool.
    slow : bool
        True: milliseconds to seconds a series; not a default member of `auto`.
    uses_regressors : bool
        True: uses the columns of `Window.known`.
    """

    min_history: int
    min_cycles: int = 0
    handles_missing: bool = False
    batch: bool = False
    pooled: bool = False
    slow: bool = False
    uses_regressors: bool = False

    def needed(self, period: int) -> int:
        """Observations a series of this season length needs."""
        seasonal = self.min_cycles * period if period > 1 else 0
        return max(self.min_history, seasonal)


@runtime_checkable
class Model(Protocol):
    """A forecasting model: a name, its capability, and `forecast`."""

    @property
    def name(self) -> str:
        """What it is called in the registry, ledgers and scores."""
        ...

    @property
    def capability(self) -> Capability:
        """What the runner asks before it fits."""
        ...

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Fit on the window and return points of shape (n, horizon), in the units of its values."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A model that can say how it came to its points; it is asked this instead of `forecast`."""

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points of shape (n, horizon) and a text a row for the ledger, "" for none."""
        ...


M = TypeVar("M", bound=type[Model])
_REGISTRY: dict[str, Model] = {}


def register(model: M) -> M:
    """Class decorator: make a model with its default parameters known by its name."""
    add(model())
    return model


def add(model: Model) -> None:
    """Make a model known by its name."""
    _REGISTRY[model.name] = model


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(models_package.__path__):
        importlib.import_module(f"forecast.models.{module.name}")


def names() -> tuple[str, ...]:
    """Names of all registered models, sorted."""
    _discover()
    return tuple(sorted(_REGISTRY))


def get(name: str) -> Model:
    """Return the model of that name with its default parameters.

    Raises
    ------
    SpecError
        Unknown name; the message lists the known ones.
    """
    _discover()
    if name not in _REGISTRY:
        near = get_close_matches(name, _REGISTRY, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SpecError(f"model {name!r}: not known{hint}; the known ones are {', '.join(names())}. Name one of them.")
    return _REGISTRY[name]
