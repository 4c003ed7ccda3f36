"""The copy of backups in a second place: ``CloudStorageService`` and ``CloudUploadResult``."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Union

from . import _rows
from ._program import Program, home, known_repository
from ._rows import Row
from ._values import gigabytes, megabytes
from .errors import RespaldoError

__all__ = ["CloudStorageService", "CloudUploadResult"]

LOG = logging.getLogger("respaldo")

#: The providers that a program can name, and the words of the command line for them.
_PROVIDERS = {"LOCAL": "local", "GOOGLE_DRIVE": "google-drive", "S3": "s3"}


@dataclass
class CloudUploadResult:
    """What became of an upload. ``url`` is where the copy is: a path, of another provider an address."""

    exitoso: bool
    url: Optional[str] = None
    mensaje: str = ""
    tiempo_segundos: float = 0.0
    tamaño_bytes: int = 0


class CloudStorageService:
    """Copies of single backups in a second place.

    ``provider`` is LOCAL, GOOGLE_DRIVE or S3. ``config`` may hold ``sync_dir``, the folder of LOCAL;
    without it the one that is stored (``backup_cloud_config``) counts. The other providers are sinks
    of the configuration of respaldo with ``follows_panel = true``. ``backup_dir`` in ``config`` names
    the repository, where it is neither configured nor was given to another service of this ``db``.
    """

    def __init__(
        self,
        db: Any = None,
        provider: str = "LOCAL",
        config: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.db = db
        self.provider = str(provider).upper()
        self.config: Dict[str, Any] = dict(config or {})
        if self.provider not in _PROVIDERS:
            known = ", ".join(_PROVIDERS)
            raise ValueError(f"proveedor desconocido: {provider!r}; los hay de {known}")
        named = self.config.get("backup_dir")
        folder = str(home() / str(named)) if named else known_repository(db)
        self.program = Program(db, RESPALDO_REPOSITORY__DIR=folder)

    def upload_backup(self, file: Union[str, Path], id: int, type: str) -> CloudUploadResult:
        """Copies a backup, and every backup that it is restored from. Never raises.

        ``file`` must be the archive of the backup ``id``. ``tamaño_bytes`` is its size.
        """
        began = time.monotonic()
        try:
            row = self._row(id)
            # The path may be that of another system's machine.
            if re.split(r"[\\/]", str(file))[-1] != row.nombre:
                raise ValueError(f"{file} no es el archivo del backup {id}, que es {row.archivo}")
            answer = self.program.work("cloud", "upload", row.reference, *self._place())
        except (RespaldoError, TypeError, ValueError) as error:
            LOG.error("no se copió el backup %s (%s): %s", id, type, error)
            return CloudUploadResult(False, None, str(error), _since(began))
        words = [answer["mensaje"], *(one["motivo"] for one in answer["fallidos"])]
        done = bool(answer["exitoso"])
        size = row.tamano or 0
        return CloudUploadResult(
            exitoso=done,
            url=answer.get("url") if done else None,
            mensaje="; ".join(words),
            tiempo_segundos=_since(began),
            tamaño_bytes=size if done else 0,
        )

    def list_cloud_backups(self) -> List[Dict[str, Any]]:
        """Backups that have a copy in a second place, newest first."""
        return [
            {
                "id": row.id,
                "tipo": row.tipo,
                "archivo": row.archivo,
                "fecha": row.fecha_inicio,
                "nube_subido": row.nube_subido,
                "nube_url": row.nube_url,
                "proveedor": row.nube_proveedor,
                "tamaño_bytes": row.tamano,
            }
            for row in self._copied()
        ]

    def get_cloud_usage_stats(self) -> Dict[str, Dict[str, Any]]:
        """Copies per provider, and of all under ``_total``; sums are ``Decimal``."""
        by_provider: Dict[str, List[Row]] = {}
        for row in self._copied():
            by_provider.setdefault(row.nube_proveedor or "LOCAL", []).append(row)
        found: Dict[str, Dict[str, Any]] = {
            provider: {"cantidad": len(rows), **_sizes(rows)}
            for provider, rows in sorted(by_provider.items())
        }
        found["_total"] = _sizes([row for rows in by_provider.values() for row in rows])
        return found

    def download_backup(self, id: int, dir: Union[str, Path]) -> Optional[str]:
        """Copies the archive back from its second place into a folder; its path. Never raises.

        ``None``, with the reason in the log, where there is no copy in a folder that this machine
        reaches, or where it is not, byte for byte, what was stored. What it takes the place of in ``dir``
        stays until then.
        """
        try:
            return str(_fetch(self._row(id), Path(dir)))
        except (OSError, RespaldoError, TypeError, ValueError) as error:
            LOG.error("no se trajo el backup %s: %s", id, error)
            return None

    def delete_cloud_backup(self, id: int) -> bool:
        """Removes the copy of a backup; the backup itself stays. Never raises.

        False, with the reason in the log, where another copy there is restored from it, where no other
        place has it, or where it fails.
        """
        try:
            row = self._row(id)
            self.program.work("cloud", "remove", row.reference, *self._place())
        except (RespaldoError, ValueError) as error:
            LOG.error("no se quitó la copia del backup %s: %s", id, error)
            return False
        return True

    def _place(self) -> List[str]:
        folder = self.config.get("sync_dir")
        place = [f"--provider={_PROVIDERS[self.provider]}"]
        return [*place, f"--sync-dir={home() / str(folder)}"] if folder else place

    def _row(self, id: Any) -> Row:
        row = _rows.find(self.program, id)
        if row is None:
            raise ValueError(f"no hay un backup con el número {id}")
        return row

    def _copied(self) -> List[Row]:
        return [row for row in _rows.completed(self.program) if row.nube_subido]


def _sizes(rows: List[Row]) -> Dict[str, Any]:
    size = _rows.total(rows)
    return {"bytes": size, "mb": megabytes(size), "gb": gigabytes(size)}


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


def _fetch(row: Row, folder: Path) -> Path:
    if not row.nube_subido or not row.nube_url:
        raise ValueError("no tiene copia en un segundo lugar")
    source, target = Path(row.nube_url), folder / row.nombre
    if not source.is_file():
        raise ValueError(
            f"{row.nube_url} no es un archivo que se alcance desde esta máquina; "
            f"respaldo export --id {row.reference} -o ARCHIVO escribe uno desde cualquier destino"
        )
    if target.exists() and target.samefile(source):
        raise ValueError(f"{target} es la copia misma")
    folder.mkdir(parents=True, exist_ok=True)
    copy_verified(source, target, row.checksum)
    return target


def copy_verified(source: Path, target: Path, checksum: Optional[str]) -> None:
    """Copies a file so that the target is whole or as it was; ``ValueError`` for another checksum."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=str(target.parent))
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, source.open("rb") as file:
            shutil.copyfileobj(file, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        wanted = checksum or _rows.sha256_of(source)
        if _rows.sha256_of(part) != wanted:
            raise ValueError(f"{source} no tiene la suma registrada: la copia está dañada")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
