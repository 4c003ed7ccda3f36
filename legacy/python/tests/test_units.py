"""What needs no server: which database is meant, times, the program and its answers."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import textwrap
import time
import unittest
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Iterator, Optional
from unittest import mock

import respaldo
from respaldo import _schedules, _values
from respaldo._program import LIMITS, Program
from respaldo.backup_incremental_service import BackupIncrementalService
from respaldo.backup_manager import BackupManager
from respaldo.backup_service import BackupService
from respaldo.cloud_storage_service import CloudStorageService
from respaldo.restore_service import RestoreService


class Fields:
    """An object with attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def set_by(db: Any) -> Dict[str, str]:
    """The variables that are set, without those that are taken out."""
    return {
        key: value for key, value in respaldo.database_variables(db).items() if value is not None
    }


@contextmanager
def environment(**variables: Optional[str]) -> Iterator[None]:
    """An environment without any setting of ours but these."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RESPALDO_", "DB_", "PG", "DATABASE_"))
    }
    clean.update({name: value for name, value in variables.items() if value is not None})
    with mock.patch.dict(os.environ, clean, clear=True):
        yield


@contextmanager
def program(script: str, **variables: str) -> Iterator[Path]:
    """A program in respaldo's place: a Python script."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "respaldo"
        file.write_text(f"#!{sys.executable}\n{textwrap.dedent(script)}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        with environment(RESPALDO_BIN=str(file), **variables):
            yield Path(folder)


FAILING = """
import json, sys
sys.stderr.write("a line with geheim123 in it")
print(json.dumps({"exitoso": False, "mensaje": "no se pudo", "error":
    {"codigo": "dump-failed", "detalle": "password geheim123 refused", "sugerencia": "Revise."}}))
sys.exit(12)
"""


class WhichDatabase(unittest.TestCase):
    def test_none_and_what_tells_nothing_leave_it_to_the_environment(self) -> None:
        for db in (None, object(), Fields(pool=3), mock.MagicMock(), Fields(db_config={})):
            self.assertEqual(respaldo.database_variables(db), {}, db)

    def test_a_url_is_handed_over_as_it_is_and_nothing_else_speaks(self) -> None:
        url = "postgresql://ana:p%40ss@db:5433/ventas?sslmode=require"
        for db in (url, Fields(database_url=url), Fields(dsn=url), {"url": url}):
            with environment(DB_HOST="other", DATABASE_URL="postgresql://other/"):
                sent = Program(db).environment()
            self.assertEqual(sent["DATABASE_URL"], url)
            self.assertNotIn("DB_HOST", sent)

    def test_the_driver_in_a_scheme_names_no_database(self) -> None:
        told = set_by("postgresql+psycopg://ana@db/ventas")
        self.assertEqual(told, {"DATABASE_URL": "postgresql://ana@db/ventas"})

    def test_parts_are_handed_over_raw(self) -> None:
        parts = {
            "host": "h",
            "port": 5433,
            "name": "caja fuerte",
            "user": "ana",
            "password": "p@s/s",
        }
        wanted = {
            "DB_HOST": "h",
            "DB_PORT": "5433",
            "DB_NAME": "caja fuerte",
            "DB_USER": "ana",
            "DB_PASSWORD": "p@s/s",
        }
        named = {
            "hostname": "h",
            "port": 5433,
            "dbname": "caja fuerte",
            "username": "ana",
            "password": "p@s/s",
        }
        for db in (
            parts,
            named,
            Fields(**parts),
            Fields(info=Fields(**{**parts, "dbname": "caja fuerte"})),
            Fields(get_db_config=lambda: parts),
            Fields(db_config=parts),
        ):
            self.assertEqual(set_by(db), wanted, db)
        self.assertIsNone(respaldo.database_variables(parts)["DATABASE_URL"])

    def test_words_of_libpq_become_a_url(self) -> None:
        told = set_by(
            r"host=/run/pg port=5433 dbname='la caja' user=ana password='p\'w d' sslmode=disable"
        )
        url = "postgresql://ana:p%27w%20d@/la%20caja?host=%2Frun%2Fpg&port=5433&sslmode=disable"
        self.assertEqual(told, {"DATABASE_URL": url})

    def test_a_text_that_is_neither_is_refused_and_not_repeated(self) -> None:
        for text in ("", "geheim", "mysql://ana:geheim@db/x", "host=a 'geheim"):
            with self.assertRaises(ValueError) as refused:
                BackupManager(text)
            self.assertNotIn("geheim", str(refused.exception))
        with self.assertRaises(ValueError):
            BackupManager({"colour": "blue"})

    def test_folders_and_tools_are_variables_too(self) -> None:
        with environment():
            usual = BackupIncrementalService(None).program.environment()
            given = BackupIncrementalService(None, "/b", "/pg/bin").program.environment()
            relative = BackupIncrementalService(None, "mine").program.environment()
        self.assertNotIn("RESPALDO_REPOSITORY__DIR", usual)
        self.assertEqual(given["RESPALDO_REPOSITORY__DIR"], "/b")
        self.assertEqual(given["PG_BIN_PATH"], "/pg/bin")
        self.assertEqual(relative["RESPALDO_REPOSITORY__DIR"], str(Path.cwd() / "mine"))

    def test_the_second_place_knows_the_folder_that_another_service_of_the_database_was_given(
        self,
    ) -> None:
        with environment():
            BackupManager("postgresql://ana@db/known", "/repo")
            known = CloudStorageService("postgresql://ana@db/known").program.environment()
            other = CloudStorageService("postgresql://ana@db/other").program.environment()
        self.assertEqual(known["RESPALDO_REPOSITORY__DIR"], "/repo")
        self.assertNotIn("RESPALDO_REPOSITORY__DIR", other)


class Times(unittest.TestCase):
    def test_what_respaldo_prints_is_read_to_the_microsecond(self) -> None:
        at = _values.parse_time("2026-11-29T10:43:36.763623551Z")
        self.assertEqual(at, datetime(2026, 11, 29, 10, 43, 36, 763623, timezone.utc))
        self.assertIsNotNone(at.tzinfo)
        self.assertEqual(_values.parse_time("2026-11-24T02:17:46-03:00").timestamp(), 1795497466)
        for text in ("", "2026-11-29", "2026-11-29T10:43:36", "ayer"):
            with self.assertRaises(ValueError):
                _values.parse_time(text)

    def test_what_programs_pass_is_a_moment(self) -> None:
        naive = datetime(2026, 11, 29, 10, 43, 36)
        here = naive.astimezone()
        for value in (
            naive,
            here,
            here.astimezone(timezone.utc),
            "2026-11-29 10:43:36",
            here.isoformat(),
        ):
            self.assertEqual(_values.as_moment(value), here, value)
        self.assertEqual(
            _values.naive(_values.as_moment(date(2026, 11, 29))), datetime(2026, 11, 29)
        )
        self.assertEqual(_values.as_moment("2026-11-29T00:00:00Z").timestamp(), 1795910400)
        self.assertEqual(
            _values.rfc3339(datetime(2026, 1, 2, tzinfo=timezone.utc)), "2026-01-02T00:00:00Z"
        )
        with self.assertRaises(ValueError):
            _values.as_moment("mañana")
        with self.assertRaises(TypeError):
            _values.as_moment(20261129)  # type: ignore[arg-type]

    def test_sizes_have_two_decimals(self) -> None:
        self.assertEqual(_values.megabytes(Decimal(3 * 1024 * 1024 + 500000)), Decimal("3.48"))
        self.assertIsInstance(_values.gigabytes(Decimal(5)), Decimal)

    def test_the_last_due_time_is_that_of_the_existing_system(self) -> None:
        def last(rule: Dict[str, int], now: datetime) -> datetime:
            return _schedules.last_required(rule, now)

        at = datetime(2026, 3, 10, 12, 0)
        self.assertEqual(last({"day": 31, "hour": 4, "minute": 0}, at), datetime(2026, 2, 28, 4, 0))
        self.assertEqual(last({"day": 10, "hour": 12, "minute": 0}, at), at)
        self.assertEqual(
            last({"day": 10, "hour": 12, "minute": 1}, at), datetime(2026, 2, 10, 12, 1)
        )
        january = datetime(2026, 1, 1)
        self.assertEqual(last({"day": 2, "hour": 0, "minute": 0}, january), datetime(2025, 12, 2))
        sunday = {"weekday": 6, "hour": 23, "minute": 30}
        self.assertEqual(last(sunday, at), datetime(2026, 3, 8, 23, 30))
        self.assertEqual(last(sunday, datetime(2026, 3, 8, 23, 29)), datetime(2026, 3, 1, 23, 30))
        self.assertEqual(last({"hour": 23, "minute": 0}, at), datetime(2026, 3, 9, 23, 0))
        self.assertEqual(last({"hour": 11, "minute": 0}, at), datetime(2026, 3, 10, 11, 0))

    def test_the_type_of_a_minute_is_the_largest_that_is_due(self) -> None:
        rules = {**_schedules.DEFAULTS, "INCREMENTAL": {"hour": 0, "minute": 0}}
        self.assertEqual(_schedules.type_at(rules, datetime(2026, 3, 1, 0, 0, 59)), "FULL")
        self.assertEqual(_schedules.type_at(rules, datetime(2026, 3, 8, 23, 30)), "DIFERENCIAL")
        self.assertEqual(_schedules.type_at(rules, datetime(2026, 3, 8, 23, 31)), "INCREMENTAL")


class TheProgram(unittest.TestCase):
    def test_a_missing_program_is_told_with_what_to_do(self) -> None:
        with environment(RESPALDO_BIN="/nowhere/respaldo"):
            manager = BackupManager(None)
            with self.assertRaises(RuntimeError) as missing:
                manager.list_backups()
            result = manager.execute_scheduled_backup("FULL")
            restored = manager.restore_from_backup_id(1, "otra")
        self.assertIsInstance(missing.exception, FileNotFoundError)
        self.assertIn("/nowhere/respaldo", str(missing.exception))
        self.assertIn("RESPALDO_BIN", str(missing.exception))
        self.assertFalse(result["exitoso"] or restored["exitoso"])
        self.assertIn("no se encontró el programa respaldo", result["error"])
        with environment(PATH="/nowhere"), self.assertRaisesRegex(FileNotFoundError, "PATH"):
            BackupManager(None).list_backups()

    def test_it_is_found_on_the_path_and_beside_the_package(self) -> None:
        with program("print('[]')") as folder:
            with environment(PATH=str(folder)):
                self.assertEqual(respaldo.find_program(), str(folder / "respaldo"))
                self.assertEqual(BackupManager(None).list_backups(), [])
            package = mock.patch("respaldo._program.__file__", str(folder / "_program.py"))
            with environment(PATH="/nowhere"), package:
                self.assertEqual(respaldo.find_program(), str(folder.resolve() / "respaldo"))

    def test_what_is_no_program_is_told(self) -> None:
        with program("print('[]')") as folder:
            (folder / "respaldo").chmod(0o600)
            (folder / "respaldo").write_text("no program")
            with self.assertRaisesRegex(RuntimeError, "no se puede ejecutar"):
                BackupManager(None).list_backups()

    def test_a_failure_is_its_sentence_without_the_password(self) -> None:
        url = "postgresql://ana:geheim123@db/ventas"
        with program(FAILING), self.assertLogs("respaldo", "DEBUG") as logged:
            manager = BackupManager(url)
            with self.assertRaises(respaldo.RespaldoError) as failed:
                manager.create_backup("FULL")
            result = manager.execute_scheduled_backup("FULL")
        error = failed.exception
        self.assertEqual(str(error), "no se pudo: password *** refused. Revise.")
        self.assertEqual((error.codigo, error.codigo_salida), ("dump-failed", 12))
        self.assertEqual(result["error"], str(error))
        self.assertNotIn("geheim123", "\n".join(logged.output) + repr(result) + repr(error))

    def test_passwords_are_in_the_environment_alone(self) -> None:
        script = """
        import json, os, sys
        json.dump({"arguments": sys.argv, "secret": os.environ["DB_PASSWORD"],
                   "extra": [n for n in os.environ if n.startswith("RESPALDO_PY")]}, sys.stdout)
        """
        parts = {"host": "h", "name": "n", "user": "u", "password": "geheim123"}
        with program(script, RESPALDO_PYTHON_WORK_LIMIT_S="5"):
            told = Program(parts).look("list")
        self.assertEqual(told["secret"], "geheim123")
        self.assertNotIn("geheim123", " ".join(told["arguments"]))
        self.assertEqual(told["extra"], [])

    def test_what_takes_too_long_is_stopped(self) -> None:
        script = """
        import signal, sys, time, pathlib
        def stop(*_):
            pathlib.Path(__file__).with_name("stopped").write_text("")
            sys.exit(130)
        signal.signal(signal.SIGTERM, stop)
        time.sleep(60)
        """
        with program(script) as folder, mock.patch.object(LIMITS, "query_s", 1.0):
            began = time.monotonic()
            with self.assertRaises(respaldo.RespaldoTimeoutError) as late:
                BackupManager(None).list_backups()
            self.assertTrue((folder / "stopped").exists(), "it was not asked to stop")
            self.assertLess(time.monotonic() - began, 15)
        self.assertIsInstance(late.exception, TimeoutError)
        self.assertIn("1 segundos", str(late.exception))

    def test_an_answer_that_is_none_is_told(self) -> None:
        with program("print('not json'); raise SystemExit('broken pipe of geheim123')"):
            with self.assertRaises(respaldo.RespaldoError) as failed:
                BackupManager("postgresql://ana:geheim123@db/x").list_backups()
        self.assertIn("código 1", str(failed.exception))
        self.assertIn("broken pipe of ***", str(failed.exception))

    def test_bad_arguments_never_reach_it(self) -> None:
        with program("raise SystemExit('called')"):
            manager = BackupManager(None)
            service = manager.backup_service
            for kind in ("full", "", None, "PARCIAL", 7):
                with self.assertRaises(ValueError):
                    service.create_backup(kind)  # type: ignore[arg-type]
            with self.assertRaises(ValueError):
                service.list_backups(limit=-1)
            with self.assertRaises(ValueError):
                manager.get_last_required_run_time("MANUAL")
            with self.assertRaises(ValueError):
                CloudStorageService(None, "DROPBOX")
            with self.assertRaises(ValueError):
                BackupService().prune_backups({"daily": 0})
            with self.assertRaises(ValueError):
                BackupService().get_last_required_run_date("manual")
            self.assertIsNone(service.get_backup_info("x"))  # type: ignore[arg-type]
            self.assertEqual(manager.get_schedule_for_backup_type("MANUAL"), {})
            self.assertFalse(manager.set_schedule("FULL"))
            self.assertFalse(manager.set_schedule("INCREMENTAL", day=3))
            for bad in ("x", None, -1, 3.5j, True):
                result = RestoreService(None).restore_from_backup_id(bad)  # type: ignore[arg-type]
                self.assertFalse(result.exitoso, bad)
            self.assertFalse(RestoreService(None).restore_to_date("nunca").exitoso)
            self.assertFalse(manager.delete_backup("x")["exitoso"])  # type: ignore[arg-type]
            self.assertEqual(manager.execute_missed_backups(["PARCIAL"]), {"PARCIAL": False})

    def test_schedules_fall_back_to_the_usual_ones(self) -> None:
        with program(FAILING), self.assertLogs("respaldo", "WARNING"):
            self.assertEqual(BackupManager(None).schedules, _schedules.DEFAULTS)

    def test_a_packed_application_keeps_its_backups_beside_its_executable(self) -> None:
        script = "import json, os; print(json.dumps(os.getcwd()))"
        with program(script) as folder:
            frozen = mock.patch.object(sys, "frozen", True, create=True)
            with frozen, mock.patch.object(sys, "executable", str(folder / "app.exe")):
                self.assertEqual(Program(None).look("list"), str(folder.resolve()))
                given = BackupIncrementalService(None, "mine").program.environment()
        self.assertEqual(given["RESPALDO_REPOSITORY__DIR"], str(folder.resolve() / "mine"))

    def test_the_user_of_the_program_is_that_of_restores(self) -> None:
        from respaldo.restore_service import maintenance_user

        with environment():
            self.assertEqual(
                maintenance_user(Fields(current_user_id=7)), {"DB_MAINTENANCE_USER_ID": "7"}
            )
            for nobody in (
                None,
                Fields(current_user_id=None),
                Fields(current_user_id=0),
                mock.MagicMock(),
            ):
                self.assertEqual(maintenance_user(nobody), {})
        with environment(DB_MAINTENANCE_USER_ID="3"):
            self.assertEqual(maintenance_user(Fields(current_user_id=7)), {})


BUSY = """
import json, pathlib, sys
place = pathlib.Path(__file__).parent
if "missed" in sys.argv:
    print(json.dumps({"recuperar": True, "pendientes": MISSED}))
elif (place / "tried").exists():
    print(json.dumps({"exitoso": True, "mensaje": "hecho", "archivo": "/a", "avisos": []}))
else:
    (place / "tried").write_text("")
    print(json.dumps({"exitoso": False, "mensaje": "ocupado", "error":
        {"codigo": "lease-held", "detalle": "", "sugerencia": ""}}))
    sys.exit(11)
"""


class WaitingForOthers(unittest.TestCase):
    def make_up(self, missed: str) -> bool:
        quick = mock.patch("respaldo.backup_manager._TURN_STEP_S", 0.01)
        with program(BUSY.replace("MISSED", missed)) as folder, quick:
            made = BackupManager(None).execute_missed_backups(["FULL"])
            self.assertTrue((folder / "tried").exists())
        return made["FULL"]

    def test_what_another_machine_made_meanwhile_is_made_up(self) -> None:
        self.assertTrue(self.make_up("[]"))

    def test_what_it_did_not_make_is_made_after_it(self) -> None:
        self.assertTrue(self.make_up('[{"tipo": "FULL"}]'))

    def test_the_wait_is_bounded(self) -> None:
        with mock.patch.object(LIMITS, "turn_s", 0.0):
            self.assertFalse(self.make_up('[{"tipo": "FULL"}]'))

    def test_a_window_that_fails_keeps_no_backup_from_being_made(self) -> None:
        def broken(*_: Any) -> None:
            raise RuntimeError("no window")

        answer = 'import json; print(json.dumps({"mensaje": "hecho", "archivo": "/a"}))'
        with program(answer), self.assertLogs("respaldo", "ERROR"):
            made = BackupManager(None).execute_missed_backups(
                ["INCREMENTAL"], progress_callback=broken
            )
        self.assertEqual(made, {"INCREMENTAL": True})


class LegacyWithoutServer(unittest.TestCase):
    def test_what_the_user_chose_counts_where_the_program_leaves_it_as_it_is(self) -> None:
        with tempfile.TemporaryDirectory() as home, environment(HOME=home, USERPROFILE=home):
            chosen = BackupService()
            chosen.set_backup_dir("/elegida")
            chosen.set_sync_dir("/copias")
            again = BackupService()
            self.assertEqual(again.get_backup_dir(), "/elegida")
            self.assertEqual(again.get_sync_dir(), "/copias")
            self.assertTrue(again.is_sync_enabled())
            explicit = BackupService("/otra", sync_dir="/mias")
            self.assertEqual(
                (explicit.get_backup_dir(), explicit.get_sync_dir()), ("/otra", "/mias")
            )
            again.set_sync_dir(None)
            stored = (Path(home) / ".nexoryn" / "backup_settings.json").read_text()
            self.assertNotIn("sync_dir", stored)
            (Path(home) / ".nexoryn" / "backup_settings.json").write_text("not json")
            self.assertIsNone(BackupService()._backup_dir)

    def test_copies_are_whole_or_not_there(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, copies = Path(folder) / "b.sql", Path(folder) / "copias"
            source.write_bytes(b"rows" * 1000)
            service = BackupService(folder, sync_dir=copies)
            self.assertIsNone(service.get_last_sync_status())
            self.assertFalse(
                service.copy_to_sync(source), "a disk that is not plugged in is no folder"
            )
            told = service.get_last_sync_status() or {}
            self.assertEqual(set(told), {"success", "file", "destination", "timestamp", "error"})
            copies.mkdir()
            self.assertTrue(service.copy_to_sync(source))
            told = service.get_last_sync_status() or {}
            self.assertEqual(set(told), {"success", "file", "destination", "timestamp", "size"})
            self.assertEqual((told["size"], told["file"]), (4000, "b.sql"))
            self.assertIsInstance(told["timestamp"], datetime)
            self.assertEqual([file.name for file in copies.iterdir()], ["b.sql"])

    def test_time_left_is_told_in_words(self) -> None:
        def words(**left: int) -> str:
            return BackupService.format_time_until(datetime.now() + timedelta(**left))

        self.assertEqual(words(days=2, hours=3), "2 días y 3 horas")
        self.assertEqual(words(hours=1, minutes=1), "1 hora y 1 minuto")
        self.assertEqual(words(seconds=20), "1 minuto")
        self.assertEqual(words(seconds=-20), "ahora")
        aware = datetime.now(timezone.utc) + timedelta(minutes=5)
        self.assertEqual(BackupService.format_time_until(aware), "5 minutos")


if __name__ == "__main__":
    unittest.main()
