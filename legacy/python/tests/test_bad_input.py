"""A server that is not there and a password that is wrong: what programs are told.

``UNREACHABLE`` and ``WRONG_PASSWORD`` are addresses; the password in the latter is ``clave-mala-7``.
"""

from __future__ import annotations

import logging
import os
import unittest
from datetime import datetime
from typing import Any, Callable

from respaldo import BackupManager, BackupService, CloudStorageService, RespaldoError

PASSWORD = "clave-mala-7"


class BadInput(unittest.TestCase):
    def fails_well(self, url: str, sentence: str) -> None:
        manager = BackupManager(url)
        calls: "list[Callable[[], Any]]" = [
            lambda: manager.create_backup("FULL"),
            lambda: BackupService("b", db=url).create_backup("daily"),
            lambda: BackupService("b", db=url).restore_backup("b.sql"),
        ]
        said = []
        with self.assertLogs("respaldo", logging.DEBUG) as logged:
            for call in calls:
                with self.assertRaises(RespaldoError) as failed:
                    call()
                said.append(str(failed.exception) + repr(vars(failed.exception)))
            self.assertIn(sentence, said[0])
            run = manager.execute_scheduled_backup("INCREMENTAL")
            self.assertIs(run["exitoso"], False)
            self.assertIn(sentence, run["error"])
            made = manager.execute_missed_backups(["FULL"])
            self.assertEqual(made, {"FULL": False})
            restored = manager.restore_from_backup_id(1, "otra")
            self.assertIs(restored["exitoso"], False)
            self.assertIs(manager.restore_to_date(datetime.now())["exitoso"], False)
            self.assertIn("existe", manager.get_backup_chain_info(datetime.now()))
            self.assertIs(manager.set_schedule("FULL", hour=1), False)
            self.assertIs(manager.delete_backup(1)["exitoso"], False)
            upload = CloudStorageService(url).upload_backup("f", 1, "FULL")
            self.assertIs(upload.exitoso, False)
            # The usual hours hold, so that a window has something to show.
            self.assertEqual(
                set(manager.get_next_backup_times()), {"FULL", "DIFERENCIAL", "INCREMENTAL"}
            )
        everything = "\n".join([*said, *logged.output, repr(run), repr(restored), repr(upload)])
        self.assertNotIn(PASSWORD, everything)

    def test_a_server_that_is_not_there(self) -> None:
        self.fails_well(os.environ["UNREACHABLE"], "no se puede llegar a la base de datos")

    def test_a_wrong_password_is_told_and_not_repeated(self) -> None:
        self.fails_well(os.environ["WRONG_PASSWORD"], "la base de datos no admite este rol")


if __name__ == "__main__":
    unittest.main()
