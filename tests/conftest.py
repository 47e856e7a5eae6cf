"""One thread a fit: small fits of statsmodels are many times slower when BLAS threads fight over busy cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
