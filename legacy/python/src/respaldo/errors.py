"""What the services raise.

Every error is a :class:`RuntimeError`, as those of the existing services are, whose text is a
sentence for people: what failed, why, and what to do about it. Never a password.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence


class RespaldoError(RuntimeError):
    """respaldo could not do what was asked.

    ``mensaje`` is the sentence, ``codigo`` the stable code of the error (``lease-held``,
    ``unknown-backup`` ...), ``detalle`` its cause and ``sugerencia`` what to do.
    ``codigo_salida`` is the exit code of the program, ``None`` where it did not end by itself, and
    ``dependientes`` the backups (``{id, archivo}``) for whose sake one was not deleted.
    """

    def __init__(
        self,
        mensaje: str,
        *,
        codigo: str = "internal",
        detalle: str = "",
        sugerencia: str = "",
        codigo_salida: Optional[int] = None,
        dependientes: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(mensaje)
        self.mensaje = mensaje
        self.codigo = codigo
        self.detalle = detalle
        self.sugerencia = sugerencia
        self.codigo_salida = codigo_salida
        self.dependientes = list(dependientes)

    def __str__(self) -> str:
        """The sentence, its cause and the advice, in one line."""
        text = ": ".join(part for part in (self.mensaje, self.detalle) if part)
        if not self.sugerencia:
            return text
        return f"{text.rstrip('.')}. {self.sugerencia}"


class RespaldoNotFoundError(RespaldoError, FileNotFoundError):
    """The program respaldo is not there, or cannot be started."""


class RespaldoTimeoutError(RespaldoError, TimeoutError):
    """The program did not end within its limit and was stopped."""
