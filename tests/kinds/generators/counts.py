"""Histograms made of latencies."""

from __future__ import annotations

import numpy as np

from runner.kinds.generators.histogram import Histogram


def histogram(micros) -> Histogram:
    values, counts = np.unique(np.array(micros, dtype=float) / 1e6, return_counts=True)
    seconds = [m / 1e6 for m in micros]
    return Histogram(values, counts.astype(float), sum(seconds), min(seconds), max(seconds))
