"""`import forecast` stays light: nothing heavy before it is needed."""

import subprocess
import sys

HEAVY = ("mlflow", "prophet", "statsmodels", "matplotlib", "numba", "jinja2", "click", "pydantic", "jobs")


def loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_forecast_loads_nothing_heavy():
    assert loaded("import forecast; forecast.Panel, forecast.forecast_panel, forecast.evaluate_panel") == set()


def test_listing_the_models_loads_nothing_heavy():
    assert loaded("import forecast; assert 'prophet' in forecast.models.names()") == set()


def test_the_probe_sees_what_is_loaded():
    assert loaded("import click") == {"click"}


def test_public_names_are_there():
    import forecast

    assert all(hasattr(forecast, name) for name in forecast.__all__)
    assert {"Panel", "Forecast", "forecast_panel", "evaluate_panel", "models"} <= set(forecast.__all__)
    errors = [getattr(forecast, name) for name in forecast.__all__ if name.endswith(("Error", "Refused"))]
    assert len(errors) == 5
    assert all(issubclass(error, forecast.SendForecastError) for error in errors)
