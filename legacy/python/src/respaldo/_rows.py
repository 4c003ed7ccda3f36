"""The rows of the catalog as ``respaldo list`` prints them, and the sums over them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ._program import Program
from ._values import Moment, as_moment, gigabytes, megabytes, parse_time, rfc3339

#: The types that a backup is asked for by, in the order in which missed ones are made up.
SCHEDULED_TYPES = ("FULL", "DIFERENCIAL", "INCREMENTAL")
#: Each type that can be asked for, and the word of the command line for it.
KIND_WORDS = {"FULL": "full", "DIFERENCIAL": "dif", "INCREMENTAL": "inc", "MANUAL": "manual"}
COMPLETED = "COMPLETADO"
_ALL = "4294967295"


@dataclass(frozen=True)
class Row:
    """One backup, ours or of the existing system. Times are aware, sizes in bytes."""

    id: Optional[int]
    tipo: str
    archivo: str
    nombre: str
    fecha_inicio: datetime
    fecha_fin: datetime
    tamano: Optional[int]
    checksum: Optional[str]
    estado: str
    nube_subido: bool
    nube_url: Optional[str]
    nube_proveedor: Optional[str]
    backup_base_id: Optional[int]
    lsn_inicio: Optional[str]
    lsn_fin: Optional[str]
    propio: bool

    @property
    def reference(self) -> str:
        """What the command line knows it by. The name of one of ours serves without a catalog, too."""
        return self.nombre if self.propio or self.id is None else str(self.id)


def row_of(entry: Mapping[str, Any]) -> Row:
    """One element of the list."""
    return Row(
        id=entry["id"],
        tipo=entry["tipo"],
        archivo=entry["archivo"],
        nombre=entry["nombre"],
        fecha_inicio=parse_time(entry["fecha_inicio"]),
        fecha_fin=parse_time(entry["fecha_fin"]),
        tamano=entry["tamano"],
        checksum=entry["checksum"],
        estado=entry["estado"],
        nube_subido=entry["nube_subido"],
        nube_url=entry.get("nube_url"),
        nube_proveedor=entry.get("nube_proveedor"),
        backup_base_id=entry["backup_base_id"],
        lsn_inicio=entry.get("lsn_inicio"),
        lsn_fin=entry.get("lsn_fin"),
        propio=entry["propio"],
    )


def completed(
    program: Program, tipo: Optional[str] = None, limit: Optional[int] = None
) -> List[Row]:
    """Completed backups, newest first; of one type, at most ``limit`` of them."""
    arguments = ["list"]
    # MANUAL is a type of old rows alone: ours are of type FULL, so all are looked through.
    if tipo in SCHEDULED_TYPES:
        arguments.append(f"--kind={KIND_WORDS[tipo]}")
    is_exact = tipo is None
    arguments.append(f"--limit={limit if is_exact and limit is not None else _ALL}")
    rows = [row_of(entry) for entry in program.look(*arguments)]
    wanted = [row for row in rows if tipo is None or row.tipo == tipo]
    return wanted if limit is None else wanted[:limit]


def find(program: Program, backup_id: Any) -> Optional[Row]:
    """The backup with this number, in whatever state; ``None`` where there is none."""
    number = number_of(backup_id)
    if number is None:
        return None
    entries = program.look("list", "--all-states", f"--limit={_ALL}")
    return next((row_of(entry) for entry in entries if entry["id"] == number), None)


def number_of(backup_id: Any) -> Optional[int]:
    """A backup's number as programs pass it; ``None`` for what is none."""
    if not isinstance(backup_id, (int, str)) or isinstance(backup_id, bool):
        return None
    try:
        number = int(backup_id)
    except ValueError:
        return None
    return number if 0 <= number < 2**63 else None


def point_of(program: Program, when: Moment) -> List[str]:
    """The options that name the restore point of a date.

    A program that shows a list passes a backup's own ``fecha_inicio``, by which the existing services
    tell them apart, and means that backup. Any other date means the newest backup that saw nothing
    later than it: a backup's data is that of its snapshot, some moments after its begin.
    """
    moment = as_moment(when)
    for row in completed(program):
        if row.fecha_inicio == moment:
            return [f"--id={row.reference}"]
    return [f"--at={rfc3339(moment)}"]


def stats(rows: Iterable[Row]) -> Dict[str, Dict[str, Any]]:
    """Counts and sizes per type, and of all as ``_total``. Sums are :class:`~decimal.Decimal`."""
    by_type: Dict[str, List[Row]] = {}
    for row in rows:
        by_type.setdefault(row.tipo, []).append(row)
    found: Dict[str, Dict[str, Any]] = {}
    for tipo, of_type in sorted(by_type.items()):
        size = total(of_type)
        found[tipo] = {
            "cantidad": len(of_type),
            "tamano_bytes": size,
            "tamano_mb": megabytes(size),
            "primero": min(row.fecha_inicio for row in of_type),
            "ultimo": max(row.fecha_inicio for row in of_type),
        }
    everything = [row for of_type in by_type.values() for row in of_type]
    size = total(everything)
    found["_total"] = {
        "cantidad": len(everything),
        "tamano_bytes": size,
        "tamano_mb": megabytes(size),
        "tamano_gb": gigabytes(size),
    }
    return found


def space(rows: Iterable[Row]) -> Dict[str, Any]:
    """Space per type and of all. Sums are :class:`~decimal.Decimal`."""
    by_type = stats(rows)
    everything = by_type.pop("_total")
    return {
        "por_tipo": {
            tipo: {
                "bytes": one["tamano_bytes"],
                "mb": one["tamano_mb"],
                "gb": gigabytes(one["tamano_bytes"]),
                "cantidad": one["cantidad"],
            }
            for tipo, one in by_type.items()
        },
        "total": {
            "bytes": everything["tamano_bytes"],
            "mb": everything["tamano_mb"],
            "gb": everything["tamano_gb"],
        },
    }


def points(rows: Iterable[Row], limit: int) -> List[Dict[str, Any]]:
    """The days that have backups, newest first, at most ``limit`` of them."""
    days: Dict[date, List[datetime]] = {}
    for row in rows:
        days.setdefault(row.fecha_inicio.date(), []).append(row.fecha_inicio)
    return [
        {
            "fecha": day,
            "cantidad_backups": len(times),
            "primero": min(times),
            "ultimo": max(times),
        }
        for day, times in sorted(days.items(), reverse=True)[: max(limit, 0)]
    ]


def total(rows: Iterable[Row]) -> Decimal:
    """The sum of their sizes."""
    return sum((Decimal(row.tamano or 0) for row in rows), Decimal(0))


def checks_of_file(row: Row) -> List[Dict[str, Any]]:
    """Looks at the file of a backup that has no manifest, as one of the existing system."""
    path = Path(row.archivo)
    is_there = path.is_file()
    there = "el archivo existe" if is_there else f"no existe el archivo {row.archivo}"
    checks = [{"tipo": "existencia_archivo", "exito": is_there, "mensaje": there}]
    if is_there and row.checksum:
        is_same = sha256_of(path) == row.checksum
        words = "la suma es la registrada" if is_same else "la suma no es la registrada"
        checks.append({"tipo": "checksum", "exito": is_same, "mensaje": words})
    return checks


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
