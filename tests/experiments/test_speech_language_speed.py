"""The timing of a projection prints its parts."""

import pytest

from experiments import speech_language_speed


def test_it_prints_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    speech_language_speed.main(["--paths", "20"])
    printed = capsys.readouterr().out
    assert "63 cells, 48 months, 20 paths" in printed
    assert [line.split("  ")[0].strip() for line in printed.splitlines()[1:5]] == [
        "projection as it is",
        "each option more",
        "table",
        "answers",
    ]
