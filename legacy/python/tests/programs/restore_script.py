"""A script for a bad day: shows what there is, restores one backup aside and a date in place.

Arguments: a number of a backup, a date.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from urllib.parse import urlsplit

from database import DatabaseOfParts

from respaldo.backup_incremental_service import BackupIncrementalService
from respaldo.backup_manager import BackupManager
from respaldo.restore_service import RestoreService


def connect() -> DatabaseOfParts:
    """The database from the address in the environment."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return DatabaseOfParts(
        host=url.hostname or "localhost",
        port=url.port or 5432,
        name=url.path[1:],
        user=url.username or "",
        password=url.password or "",
    )


def main() -> None:
    backup_id, date = int(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    db = connect()
    backup_service = BackupIncrementalService(db)
    restore_service = RestoreService(db, backup_service)
    manager = BackupManager(db)

    preview = restore_service.preview_restore(date)
    nothing = restore_service.preview_restore(datetime(2001, 1, 1))
    unknown = manager.restore_from_backup_id(123, "other_db")
    aside = manager.restore_from_backup_id(backup_id, "other_db")
    again = restore_service.restore_from_backup_id(backup_id, target_db="other_db")
    in_place = manager.restore_to_date(date)
    print(
        json.dumps(
            {
                "vista": preview,
                "nada": nothing,
                "desconocido": unknown,
                "aparte": aside,
                "otra_vez": {"exitoso": again.exitoso, "mensaje": again.mensaje},
                "en_su_lugar": in_place,
                "lista": manager.list_backups(),
                "perdidos": manager.check_missed_backups(),
            },
            default=str,
        )
    )


if __name__ == "__main__":
    main()
