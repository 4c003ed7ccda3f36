"""Telling a window how far a series of backups is."""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional

LOG = logging.getLogger("respaldo")

#: Is told the type, ``running``, ``completed`` or ``failed``, its place from 1, and how many there are.
ProgressCallback = Callable[[str, str, int, int], Any]


def tell(
    callback: Optional[ProgressCallback], tipo: str, state: str, index: int, total: int
) -> None:
    """A window that cannot show the progress does not keep a backup from being made."""
    if callback is None:
        return
    try:
        callback(tipo, state, index, total)
    except Exception:
        LOG.exception("no se pudo mostrar el avance de %s (%s)", tipo, state)
