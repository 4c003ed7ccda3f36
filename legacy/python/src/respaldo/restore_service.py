"""Restoring and validating: ``RestoreService`` and ``RestoreResult``."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from . import _rows
from ._database import user_id_of
from ._values import Moment, parse_time
from .backup_incremental_service import BackupIncrementalService
from .errors import RespaldoError

__all__ = ["RestoreResult", "RestoreService"]

LOG = logging.getLogger("respaldo")

#: Levels of validation, each including those before it, and the names of their checks.
_CHECKS = {
    "presence": "existencia_archivo",
    "checksum": "checksum",
    "readable": "legible",
    "chain": "cadena",
}


@dataclass
class RestoreResult:
    """What became of a restore. ``backups_aplicados`` are file names."""

    exitoso: bool
    mensaje: str
    backups_aplicados: List[str] = field(default_factory=list)
    tiempo_segundos: float = 0.0
    lsn_final: Optional[str] = None
    checksum: Optional[str] = None


class RestoreService:
    """Restores whole databases, each built beside its target and swapped in when it is proven equal."""

    def __init__(
        self,
        db: Any = None,
        backup_incremental_service: Optional[BackupIncrementalService] = None,
        pg_bin_path: Union[str, Path, None] = None,
    ) -> None:
        self.db = db
        self.backup_service = backup_incremental_service or BackupIncrementalService(
            db, pg_bin_path=pg_bin_path
        )
        self.pg_bin_path = pg_bin_path
        self.program = self.backup_service.program
        if pg_bin_path is not None:
            self.program = self.program.with_variables({"PG_BIN_PATH": str(pg_bin_path)})

    def restore_to_date(self, date: Moment, target_db: Optional[str] = None) -> RestoreResult:
        """Restores the newest backup that is not later than ``date``. Never raises.

        A ``date`` that is the ``fecha_inicio`` of a backup means that backup. Without ``target_db``
        the configured database is replaced. A database that is replaced is kept under another name,
        which ``mensaje`` tells; one that does not exist is made.
        """
        return self._restore(lambda: _rows.point_of(self.program, date), target_db)

    def restore_from_backup_id(self, id: int, target_db: Optional[str] = None) -> RestoreResult:
        """Restores the backup with this number, as :meth:`restore_to_date` does. Never raises."""

        def point() -> List[str]:
            number = _rows.number_of(id)
            if number is None:
                raise ValueError(f"no es el número de un backup: {id!r}")
            return [f"--id={number}"]

        return self._restore(point, target_db)

    def preview_restore(self, date: Moment) -> Dict[str, Any]:
        """What a restore to ``date`` would read; ``existe`` is false where there is nothing."""
        preview = self.program.look("preview", *_rows.point_of(self.program, date))
        if not preview["existe"]:
            return {"existe": False, "fecha": date, "backups": []}
        return {
            "existe": True,
            "fecha": date,
            "backups": [
                {
                    "tipo": one["tipo"],
                    "archivo": one["archivo"],
                    "fecha": parse_time(one["fecha"]),
                    "tamano": one["tamano"],
                    "checksum": one["checksum"],
                    "lsn_inicio": one["lsn_inicio"],
                    "lsn_fin": one["lsn_fin"],
                }
                for one in preview["backups"]
            ],
            "cantidad_backups": preview["cantidad_backups"],
            "tamano_total_bytes": preview["tamano_total_bytes"],
            "tamano_total_mb": preview["tamano_total_mb"],
            "fecha_inicial": parse_time(preview["fecha_inicial"]),
            "fecha_final": parse_time(preview["fecha_final"]),
        }

    def validate_backup_chain(self, id: int) -> Dict[str, Any]:
        """Looks at a backup and at everything that a restore of it reads.

        A backup of the existing system, which has no manifest, is looked at by itself: whether its file
        is there and has its checksum.
        """
        row = _rows.find(self.program, id)
        if row is None:
            return {
                "valido": False,
                "mensaje": f"no hay un backup con el número {id}",
                "validaciones": [],
            }
        if row.propio:
            answer = self.program.work("validate", row.reference, "--level=chain")
            validation = answer["validaciones"][0]
            valid, words = validation["valido"], validation["mensaje"]
            checks = checks_of(validation)
        else:
            checks = _rows.checks_of_file(row)
            valid = all(check["exito"] for check in checks)
            words = "; ".join(check["mensaje"] for check in checks)
        return {
            "valido": valid,
            "mensaje": words,
            "validaciones": checks,
            "backup": {
                "id": row.id,
                "tipo": row.tipo,
                "archivo": row.archivo,
                "fecha": row.fecha_inicio,
            },
        }

    def _restore(self, point: Any, target_db: Optional[str]) -> RestoreResult:
        began = time.monotonic()
        try:
            record = self._restore_into(point(), target_db)
        except (RespaldoError, TypeError, ValueError) as error:
            LOG.error("no se restauró: %s", error)
            return RestoreResult(False, str(error), [], round(time.monotonic() - began, 2))
        return RestoreResult(
            exitoso=True,
            mensaje=message_of(record),
            backups_aplicados=list(record["backups_aplicados"]),
            tiempo_segundos=record["tiempo_segundos"],
            lsn_final=record["lsn_final"],
        )

    def _restore_into(self, point: Sequence[str], target_db: Optional[str]) -> Dict[str, Any]:
        program = self.program.with_variables(maintenance_user(self.db))
        replacing = ("--replace", "--yes")
        restored: Dict[str, Any]
        if not target_db:
            restored = program.work("restore", *point, *replacing)
            return restored
        target = f"--target-db={target_db}"
        try:
            restored = program.work("restore", *point, target, "--create")
        except RespaldoError as error:
            if error.codigo != "target-not-empty":
                raise
            restored = program.work("restore", *point, target, *replacing)
        return restored


def maintenance_user(db: Any) -> Dict[str, str]:
    """``app.user_id`` of restores: the environment's, else the one the program set on ``db``."""
    set_there = os.environ.get("DB_MAINTENANCE_USER_ID", "")
    if set_there.isdigit() and int(set_there) > 0:
        return {}
    user_id = user_id_of(db)
    return {} if user_id is None else {"DB_MAINTENANCE_USER_ID": str(user_id)}


def message_of(record: Mapping[str, Any]) -> str:
    """The sentence of a result, and what deserves a look."""
    warnings = [str(warning["mensaje"]) for warning in record.get("avisos", [])]
    return "; ".join([str(record["mensaje"]), *warnings])


def checks_of(validation: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """One check per level, the first two under the names of the existing service."""
    checks = []
    for level, name in _CHECKS.items():
        found = [one for one in validation["hallazgos"] if one["nivel"] == level]
        words = "; ".join(one["mensaje"] for one in found) or "sin hallazgos"
        passed = all(one["gravedad"] != "ERROR" for one in found)
        checks.append({"tipo": name, "exito": passed, "mensaje": words})
    return checks
