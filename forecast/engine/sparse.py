"""Which series are sparse counts: mostly zeros, now and then a case or a few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from forecast.engine.batch import Batch, FloatArray

CYCLES = 3
FEWEST = 24
SHARE_OF_ZEROS = 0.4


def is_sparse(batch: Batch) -> npt.NDArray[np.bool_]:
    """Tell which series are for the sparse members alone (n,): those whose `sparse_share` is 1."""
    return np.asarray(sparse_share(batch) >= 1)


def sparse_share(batch: Batch) -> FloatArray:
    """Weight of the sparse members in a mean with the smooth members (n,).

    The share of zeros in the last `CYCLES` cycles (in `FEWEST` figures if that is more, in all there are
    if that is less) over `SHARE_OF_ZEROS`, at most 1.
    """
    reach = max(CYCLES * batch.period, FEWEST)
    columns = np.arange(batch.values.shape[1])
    first = np.maximum(batch.start, batch.stop - reach)
    seen = (columns >= first[:, None]) & (columns < batch.stop[:, None])
    zeros = (seen & (batch.values == 0)).sum(axis=1) / seen.sum(axis=1)
    return np.asarray(np.minimum(zeros / SHARE_OF_ZEROS, 1.0))


def alike(batch: Batch) -> Batch:
    """Return the batch with each pool split in two, so that sparse series learn from sparse ones only."""
    pools = np.unique(2 * batch.pools + is_sparse(batch), return_inverse=True)[1]
    return replace(batch, pools=pools.astype(np.int64))
