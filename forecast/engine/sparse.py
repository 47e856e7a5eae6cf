"""Which series are counts that are told by their mean: sparse ones, and others of a low level.

What is said here is said once, for the members that forecast a series and for the spread around its points.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.engine.batch import Batch, FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

CYCLES = 3
FEWEST = 24
SHARE_OF_ZEROS = 0.4
LOW_LEVEL = 10.0
SHARE_OF_WHOLE = 0.5


def is_sparse(batch: Batch) -> BoolArray:
    """Tell which series are for the sparse members alone (n,): those whose `sparse_share` is 1."""
    return np.asarray(sparse_share(batch) >= 1)


def sparse_share(batch: Batch) -> FloatArray:
    """Weight of the sparse members in a mean with the smooth members (n,).

    The share of zeros in the last `CYCLES` cycles (in `FEWEST` figures if that is more, in all there are
    if that is less) over `SHARE_OF_ZEROS`, at most 1.
    """
    seen = _recent(batch)
    zeros = (seen & (batch.values == 0)).sum(axis=1) / seen.sum(axis=1)
    return np.asarray(np.minimum(zeros / SHARE_OF_ZEROS, 1.0))


def is_counted(batch: Batch) -> BoolArray:
    """Tell which series count something (n,): half of their figures above zero or more are whole.

    The others may be what fills a gap.
    """
    columns = np.arange(batch.values.shape[1])
    seen = (columns >= batch.start[:, None]) & (columns < batch.stop[:, None]) & (batch.values > 0)
    whole = (seen & (batch.values == np.round(batch.values))).sum(axis=1)
    return np.asarray(whole >= SHARE_OF_WHOLE * seen.sum(axis=1))


def is_rare(batch: Batch) -> BoolArray:
    """Tell which series are drawn as counts (n,): counted, and sparse or of a mean below `LOW_LEVEL` of late."""
    seen = _recent(batch)
    low = np.where(seen, batch.values, 0.0).sum(axis=1) < LOW_LEVEL * seen.sum(axis=1)
    return np.asarray(is_counted(batch) & (low | is_sparse(batch)))


def means_below(batch: Batch) -> FloatArray:
    """Level up to which a series' points are means, above it by degrees medians (n,).

    All points of sparse series are means, for their members average. So are those of other counts where they are
    low. Series that are not counted have no level that would be low.
    """
    return np.where(is_sparse(batch), np.inf, np.where(is_counted(batch), LOW_LEVEL, 0.0))


def alike(batch: Batch) -> IntArray:
    """Return codes of the pools, each split in two so that sparse series learn from sparse ones only (n,)."""
    codes = np.unique(2 * batch.pools + is_sparse(batch), return_inverse=True)[1]
    return np.asarray(codes, dtype=np.int64)


def _recent(batch: Batch) -> BoolArray:
    columns = np.arange(batch.values.shape[1])
    first = np.maximum(batch.start, batch.stop - max(CYCLES * batch.period, FEWEST))
    return np.asarray((columns >= first[:, None]) & (columns < batch.stop[:, None]))
