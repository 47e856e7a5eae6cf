"""What a caller may give where a model is asked for: names, instances and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from forecast.errors import SpecError
from forecast.models import base
from forecast.models.base import Model

ModelSpec = str | Model | Sequence[str | Model]
Spec = TypeVar("Spec")


def spec_name(spec: object) -> str:
    """Name a model specification carries in ledgers and scores.

    Examples
    --------
    >>> spec_name(["drift", base.get("naive")])
    'drift+naive'
    """
    if isinstance(spec, str):
        return spec
    if isinstance(spec, (list, tuple)):
        return "+".join(spec_name(part) for part in spec)
    return str(getattr(spec, "name", None) or getattr(spec, "__name__", type(spec).__name__))


def by_name(specs: Iterable[Spec]) -> dict[str, Spec]:
    """Name each specification; refuse two of one name, whose scores could not be told apart."""
    named: dict[str, Spec] = {}
    for spec in specs:
        name = spec_name(spec)
        if name in named:
            raise SpecError(f"model {name!r}: given twice. Name it once, or give one of the two another name.")
        named[name] = spec
    return named


def members_of(name: str, spec: ModelSpec, in_auto: Sequence[str | Model]) -> dict[str, Model]:
    """Return the models a specification combines, by name; one model when it is no combination."""
    if isinstance(spec, (list, tuple)):
        if not spec:
            raise SpecError("model []: a list of models needs at least one. Name one or more of models.names().")
        return {part: _one_model(model) for part, model in by_name(spec).items()}
    if spec == "auto":
        return {part: _one_model(model) for part, model in by_name(in_auto).items()}
    return {name: _one_model(spec)}


def to_run(members: Iterable[Mapping[str, Model]], *, besides: Sequence[str]) -> dict[str, Model]:
    """Collect the models to run, registered ones `besides` among them; refuse two different ones of one name."""
    single: dict[str, Model] = {}
    for name, model in (item for parts in members for item in parts.items()):
        if single.setdefault(name, model) != model:
            raise SpecError(f"model {name!r}: two different models have this name. Give one of them another name.")
    return {name: base.get(name) for name in besides} | single


def _one_model(spec: object) -> Model:
    if isinstance(spec, str):
        return base.get(spec)
    if isinstance(spec, Model) and not isinstance(spec, type):
        return spec
    raise SpecError(f"model {spec!r}: a name, a model or a list of them is needed. Use one of models.names().")
