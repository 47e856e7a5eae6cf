"""Forecasting models: one file each, found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.models.base import Model

__all__ = ["get", "names"]


def names() -> tuple[str, ...]:
    """Names of all registered models, sorted; `auto`, the combination of them, is not one of them."""
    from forecast.models import base

    return base.names()


def get(name: str) -> Model:
    """Return the model of that name with its default parameters; unknown names raise SpecError."""
    from forecast.models import base

    return base.get(name)
