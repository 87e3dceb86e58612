"""llama-cpp-python's low-level binding, loaded so that it shares the processors with the other processes."""

from __future__ import annotations

import os

# GCC's OpenMP lets threads spin for milliseconds while they wait for each other; beside other busy processes the one
# that is waited for does not even run (docs/decisions/engine-shares-the-processors.md). It reads this once, when the
# library is loaded, so it must be set before.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import llama_cpp

__all__ = ["llama_cpp"]
