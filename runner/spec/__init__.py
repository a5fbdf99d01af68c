"""What a user writes, as frozen models. Pure: reading files is `specfile`'s."""

from __future__ import annotations

from runner.spec.experiment import Experiment

__all__ = ["Experiment"]
