"""What people do in the application's window of backups, button by button.

Arguments: the folder of the copies, a database to restore into.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, List

from database import DatabaseWithUrl

from respaldo.backup_incremental_service import BackupIncrementalService
from respaldo.backup_manager import BackupManager
from respaldo.cloud_storage_service import CloudStorageService
from respaldo.restore_service import RestoreService


class BackupView:
    """The window."""

    def __init__(self, db: DatabaseWithUrl) -> None:
        self.db = db
        self.manager = BackupManager(db)
        self.backup_service = BackupIncrementalService(db)
        self.restore_service = RestoreService(db, self.backup_service)

    def run_now(self, kind: str) -> str:
        """A button of "Ejecutar Backup Ahora"; the toast."""
        result = self.manager.execute_scheduled_backup(kind)
        if not result["exitoso"]:
            return f"Error: {result['error']}"
        return f"{result['tipo']} en {result['duracion_segundos']:.1f} s: {result['mensaje']}"

    def history(self, kind: str = "Todas", search: str = "") -> List[Dict[str, Any]]:
        """The table: filtered in memory, newest first."""
        rows = self.manager.backup_service.list_backups(limit=500)
        if kind != "Todas":
            rows = [row for row in rows if row["tipo"] == kind]
        rows = [row for row in rows if search.lower() in row["archivo"].lower()]
        return sorted(rows, key=lambda row: row["fecha_inicio"], reverse=True)

    def cells(self, row: Dict[str, Any]) -> List[str]:
        """A line of the table."""
        size = f"{row['tamano'] / (1024 * 1024):.2f} MB"
        return [row["tipo"], size, row["fecha_inicio"].strftime("%d/%m/%Y %H:%M"), row["estado"]]

    def save_schedules(self) -> bool:
        """Button "Guardar Horarios": whole hours, minutes stay."""
        return all(
            [
                self.manager.set_schedule("FULL", day=31, hour=4),
                self.manager.set_schedule("DIFERENCIAL", weekday=5, hour=22),
                self.manager.set_schedule("INCREMENTAL", hour=13),
            ]
        )

    def validate(self, row: Dict[str, Any]) -> bool:
        """The row's button "validar"."""
        return bool(self.restore_service.validate_backup_chain(row["id"])["valido"])

    def upload(self, row: Dict[str, Any], folder: str) -> Dict[str, Any]:
        """The row's button "subir": saves the form, then copies."""
        config = {"enabled": False, "sync_dir": folder, "provider": "LOCAL"}
        self.db.set_config("backup_cloud_config", json.dumps(config), tipo="TEXT")
        cloud = CloudStorageService(self.db, provider="LOCAL", config=config)
        result = cloud.upload_backup(row["archivo"], row["id"], row["tipo"])
        return {"exitoso": result.exitoso, "url": result.url, "bytes": result.tamaño_bytes}

    def restore(self, row: Dict[str, Any], target: str) -> Dict[str, Any]:
        """The row's button "restaurar": the dialog names the chain, then it is done."""
        info = self.manager.get_backup_chain_info(row["fecha_inicio"])
        if not info["existe"]:
            raise SystemExit(info["mensaje"])
        listed = [(one["tipo"], os.path.basename(one["archivo"])) for one in info["backups"]]
        result = self.manager.restore_to_date(row["fecha_inicio"], target_db=target)
        return {"dialogo": listed, "mb": info["tamano_total_mb"], **result}

    def delete(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """The row's button "eliminar"."""
        return self.manager.delete_backup(row["id"])


def main() -> None:
    folder, target = sys.argv[1:]
    view = BackupView(DatabaseWithUrl(os.environ["DATABASE_URL"]))
    toasts = [view.run_now(kind) for kind in ("FULL", "DIFERENCIAL", "INCREMENTAL")]
    rows = view.history()
    newest, oldest = rows[0], rows[-1]
    told = {
        "avisos": toasts,
        "celdas": [view.cells(row) for row in rows],
        "filtrados": [row["tipo"] for row in view.history("DIFERENCIAL", "dif_")],
        "horarios": view.save_schedules() and view.manager.schedules,
        "valido": view.validate(newest),
        "subido": view.upload(newest, folder),
        "en_la_nube": sorted(row["tipo"] for row in view.history() if row["nube_subido"]),
        "restaurado": view.restore(newest, target),
        "eliminar_base": view.delete(oldest),
        "eliminar": view.delete(newest),
        "quedan": [row["tipo"] for row in view.history()],
    }
    print(json.dumps(told, default=str))


if __name__ == "__main__":
    main()
