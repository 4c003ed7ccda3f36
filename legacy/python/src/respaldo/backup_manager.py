"""Schedules, missed backups, restores and sums: ``BackupManager``."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Union

from . import _rows, _schedules
from ._program import LIMITS
from ._progress import ProgressCallback, tell
from ._rows import SCHEDULED_TYPES, Row
from ._schedules import Rule
from ._values import Moment, as_moment, naive, naive_time
from .backup_incremental_service import DEFAULT_DIR, BackupIncrementalService
from .errors import RespaldoError
from .restore_service import RestoreResult, RestoreService

__all__ = ["BackupManager", "ProgressCallback"]

LOG = logging.getLogger("respaldo")

#: The types whose backup does for one of the key's type.
_MET_BY = {
    "FULL": ("FULL",),
    "DIFERENCIAL": ("FULL", "DIFERENCIAL"),
    "INCREMENTAL": ("FULL", "DIFERENCIAL", "INCREMENTAL"),
}
#: How often is looked whether another run has ended, in seconds.
_TURN_STEP_S = 5.0
#: Clocks are put back: a backup dated so far ahead counts.
_AHEAD = timedelta(hours=1)


class BackupManager:
    """The professional backup system as the application's windows and schedulers use it."""

    def __init__(
        self,
        db: Any = None,
        backup_dir: Union[str, Path] = DEFAULT_DIR,
        pg_bin_path: Union[str, Path, None] = None,
    ) -> None:
        self.db = db
        self.backup_service = BackupIncrementalService(db, backup_dir, pg_bin_path)
        self.restore_service = RestoreService(db, self.backup_service)
        self.program = self.backup_service.program

    # Schedules

    @property
    def schedules(self) -> Dict[str, Rule]:
        """The rules in force now, one per type; the defaults where respaldo cannot be asked."""
        return self._rules()[0]

    def get_schedule_for_backup_type(self, type: str) -> Rule:
        """The rule of a type; empty for one that has none."""
        return dict(self.schedules.get(type, {}))

    def set_schedule(self, type: str, **kw: int) -> bool:
        """Stores other parts of the rule of a type (``day``, ``weekday``, ``hour``, ``minute``).

        Parts that the rule does not have are ignored. False, with the reason in the log, where the
        type has no rule, nothing is left to be stored, a part makes no sense (day 32), or it fails.
        """
        rule = _schedules.DEFAULTS.get(type, {})
        parts = [f"--{key}={value}" for key, value in kw.items() if key in rule]
        if not parts:
            LOG.error("no se guardó ningún horario de %s: %s", type, kw)
            return False
        try:
            self.program.look("schedule", "set", _rows.KIND_WORDS[type], *parts)
        except RespaldoError as error:
            LOG.error("no se guardó el horario de %s: %s", type, error)
            return False
        return True

    def determine_backup_type(self, now: Optional[datetime] = None) -> str:
        """The type that is due at this minute: FULL, else DIFERENCIAL, else INCREMENTAL."""
        rules, zone = self._rules()
        moment = as_moment(now or datetime.now())
        return _schedules.type_at(rules, moment.astimezone(zone))

    def get_last_required_run_time(
        self, type: str, *, current_time: Optional[datetime] = None
    ) -> datetime:
        """When a backup of this type was due last, naive and local. ``ValueError`` for another type."""
        return naive(self._last_required(type, as_moment(current_time or datetime.now())))

    def get_last_backup_time(self, type: str) -> Optional[datetime]:
        """The begin of the newest completed backup of exactly this type, naive and local."""
        rows = _rows.completed(self.program, type, 1)
        return naive(rows[0].fecha_inicio) if rows else None

    def get_next_backup_times(self) -> Dict[str, Dict[str, Any]]:
        """Per type ``next_run``, naive and local, and ``schedule``, the rule in words."""
        answer = self.program.look("schedule", "next")
        return {
            tipo: {
                "next_run": naive_time(answer[tipo]["next_run"]),
                "schedule": answer[tipo]["schedule"],
            }
            for tipo in SCHEDULED_TYPES
        }

    def _rules(self) -> Tuple[Dict[str, Rule], Any]:
        try:
            answer = self.program.look("schedule", "show")
        except RespaldoError as error:
            LOG.warning("rigen los horarios por omisión: %s", error)
            return {tipo: dict(rule) for tipo, rule in _schedules.DEFAULTS.items()}, None
        return _schedules.rules_of(answer), _schedules.zone_of(answer["zona_horaria"])

    def _last_required(self, type: str, now: datetime) -> datetime:
        if type not in SCHEDULED_TYPES:
            raise ValueError(f"tipo de backup sin horario: {type!r}")
        rules, zone = self._rules()
        return _schedules.last_required(rules[type], now.astimezone(zone))

    # Missed backups

    def check_missed_backups(self, current_time: Optional[datetime] = None) -> List[str]:
        """The types that are to be made up, in order; none that another of them does for."""
        if current_time is not None:
            return self._missed_at(as_moment(current_time))
        answer = self.program.look("schedule", "missed")
        # What is more than an hour late waits for its next time where the configuration says so.
        oldest = None if answer["recuperar"] else datetime.now() - timedelta(hours=1)
        return [
            one["tipo"]
            for one in answer["pendientes"]
            if not one["cubierto_por"]
            and one["tipo"] in SCHEDULED_TYPES
            and (oldest is None or naive_time(one["previsto"]) >= oldest)
        ]

    def _missed_at(self, now: datetime) -> List[str]:
        rows = [row for row in _rows.completed(self.program) if row.propio]
        rules, zone = self._rules()
        for tipo in SCHEDULED_TYPES:
            due = _schedules.last_required(rules[tipo], now.astimezone(zone))
            meets = [row for row in rows if row.tipo in _MET_BY[tipo]]
            if not any(due <= row.fecha_inicio <= now + _AHEAD for row in meets):
                # It does for all that come after it.
                return [tipo]
        return []

    def execute_missed_backups(
        self,
        types: Iterable[str],
        *,
        progress_callback: Optional[ProgressCallback] = None,
    ) -> Dict[str, bool]:
        """Makes backups of these types in the order FULL, DIFERENCIAL, INCREMENTAL. Never raises.

        A run of another machine is waited for; what it made up counts as made up.
        """
        wanted = list(types)
        known = [tipo for tipo in SCHEDULED_TYPES if tipo in wanted]
        for other in set(wanted) - set(known):
            LOG.error("tipo de backup desconocido: %r", other)
        made = {other: False for other in wanted if other not in known}
        for index, tipo in enumerate(known, start=1):
            tell(progress_callback, tipo, "running", index, len(known))
            made[tipo] = self._make_up(tipo)
            state = "completed" if made[tipo] else "failed"
            tell(progress_callback, tipo, state, index, len(known))
        return made

    def _make_up(self, tipo: str) -> bool:
        until = time.monotonic() + LIMITS.turn_s
        while True:
            result, error = self._attempt(tipo)
            is_busy = isinstance(error, RespaldoError) and error.codigo == "lease-held"
            if not is_busy or time.monotonic() >= until:
                return bool(result["exitoso"])
            time.sleep(min(_TURN_STEP_S, max(until - time.monotonic(), 0.0)))
            if not self._is_still_missed(tipo):
                return True

    def _is_still_missed(self, tipo: str) -> bool:
        try:
            answer = self.program.look("schedule", "missed")
        except RespaldoError:
            return True
        return any(one["tipo"] == tipo for one in answer["pendientes"])

    # Backups

    def execute_scheduled_backup(self, type: Optional[str] = None) -> Dict[str, Any]:
        """Makes a backup, of the type that is due now where none is named. Never raises.

        ``exitoso``, ``tipo``, ``inicio`` and ``fin`` (naive and local), ``duracion_segundos``,
        ``mensaje``, and ``archivo`` or ``error``.
        """
        return self._attempt(type)[0]

    def _attempt(self, type: Optional[str]) -> Tuple[Dict[str, Any], Optional[Exception]]:
        began, clock = datetime.now(), time.monotonic()
        tipo = type
        try:
            tipo = type or self.determine_backup_type(began)
            made = self.backup_service.make(tipo)
        except Exception as error:
            LOG.error("falló el backup %s: %s", tipo, error)
            return _ended(
                False, tipo, began, clock, f"falló el backup {tipo}", error=str(error)
            ), error
        words = "; ".join([made["mensaje"], *(one["mensaje"] for one in made.get("avisos", []))])
        return _ended(True, tipo, began, clock, words, archivo=str(made["archivo"])), None

    def list_backups(
        self, tipo: Optional[str] = None, limit: Optional[int] = 50
    ) -> List[Dict[str, Any]]:
        """As :meth:`BackupIncrementalService.list_backups`."""
        return self.backup_service.list_backups(tipo, limit)

    def create_backup(self, type: str) -> str:
        """As :meth:`BackupIncrementalService.create_backup`."""
        return self.backup_service.create_backup(type)

    def delete_backup(self, id: int, with_dependents: bool = False) -> Dict[str, Any]:
        """Removes a backup from every place and from the catalog. Never raises.

        ``exitoso``, ``mensaje``, ``eliminados`` and ``dependientes``, both lists of ``{id, archivo}``.
        One that others are restored from stays, and they are named, unless they are to go as well. The
        existing application has no such method: its window removes file and row by itself, which leaves
        those others without what they need.
        """
        number = _rows.number_of(id)
        if number is None:
            return _not_deleted(f"no es el número de un backup: {id!r}")
        options = ["--with-dependents"] if with_dependents else []
        try:
            answer = self.program.work("delete", str(number), *options)
        except RespaldoError as error:
            return _not_deleted(str(error), error.dependientes)
        return {key: answer[key] for key in ("exitoso", "mensaje", "eliminados", "dependientes")}

    # Restores

    def restore_to_date(self, date: Moment, target_db: Optional[str] = None) -> Dict[str, Any]:
        """As :meth:`RestoreService.restore_to_date`, as a dictionary. Never raises."""
        return _as_dict(self.restore_service.restore_to_date(date, target_db))

    def restore_from_backup_id(self, id: int, target_db: Optional[str] = None) -> Dict[str, Any]:
        """As :meth:`RestoreService.restore_from_backup_id`, as a dictionary. Never raises."""
        return _as_dict(self.restore_service.restore_from_backup_id(id, target_db))

    def preview_restore(self, date: Moment) -> Dict[str, Any]:
        """As :meth:`RestoreService.preview_restore`."""
        return self.restore_service.preview_restore(date)

    def get_backup_chain_info(self, date: Moment) -> Dict[str, Any]:
        """The preview of a restore, or ``existe`` false and ``mensaje``. Never raises."""
        try:
            preview = self.restore_service.preview_restore(date)
        except (RespaldoError, TypeError, ValueError) as error:
            return {"existe": False, "mensaje": str(error)}
        if not preview["existe"]:
            return {"existe": False, "mensaje": f"no hay ningún backup anterior a {date}"}
        return preview

    # Sums

    def get_backup_stats(self) -> Dict[str, Dict[str, Any]]:
        """Counts and sizes per type, and of all under ``_total``; sums are ``Decimal``."""
        return _rows.stats(self._completed())

    def get_available_restore_points(self, limit: int = 100) -> List[Dict[str, Any]]:
        """The days one can go back to, newest first."""
        return _rows.points(self._completed(), limit)

    def get_space_usage(self) -> Dict[str, Any]:
        """Space per type and of all; sums are ``Decimal``."""
        return _rows.space(self._completed())

    def get_status_summary(self) -> Dict[str, Any]:
        """Sums, space, the ten newest days, next runs, and now (naive and local)."""
        rows = self._completed()
        return {
            "estadisticas": _rows.stats(rows),
            "espacio_uso": _rows.space(rows),
            "puntos_restauracion": _rows.points(rows, 10),
            "proximos_backups": self.get_next_backup_times(),
            "fecha_actual": datetime.now(),
        }

    def _completed(self) -> List[Row]:
        return _rows.completed(self.program)

    # Validation

    def validate_backup_chain(self, id: int) -> Dict[str, Any]:
        """As :meth:`RestoreService.validate_backup_chain`."""
        return self.restore_service.validate_backup_chain(id)

    def validate_all_backups(self) -> Dict[str, Any]:
        """Looks at every backup and at what a restore of it reads.

        Those of the existing system, without a manifest, are looked at by themselves: file and checksum.
        """
        rows, found = self._completed(), []
        # Before the first backup there is no repository that could be looked at.
        if any(row.propio for row in rows):
            answer = self.program.work("validate", "--all", "--level=chain")
            found = [
                {key: one[key] for key in ("id", "tipo", "archivo", "valido", "mensaje")}
                for one in answer["validaciones"]
            ]
        seen = {one["id"] for one in found}
        for row in rows:
            if not row.propio and row.id not in seen:
                found.append(_checked(row))
        valid = sum(1 for one in found if one["valido"])
        return {
            "total": len(found),
            "validos": valid,
            "invalidos": len(found) - valid,
            "validaciones": found,
        }

    def purge_invalid_backups(self) -> int:
        """Removes rows of ours whose objects are gone from every place; how many. Never a file."""
        if not any(row.propio for row in self._completed()):
            return 0
        return len(self.program.work("catalog", "purge-invalid")["eliminados"])


def _ended(
    exitoso: bool, tipo: Optional[str], began: datetime, clock: float, mensaje: str, **more: str
) -> Dict[str, Any]:
    return {
        "exitoso": exitoso,
        "tipo": tipo,
        "inicio": began,
        "fin": datetime.now(),
        "duracion_segundos": round(time.monotonic() - clock, 2),
        "mensaje": mensaje,
        **more,
    }


def _not_deleted(mensaje: str, dependents: Iterable[Mapping[str, Any]] = ()) -> Dict[str, Any]:
    return {
        "exitoso": False,
        "mensaje": mensaje,
        "eliminados": [],
        "dependientes": list(dependents),
    }


def _as_dict(result: RestoreResult) -> Dict[str, Any]:
    return {
        "exitoso": result.exitoso,
        "mensaje": result.mensaje,
        "backups_aplicados": result.backups_aplicados,
        "tiempo_segundos": result.tiempo_segundos,
        "lsn_final": result.lsn_final,
    }


def _checked(row: Row) -> Dict[str, Any]:
    checks = _rows.checks_of_file(row)
    return {
        "id": row.id,
        "tipo": row.tipo,
        "archivo": row.archivo,
        "valido": all(check["exito"] for check in checks),
        "mensaje": "; ".join(check["mensaje"] for check in checks),
    }
