"""Warnings that point at the code of the user."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

_INNER = ("skinfo", "sklearn", "joblib")  # packages whose frames are skipped


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user that called into skinfo."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and _package(frame) in _INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).split(".")[0]
