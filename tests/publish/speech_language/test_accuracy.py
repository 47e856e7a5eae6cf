import pandas as pd

from forecast import reference
from forecast.publish.speech_language.accuracy import past_errors


def test_errors_are_those_measured_and_what_is_not_measured_is_said(monkeypatch):
    rows = [
        ("size", 1, 7, 7.82, 81.0, "2023-02", "2023-08"),
        ("share", 3, 5, 2.41, float("nan"), "2023-02", "2023-06"),
    ]
    columns = ["measure", "horizon", "origins", "error", "coverage_80", "first_origin", "last_origin"]
    monkeypatch.setattr(reference, "slt_accuracy", lambda: pd.DataFrame(rows, columns=columns))
    part = past_errors()
    assert [(row.head, row.cells) for row in part.tables[0].groups[0].rows] == [
        ("Children waiting, 1 month ahead", ("8%", "81%", "Feb\u00a02023 to Aug\u00a02023")),
        (
            "Share waiting over 18 weeks, 3 months ahead",
            ("2.4 points", "not measured", "Feb\u00a02023 to Jun\u00a02023"),
        ),
    ]
    assert "accuracy of the simulated list beyond six months is not measured" in part.remarks[2]
    assert part.remarks[1] == (
        "Nine months are few, and they were seen while the method was made; the simulated list itself, run on without "
        "its spread, was as far off one to three months ahead as taking the last list to stay (naive)."
    )


def test_the_figures_that_ship_are_told():
    assert len(past_errors().tables[0].groups[0].rows) == len(reference.slt_accuracy())
