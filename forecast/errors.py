"""The exceptions users of the library can catch: one tree, five classes."""


class SendForecastError(Exception):
    """Base of every error this package raises on purpose.

    The message names the thing, the value, the rule that was broken and the next step, in one line.
    """


class InputError(SendForecastError):
    """Data was refused: a file, a column, a row or a series breaks a stated rule."""


class SpecError(SendForecastError):
    """A request was wrong: an unknown model or area, an impossible horizon, a bad configuration."""


class ModelError(SendForecastError):
    """A model could not answer for a series it was asked for."""


class PublishRefused(SendForecastError):
    """A release was refused by a publishing rule."""
