"""Why a model answered for a series, in plain English: from the reason that the ledger keeps."""

from __future__ import annotations

import re

from forecast.publish.words import METHODS, listed, model_name, period_word

SHARES = r"\w+ \d+(?:\.\d+)?(?:, \w+ \d+(?:\.\d+)?)*"
MANY = re.compile(r"(\d+) members, the most (\w+) (\d+(?:\.\d+)?)")
EVIDENCE = re.compile(r"weights from (\d+) past origins?( and the prior)?")
LATER = re.compile(rf"at the last horizon ({SHARES})")
FRACTIONS = {
    "a quarter": 1 / 4,
    "a third": 1 / 3,
    "half": 1 / 2,
    "two thirds": 2 / 3,
    "three quarters": 3 / 4,
}
AS_NEAR = 0.015
PRIOR = "a starting assumption that is the same for every area"


def choice(model: str, reason: str, *, freq: str) -> str:
    """Say which model answered and why.

    Parameters
    ----------
    model : str
        Of the ledger.
    reason : str
        Of the ledger: parts between semicolons, of which one may give the weights of a combination and
        another where they come from. A part that is not known is given as it is.
    freq : str

    Returns
    -------
    str

    Examples
    --------
    >>> choice("auto", "area_growth 1.00; weights from 6 past origins", freq="YS")
    "National path with the area's own deviation (area_growth), chosen by past errors (forecasts from 6 past years)."
    >>> choice("auto", "naive 0.50, ets 0.50; equal weights", freq="MS")
    'A combination: half from the last figure (naive) and half from exponential smoothing (ets), weighted equally.'
    >>> choice("auto", "12 members, the most ar_mean 0.11; equal weights", freq="QS")
    'A combination of 12 methods, the most (11%) from an autoregression around the mean (ar_mean), weighted equally.'
    >>> choice("drift", "", freq="YS")
    'Simple rule: the average past change goes on (drift).'
    """
    parts = _parts(reason)
    mixed = [part for part in parts if re.fullmatch(SHARES, part)]
    name = model_name(model, freq)
    verb = "weighted"
    if parts and (many := MANY.fullmatch(parts[0])):
        mixed = [parts.pop(0)]
        most = f"the most ({float(many[3]):.0%}) from {_method(many[2])}"
        name = f"A combination of {many[1]} methods, {most}"
    elif mixed:
        parts.remove(mixed[0])
        shares = _shares(mixed[0])
        single = len(shares) == 1
        name = model_name(next(iter(shares)), freq) if single else f"A combination: {_told(shares)}"
        verb = "chosen" if single else "weighted"
    said, unknown = [name], list[str]()
    for part in parts:
        plain = _evidence(part, verb, freq) if mixed else ""
        (said if plain else unknown).append(plain or part)
    sentence = f"{', '.join(said)}."
    return f"{sentence} Why: {'; '.join(unknown)}." if unknown else sentence


def members(reason: str) -> frozenset[str]:
    """Return the methods that a reason of the ledger gives a weight, or how many when they are not all named.

    >>> sorted(members("naive 0.50, ets 0.50; weights from 7 past origins")), members("failed: no fit")
    (['ets', 'naive'], frozenset())
    """
    mixed = [part for part in _parts(reason) if re.fullmatch(SHARES, part)]
    many = [f"{found[1]} members" for part in _parts(reason) if (found := MANY.fullmatch(part))]
    return frozenset(_shares(mixed[0])) if mixed else frozenset(many)


def _parts(reason: str) -> list[str]:
    return [part for part in (part.strip().rstrip(".") for part in reason.split(";")) if part]


def _evidence(part: str, verb: str, freq: str) -> str:
    """Say where weights come from; "" for a part that is not about that."""
    if part == "equal weights":
        return "weighted equally"
    if part == "weights from the prior":
        return f"{verb} by {PRIOR}, because no past forecast can be checked yet"
    if found := EVIDENCE.fullmatch(part):
        number = int(found[1])
        prior = f" and {PRIOR}" if found[2] else ""
        return f"{verb} by past errors (forecasts from {number} past {period_word(freq, number)}){prior}"
    if found := LATER.fullmatch(part):
        return f"at the end of the projection {_told(_shares(found[1]))}"
    return ""


def _shares(text: str) -> dict[str, float]:
    pairs = (part.rsplit(" ", 1) for part in text.split(", "))
    return {name: share for name, share in ((name, float(number)) for name, number in pairs) if share > 0}


def _told(shares: dict[str, float]) -> str:
    if len(shares) == 1:
        return f"all from {_method(next(iter(shares)))}"
    return listed([f"{_fraction(share)} from {_method(name)}" for name, share in shares.items()])


def _method(name: str) -> str:
    return f"{METHODS[name]} ({name})" if name in METHODS else name


def _fraction(share: float) -> str:
    near = [words for words, value in FRACTIONS.items() if abs(share - value) <= AS_NEAR]
    return near[0] if near else f"{share:.0%}"
