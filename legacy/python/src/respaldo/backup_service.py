"""Whole dumps without the engine, daily, weekly, monthly and by hand: ``BackupService``."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Union

from . import _schedules
from ._program import Program, home
from ._progress import ProgressCallback, tell
from ._values import naive_time
from .cloud_storage_service import copy_verified
from .errors import RespaldoError
from .restore_service import maintenance_user, message_of

__all__ = ["BackupService", "DEFAULT_DIR"]

LOG = logging.getLogger("respaldo")

#: The folder where a program names none and neither its settings nor respaldo's do.
DEFAULT_DIR = "backups"
#: The types, in the order in which missed ones are made up, with their fixed hours.
_RULES: Dict[str, _schedules.Rule] = {
    "daily": {"hour": 23, "minute": 0},
    "weekly": {"weekday": 6, "hour": 23, "minute": 30},
    "monthly": {"day": 1, "hour": 0, "minute": 0},
}
_WORDS = {
    "daily": "Diario a las 23:00",
    "weekly": "Domingo a las 23:30",
    "monthly": "Día 1 a 00:00",
}
_TYPES = (*_RULES, "manual")


class BackupService:
    """The legacy service: plan B, which uses a login, ``pg_dump``, ``pg_restore`` and a folder.

    ``backup_dir`` and ``sync_dir`` that the user chose (``~/.nexoryn/backup_settings.json``) count where
    the program leaves them as they are. ``incremental_dir`` is kept and used for nothing: archives of
    the professional system are not listed here, since alone they restore nothing or a part.
    """

    def __init__(
        self,
        backup_dir: Union[str, Path] = DEFAULT_DIR,
        pg_bin_path: Union[str, Path, None] = None,
        sync_dir: Union[str, Path, None] = None,
        incremental_dir: Union[str, Path, None] = None,
        db: Any = None,
    ) -> None:
        self.db = db
        self.pg_bin_path = pg_bin_path
        self.incremental_dir = None if incremental_dir is None else Path(incremental_dir)
        stored = _stored()
        self._backup_dir: Optional[str] = str(backup_dir)
        if self._backup_dir == DEFAULT_DIR:
            self._backup_dir = stored.get("backup_dir")
        self._sync_dir = stored.get("sync_dir") if sync_dir is None else str(sync_dir)
        self._last_sync: Optional[Dict[str, Any]] = None

    # Backups

    def create_backup(self, type: str = "manual") -> str:
        """Makes a whole dump; its path. Types that are none are made as ``manual``.

        It is copied to the folder for copies, where there is one; that the copy failed is told by
        :meth:`get_last_sync_status` alone. Raises :class:`~respaldo.RespaldoError`, a
        ``RuntimeError``, with the sentence.
        """
        kind = type if type in _TYPES else "manual"
        made = self._program().work("legacy", "backup", kind)
        copied = made.get("sincronizacion")
        if copied is not None:
            self._last_sync = _sync_status(copied)
        return str(made["archivo"])

    def restore_backup(self, path: Union[str, Path]) -> None:
        """Restores a dump over the configured database, which is kept under another name.

        Raises :class:`~respaldo.RespaldoError` with the sentence; then nothing was changed.
        """
        program = self._program().with_variables(maintenance_user(self.db))
        # A name is looked for among those that are listed, a path as it is.
        file = str(path)
        restored = program.work("legacy", "restore", "--replace", "--yes", "--", file)
        LOG.warning("%s", message_of(restored))

    def list_backups(self) -> List[Dict[str, Any]]:
        """The files of its folders, newest first; ``created`` is naive and local."""
        return [
            {
                "name": one["name"],
                "path": one["path"],
                "type": one["type"],
                "size": one["size"],
                "created": naive_time(one["created"]),
            }
            for one in self._program().look("legacy", "list")
        ]

    def prune_backups(self, policy: Optional[Mapping[str, int]] = None) -> List[str]:
        """Removes own files beyond the count of their type; the paths of those that went.

        ``policy`` has counts per type (``{"daily": 7}``); what it does not name keeps its count.
        """
        counts = dict(policy or {})
        for kind, count in counts.items():
            if (
                kind not in _TYPES
                or isinstance(count, bool)
                or not isinstance(count, int)
                or count < 1
            ):
                raise ValueError(f"no es una cantidad de copias que guardar: {kind!r}: {count!r}")
        variables = {f"RESPALDO_LEGACY__KEEP_{kind.upper()}": str(n) for kind, n in counts.items()}
        answer = self._program().with_variables(variables).work("legacy", "prune")
        return [one["path"] for one in answer["eliminados"]]

    # Folders

    def get_backup_dir(self) -> str:
        """The folder of the dumps, as an absolute path."""
        return str(home() / (self._backup_dir or self._status()["carpeta"]))

    def set_backup_dir(self, path: Union[str, Path]) -> None:
        """Chooses another folder, and stores that for the next start."""
        self._backup_dir = str(home() / path)
        _store("backup_dir", self._backup_dir)

    def get_sync_dir(self) -> Optional[str]:
        """The folder for copies; ``None`` where there is none."""
        return self._sync_dir or self._status()["carpeta_copia"]

    def set_sync_dir(self, path: Union[str, Path, None]) -> None:
        """Chooses another folder for copies, or none, and stores that for the next start."""
        self._sync_dir = str(home() / path) if path else None
        _store("sync_dir", self._sync_dir)

    def is_sync_enabled(self) -> bool:
        """Whether dumps are copied."""
        return bool(self.get_sync_dir())

    def copy_to_sync(self, path: Union[str, Path]) -> bool:
        """Copies a file to the folder for copies and compares it. Never raises."""
        source = Path(path)
        status: Dict[str, Any] = {
            "success": False,
            "file": source.name,
            "destination": "",
            "timestamp": datetime.now(),
        }
        try:
            folder = self.get_sync_dir()
            if not folder:
                raise ValueError("no hay una carpeta para las copias")
            target = Path(folder) / source.name
            status["destination"] = str(target)
            # A folder that is not there may be a disk that is not plugged in: it is not made.
            copy_verified(source, target, None)
            status.update(success=True, size=target.stat().st_size)
        except (OSError, ValueError, RespaldoError) as error:
            LOG.error("no se copió %s: %s", source, error)
            status["error"] = str(error)
        self._last_sync = status
        return bool(status["success"])

    def get_last_sync_status(self) -> Optional[Dict[str, Any]]:
        """How the last copy of this service went: ``success``, ``file``, ``destination``,
        ``timestamp`` (naive and local), and ``size`` or ``error``; ``None`` before the first."""
        return None if self._last_sync is None else dict(self._last_sync)

    # Hours

    def get_next_backup_times(self) -> Dict[str, Dict[str, Any]]:
        """Per type ``next_run``, naive and local, and ``schedule``, the rule in words."""
        kinds = {one["tipo"]: one for one in self._status()["tipos"]}
        return {
            kind: {"next_run": naive_time(kinds[kind]["next_run"]), "schedule": _WORDS[kind]}
            for kind in _RULES
        }

    @staticmethod
    def format_time_until(dt: datetime) -> str:
        """How long it is until a moment, in words: ``2 días y 3 horas``; ``ahora`` once it has come."""
        now = datetime.now(dt.tzinfo)
        minutes = int((dt - now + timedelta(seconds=59)).total_seconds() // 60)
        if minutes <= 0:
            return "ahora"
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        parts = [(days, "día", "días"), (hours, "hora", "horas"), (minutes, "minuto", "minutos")]
        said = [f"{n} {one if n == 1 else many}" for n, one, many in parts if n]
        return " y ".join(said[:2])

    def get_last_required_run_date(self, type: str) -> datetime:
        """When a dump of this type was due last, naive and local. ``ValueError`` for another type."""
        if type not in _RULES:
            raise ValueError(f"tipo de backup sin horario: {type!r}")
        return _schedules.last_required(_RULES[type], datetime.now())

    def check_missed_backups(self, db: Any = None) -> List[str]:
        """The types that were missed, in the order daily, weekly, monthly."""
        kinds = {one["tipo"]: one for one in self._status(db)["tipos"]}
        return [kind for kind in _RULES if kinds[kind]["pendiente"]]

    def record_backup_execution(self, db: Any, type: str) -> bool:
        """Whether a run of this type is on record. :meth:`create_backup` records its own."""
        kinds = {one["tipo"]: one for one in self._status(db)["tipos"]}
        return bool(kinds.get(type, {}).get("ultimo"))

    def execute_missed_backups(
        self,
        db: Any,
        types: Iterable[str],
        cb: Optional[ProgressCallback] = None,
    ) -> Dict[str, bool]:
        """Makes dumps of these types in the order daily, weekly, monthly. Never raises.

        ``cb`` is told the type, ``running``, ``completed`` or ``failed``, its place from 1, and how many
        there are.
        """
        wanted = list(types)
        known = [kind for kind in _RULES if kind in wanted]
        made = {other: False for other in wanted if other not in known}
        for index, kind in enumerate(known, start=1):
            tell(cb, kind, "running", index, len(known))
            made[kind] = self._make_up(kind, db)
            tell(cb, kind, "completed" if made[kind] else "failed", index, len(known))
        return made

    def _make_up(self, kind: str, db: Any) -> bool:
        try:
            self._program(db).work("legacy", "backup", kind)
        except Exception as error:
            LOG.error("falló el backup %s: %s", kind, error)
            return False
        return True

    def _status(self, db: Any = None) -> Dict[str, Any]:
        status: Dict[str, Any] = self._program(db).look("legacy", "status")
        return status

    def _program(self, db: Any = None) -> Program:
        return Program(
            self.db if db is None else db,
            RESPALDO_LEGACY__DIR=str(home() / self._backup_dir) if self._backup_dir else None,
            RESPALDO_LEGACY__SYNC_DIR=str(home() / self._sync_dir) if self._sync_dir else None,
            PG_BIN_PATH=None if self.pg_bin_path is None else str(self.pg_bin_path),
        )


def _sync_status(copied: Mapping[str, Any]) -> Dict[str, Any]:
    status = dict(copied)
    status["timestamp"] = naive_time(copied["timestamp"])
    return status


def _settings_file() -> Path:
    return Path.home() / ".nexoryn" / "backup_settings.json"


def _stored() -> Dict[str, str]:
    """What the user chose; a file that is missing or cannot be read says nothing."""
    try:
        stored = json.loads(_settings_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {key: value for key, value in stored.items() if isinstance(value, str) and value}


def _store(key: str, value: Optional[str]) -> None:
    """Stores a choice, or takes it out; what else is there stays."""
    file = _settings_file()
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = {}
    stored = stored if isinstance(stored, dict) else {}
    if value is None:
        stored.pop(key, None)
    else:
        stored[key] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(stored, indent=2, ensure_ascii=False), encoding="utf-8")
    part.replace(file)
