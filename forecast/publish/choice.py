"""Why a model answered for a series, in plain English: from the reason that the ledger keeps."""

from __future__ import annotations

import re

from forecast.publish.words import METHODS, VERY_LIKELY, listed, model_name, period_word
from forecast.seasonal_weights import FIRST_YEAR, RARE, SECOND_YEAR

SHARES = r"\w+ \d+(?:\.\d+)?(?:, \w+ \d+(?:\.\d+)?)*"
MANY = re.compile(r"(\d+) members, the most (\w+) (\d+(?:\.\d+)?)")
EQUAL = "equal weights"
EVIDENCE = re.compile(r"weights from (\d+) past origins?( and the prior)?")
LATER = re.compile(rf"at the last horizon ({SHARES})")
EFFECT = re.compile(r"(?:(?:rate )?ratios \(95 %\): )?([\w ]+ (?:under |over )?\d[\d.]* \(.+ to .+\))")
HELD = re.compile(r"(\w+) held out: (\d+) figures?")
FILLED = re.compile(r"(\d+) missing interpolated")
SPARSE = "sparse_mean"
KINDS = {
    FIRST_YEAR: "the series is in its first year, so no season is known",
    SECOND_YEAR: "the series is in its second year, so its season is hardly known",
    RARE: "",
}
FRACTIONS = {
    "a quarter": 1 / 4,
    "a third": 1 / 3,
    "half": 1 / 2,
    "two thirds": 2 / 3,
    "three quarters": 3 / 4,
}
AS_NEAR = 0.015
PRIOR = "a starting assumption that is the same for every area"
UNWEIGHED = "because there are too few long series to weigh them by past errors"


def choice(model: str, reason: str, *, freq: str) -> str:
    """Say which model answered and why.

    Parameters
    ----------
    model : str
        Of the ledger.
    reason : str
        Of the ledger: parts between semicolons, of which one may give the weights of a combination, another
        where they come from, and others the effects of interventions. A part that is not known is given as it is.
    freq : str

    Returns
    -------
    str

    Examples
    --------
    >>> choice("auto", "area_growth 1.00; weights from 6 past origins", freq="YS")
    "National path with the area's own deviation (area_growth), chosen by past errors (forecasts from 6 past years)."
    >>> choice("naive+ets", "naive 0.50, ets 0.50; equal weights", freq="MS")
    'A combination of 2 methods in equal parts: the last figure (naive) and exponential smoothing (ets).'
    >>> choice("auto", "10 members, the most ar_trend 0.19; weights from 2 past origins", freq="QS")[:95]
    'A combination of 10 methods, the most (19%) from an autoregression around a trend (ar_trend), w'
    >>> choice("auto", "sparse_mean 1.00; equal weights", freq="MS")
    'Mean of methods for rare counts (sparse_mean), because many of the figures are zero.'
    >>> choice("drift", "", freq="YS")
    'Simple rule: the average past change goes on (drift).'
    """
    parts = _parts(reason)
    mix = next((part for part in parts if MANY.fullmatch(part) or re.fullmatch(SHARES, part)), "")
    said, verb = [model_name(model, freq)], ""
    if mix:
        parts.remove(mix)
        named = "" if MANY.fullmatch(mix) else mix
        verb = "chosen" if named and len(_shares(named)) == 1 else "weighted"
        if EQUAL in parts:
            parts.remove(EQUAL)
            said = _without_evidence(model, mix, freq)
        else:
            said = [_mixed(mix, freq)]
    effects, notes = list[str](), list[str]()
    for part in parts:
        if plain := _evidence(part, verb, freq) if mix else "":
            said.append(plain)
        elif effect := EFFECT.fullmatch(part):
            effects.append(re.sub("^a year ", "each further year ", effect[1]).replace("_", " "))
        elif note := _note(part):
            notes.append(note)
    sentences = [", ".join(said)]
    if effects:
        sentences.append(f"Figures are multiplied by ({VERY_LIKELY} ranges in brackets): {'; '.join(effects)}")
    if notes:
        sentences.append(f"Note: {'; '.join(notes)}")
    return " ".join(f"{sentence}." for sentence in sentences)


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


def _mixed(mix: str, freq: str) -> str:
    """Say what a combination is made of."""
    if many := MANY.fullmatch(mix):
        return f"A combination of {many[1]} methods, the most ({float(many[3]):.0%}) from {_method(many[2])}"
    shares = _shares(mix)
    if len(shares) == 1:
        return model_name(next(iter(shares)), freq)
    return f"A combination of {len(shares)} methods: {_told(shares)}"


def _without_evidence(model: str, mix: str, freq: str) -> list[str]:
    """Say what a combination is made of whose weights rest on no past error, and why."""
    many = MANY.fullmatch(mix)
    shares = {many[2]: float(many[3])} if many else _shares(mix)
    count = int(many[1]) if many else len(shares)
    why = UNWEIGHED if model == "auto" else ""
    if count == 1:
        only = "because many of the figures are zero" if SPARSE in shares else "the only method that could answer"
        return [_mixed(mix, freq), only]
    if any(abs(share - 1 / count) > AS_NEAR for share in shares.values()):
        return [_mixed(mix, freq), "weighted by how many figures are zero" if SPARSE in shares else "weighted equally"]
    whole = f"A combination of {count} methods in equal parts"
    named = whole if many else f"{whole}: {listed([_method(name) for name in shares])}"
    return [named, why] if why else [named]


def _evidence(part: str, verb: str, freq: str) -> str:
    """Say where weights come from; "" for a part that is not about that."""
    if part == "weights from the prior":
        return f"{verb} by {PRIOR}, because no past forecast can be checked yet"
    if found := EVIDENCE.fullmatch(part):
        number = int(found[1])
        prior = f" and {PRIOR}" if found[2] else ""
        return f"{verb} by past errors (forecasts from {number} past {period_word(freq, number)}){prior}"
    if found := LATER.fullmatch(part):
        return f"at the end of the projection {_told(_shares(found[1]))}"
    return ""


def _note(part: str) -> str:
    """Say what was done to a series; a part that is not known as it is."""
    if found := HELD.fullmatch(part):
        figures = f"{found[2]} {'figure' if found[2] == '1' else 'figures'}"
        return f"{figures} of {found[1].replace('_', ' ')} not learnt from"
    if found := FILLED.fullmatch(part):
        return f"{found[1]} missing {'figure' if found[1] == '1' else 'figures'} filled in"
    return KINDS.get(part, part)


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
