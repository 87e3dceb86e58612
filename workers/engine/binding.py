"""llama-cpp-python's low-level binding, loaded so that it shares the processors with the other processes."""

from __future__ import annotations

import os

# OpenMP's threads spin while they wait for each other; beside other busy processes the one that is waited for does not
# even run. Measured on two busy processors: 230 to 970 ms a token spinning, 30 ms sleeping. OpenMP reads it once, when
# the library is loaded, so it must be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import llama_cpp

__all__ = ["llama_cpp"]
