"""Making and listing backups: ``BackupIncrementalService`` and ``BackupInfo``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from . import _rows
from ._program import Program, remember_repository
from ._rows import Row
from ._values import Moment

__all__ = ["BackupIncrementalService", "BackupInfo", "DEFAULT_DIR"]

#: The folder of the backups where a program names none and no ``respaldo.toml`` does.
DEFAULT_DIR = "backups_incrementales"


@dataclass
class BackupInfo:
    """A backup. Times are aware; ``archivo`` is a path, of one stored elsewhere an address."""

    id: Optional[int]
    tipo: str
    archivo: str
    fecha_inicio: datetime
    fecha_fin: datetime
    tamano: Optional[int]
    checksum: Optional[str]
    estado: str
    lsn_inicio: Optional[str] = None
    lsn_fin: Optional[str] = None
    backup_base_id: Optional[int] = None


class BackupIncrementalService:
    """Full, differential and incremental backups.

    ``db`` is what the existing service takes (:func:`respaldo.database_variables` says what of it
    counts). ``backup_dir`` is the repository: where it is left as it is the configuration of
    respaldo decides. ``pg_bin_path`` is the folder of ``pg_dump`` and ``pg_restore``.
    """

    def __init__(
        self,
        db: Any = None,
        backup_dir: Union[str, Path] = DEFAULT_DIR,
        pg_bin_path: Union[str, Path, None] = None,
    ) -> None:
        self.db = db
        self.backup_dir = Path(backup_dir)
        self.pg_bin_path = pg_bin_path
        is_default = str(backup_dir) == DEFAULT_DIR
        self.program = Program(
            db,
            RESPALDO_REPOSITORY__DIR=None
            if is_default
            else remember_repository(db, self.backup_dir),
            PG_BIN_PATH=None if pg_bin_path is None else str(pg_bin_path),
        )

    def create_backup(self, type: str) -> str:
        """Makes a backup of type FULL, DIFERENCIAL, INCREMENTAL or MANUAL; the path of its archive.

        A differential or incremental without a usable base becomes a full; a manual one is a full.
        Raises ``ValueError`` for another type and :class:`~respaldo.RespaldoError`, a
        ``RuntimeError``, with the sentence where it fails.
        """
        return str(self.make(type)["archivo"])

    def make(self, type: str) -> Dict[str, Any]:
        """The same with everything that respaldo tells of it (``respaldo backup --json``)."""
        word = _rows.KIND_WORDS.get(type) if isinstance(type, str) else None
        if word is None:
            known = ", ".join(_rows.KIND_WORDS)
            raise ValueError(f"tipo de backup desconocido: {type!r}; los hay de {known}")
        made: Dict[str, Any] = self.program.work("backup", word)
        return made

    def get_backup_info(self, id: int) -> Optional[BackupInfo]:
        """The backup with this number, in whatever state; ``None`` where there is none."""
        row = _rows.find(self.program, id)
        return None if row is None else info_of(row)

    def list_backups(
        self, tipo: Optional[str] = None, limit: Optional[int] = 50
    ) -> List[Dict[str, Any]]:
        """Completed backups, newest first, at most ``limit`` (``None``: all of them)."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit no puede ser negativo: {limit}")
        rows = _rows.completed(self.program, tipo, limit)
        return [
            {
                "id": row.id,
                "tipo": row.tipo,
                "archivo": row.archivo,
                "fecha_inicio": row.fecha_inicio,
                "fecha_fin": row.fecha_fin,
                "tamano": row.tamano,
                "checksum": row.checksum,
                "estado": row.estado,
                "nube_subido": row.nube_subido,
                "backup_base_id": row.backup_base_id,
            }
            for row in rows
        ]

    def get_backup_chain(self, date: Moment) -> Optional[List[BackupInfo]]:
        """The backups that a restore to this date reads, oldest first; ``None`` without any."""
        preview = self.program.look("preview", *_rows.point_of(self.program, date))
        if not preview["existe"]:
            return None
        # Without a catalog there are no numbers, and the place tells them apart.
        read = {one["id"] or one["archivo"] for one in preview["backups"]}
        rows = [row for row in _rows.completed(self.program) if (row.id or row.archivo) in read]
        return [info_of(row) for row in sorted(rows, key=lambda row: row.fecha_inicio)]


def info_of(row: Row) -> BackupInfo:
    """A row as the existing service gives it."""
    return BackupInfo(
        id=row.id,
        tipo=row.tipo,
        archivo=row.archivo,
        fecha_inicio=row.fecha_inicio,
        fecha_fin=row.fecha_fin,
        tamano=row.tamano,
        checksum=row.checksum,
        estado=row.estado,
        lsn_inicio=row.lsn_inicio,
        lsn_fin=row.lsn_fin,
        backup_base_id=row.backup_base_id,
    )
