from forecast import reference
from forecast.publish.ehc.accuracy import past_errors


def test_every_measured_error_is_shown_and_what_was_not_measured_is_said():
    part = past_errors()
    (table,) = part.tables
    measured = reference.ehc_accuracy()
    assert [row.head for row in table.groups[0].rows] == [
        *("Requests, 1 year ahead", "Requests, 2 years ahead", "Requests, 3 years ahead"),
        *("Caseload, 1 year ahead", "Caseload, 3 years ahead", "Caseload, 5 years ahead"),
    ]
    for row, (_, each) in zip(table.groups[0].rows, measured.iterrows(), strict=True):
        assert row.cells[:2] == (f"{each['wape']:.0f}%", f"{each['coverage_80']:.0f}%")
    assert table.groups[0].rows[3].cells[2] == "2018 to 2023"
    said = " ".join(part.remarks)
    assert "Plans issued, the 20 weeks and the backlog have not been measured this way" in said
    assert "before it is brought together with the caseload by age" in said
