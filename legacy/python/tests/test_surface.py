"""Each method of the existing services on a real server: its keys and their types.

The database is that of the environment; it holds a little business and one FULL of the existing system,
whose number is in ``FOREIGN_ID``.
"""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple, Union

from respaldo import (
    BackupIncrementalService,
    BackupInfo,
    BackupManager,
    BackupService,
    CloudStorageService,
    CloudUploadResult,
    RespaldoError,
    RestoreResult,
    RestoreService,
)

Type = Union[type, Tuple[type, ...]]
NOTHING = type(None)
NUMBERS = ("FULL", "DIFERENCIAL", "INCREMENTAL")

LISTED: Dict[str, Type] = {
    "id": int,
    "tipo": str,
    "archivo": str,
    "fecha_inicio": datetime,
    "fecha_fin": datetime,
    "tamano": int,
    "checksum": str,
    "estado": str,
    "nube_subido": bool,
    "backup_base_id": (int, NOTHING),
}
INFO: Dict[str, Type] = {
    "id": int,
    "tipo": str,
    "archivo": str,
    "fecha_inicio": datetime,
    "fecha_fin": datetime,
    "tamano": int,
    "checksum": str,
    "estado": str,
    "lsn_inicio": str,
    "lsn_fin": str,
    "backup_base_id": (int, NOTHING),
}
PREVIEW: Dict[str, Type] = {
    "existe": bool,
    "fecha": datetime,
    "backups": list,
    "cantidad_backups": int,
    "tamano_total_bytes": int,
    "tamano_total_mb": float,
    "fecha_inicial": datetime,
    "fecha_final": datetime,
}
PREVIEWED: Dict[str, Type] = {
    "tipo": str,
    "archivo": str,
    "fecha": datetime,
    "tamano": int,
    "checksum": str,
    "lsn_inicio": str,
    "lsn_fin": str,
}
RESULT: Dict[str, Type] = {
    "exitoso": bool,
    "mensaje": str,
    "backups_aplicados": list,
    "tiempo_segundos": float,
    "lsn_final": (str, NOTHING),
}
RUN: Dict[str, Type] = {
    "exitoso": bool,
    "tipo": str,
    "inicio": datetime,
    "fin": datetime,
    "duracion_segundos": float,
    "mensaje": str,
}
STATS: Dict[str, Type] = {
    "cantidad": int,
    "tamano_bytes": Decimal,
    "tamano_mb": Decimal,
    "primero": datetime,
    "ultimo": datetime,
}
TOTAL: Dict[str, Type] = {
    "cantidad": int,
    "tamano_bytes": Decimal,
    "tamano_mb": Decimal,
    "tamano_gb": Decimal,
}
POINT: Dict[str, Type] = {
    "fecha": date,
    "cantidad_backups": int,
    "primero": datetime,
    "ultimo": datetime,
}
SIZES: Dict[str, Type] = {"bytes": Decimal, "mb": Decimal, "gb": Decimal}
NEXT: Dict[str, Type] = {"next_run": datetime, "schedule": str}
CLOUD: Dict[str, Type] = {
    "id": int,
    "tipo": str,
    "archivo": str,
    "fecha": datetime,
    "nube_subido": bool,
    "nube_url": str,
    "proveedor": str,
    "tamaño_bytes": int,
}
FILE: Dict[str, Type] = {"name": str, "path": str, "type": str, "size": int, "created": datetime}


class Surface(unittest.TestCase):
    """Every test begins with a full, a differential and an incremental of ours."""

    manager: BackupManager
    service: BackupIncrementalService
    restores: RestoreService
    paths: List[str]
    foreign: int

    @classmethod
    def setUpClass(cls) -> None:
        cls.manager = BackupManager()
        cls.service = cls.manager.backup_service
        cls.restores = RestoreService(None, cls.service)
        cls.paths = [cls.service.create_backup(kind) for kind in NUMBERS]
        cls.foreign = int(os.environ["FOREIGN_ID"])

    def has(self, value: Mapping[str, Any], keys: Mapping[str, Type]) -> None:
        """These keys, no others, with these types."""
        self.assertEqual(set(value), set(keys))
        for key, kind in keys.items():
            self.assertIsInstance(value[key], kind, key)
            if kind is int or kind is float:
                self.assertNotIsInstance(value[key], bool, key)

    def ours(self) -> List[Dict[str, Any]]:
        return [row for row in self.service.list_backups(limit=None) if row["id"] != self.foreign]

    def aware(self, moment: datetime) -> None:
        self.assertIsNotNone(moment.tzinfo)
        self.assertEqual(moment.utcoffset(), datetime.now().astimezone().utcoffset())

    # BackupIncrementalService

    def test_create_backup_gives_the_path(self) -> None:
        path = self.service.create_backup("MANUAL")
        self.assertIsInstance(path, str)
        self.assertTrue(Path(path).is_file())
        newest = self.service.list_backups(limit=1)[0]
        self.assertEqual((newest["archivo"], newest["tipo"]), (path, "FULL"))
        with self.assertRaises(ValueError):
            self.service.create_backup("PARCIAL")

    def test_list_backups(self) -> None:
        rows = self.service.list_backups()
        for row in rows:
            self.has(row, LISTED)
            self.aware(row["fecha_inicio"])
        times = [row["fecha_inicio"] for row in rows]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(len(self.service.list_backups(limit=2)), 2)
        self.assertEqual(self.service.list_backups(limit=0), [])
        kinds = {row["tipo"] for row in self.service.list_backups(tipo="DIFERENCIAL", limit=10)}
        self.assertEqual(kinds, {"DIFERENCIAL"})
        self.assertEqual(self.service.list_backups("MANUAL"), [])
        self.assertIn(self.foreign, [row["id"] for row in rows])

    def test_get_backup_info(self) -> None:
        row = self.ours()[0]
        info = self.service.get_backup_info(row["id"])
        assert isinstance(info, BackupInfo)
        self.has(asdict(info), INFO)
        self.assertEqual([field.name for field in fields(BackupInfo)], list(INFO))
        self.assertEqual(info.archivo, row["archivo"])
        foreign = self.service.get_backup_info(self.foreign)
        assert foreign is not None
        self.assertEqual(foreign.lsn_inicio, "0/0")
        self.assertIsNone(self.service.get_backup_info(999_999))

    def test_get_backup_chain(self) -> None:
        chain = self.service.get_backup_chain(datetime.now())
        assert chain is not None
        self.assertEqual(chain[0].tipo, "FULL")
        times = [info.fecha_inicio for info in chain]
        self.assertEqual(times, sorted(times))
        self.has(asdict(chain[-1]), INFO)
        self.assertIsNone(self.service.get_backup_chain(datetime(2001, 1, 1)))

    # RestoreService

    def test_preview_restore(self) -> None:
        asked = datetime.now()
        preview = self.restores.preview_restore(asked)
        self.has(preview, PREVIEW)
        self.assertEqual(preview["fecha"], asked)
        for one in preview["backups"]:
            self.has(one, PREVIEWED)
        self.assertEqual(preview["cantidad_backups"], len(preview["backups"]))
        sizes = sum(one["tamano"] for one in preview["backups"])
        self.assertEqual(preview["tamano_total_bytes"], sizes)
        nothing = self.restores.preview_restore(datetime(2001, 1, 1))
        self.assertEqual(nothing, {"existe": False, "fecha": datetime(2001, 1, 1), "backups": []})

    def test_the_begin_of_a_backup_means_that_backup(self) -> None:
        full = next(row for row in self.ours() if row["archivo"] == self.paths[0])
        for date_ in (
            full["fecha_inicio"],
            full["fecha_inicio"].replace(tzinfo=None),
            full["fecha_inicio"].isoformat(),
        ):
            backups = self.restores.preview_restore(date_)["backups"]
            self.assertEqual([one["archivo"] for one in backups], [self.paths[0]], date_)
        # Of any other moment nothing later may be in it.
        before = full["fecha_inicio"] - timedelta(microseconds=1)
        self.assertFalse(self.restores.preview_restore(before)["existe"])

    def test_restores_give_a_result(self) -> None:
        full = next(row for row in self.ours() if row["archivo"] == self.paths[0])
        result = self.restores.restore_from_backup_id(full["id"], target_db="superficie")
        self.assertIsInstance(result, RestoreResult)
        names = [
            "exitoso",
            "mensaje",
            "backups_aplicados",
            "tiempo_segundos",
            "lsn_final",
            "checksum",
        ]
        self.assertEqual([field.name for field in fields(RestoreResult)], names)
        self.assertTrue(result.exitoso, result.mensaje)
        self.assertEqual(result.backups_aplicados, [Path(self.paths[0]).name])
        self.assertIsNone(result.checksum)
        by_date = self.manager.restore_to_date(datetime.now(), "superficie")
        self.has(by_date, RESULT)
        self.assertTrue(by_date["exitoso"], by_date["mensaje"])
        self.assertIn("superficie_before_restore_", by_date["mensaje"])
        unknown = self.manager.restore_from_backup_id(999_999, "superficie")
        self.has(unknown, RESULT)
        self.assertFalse(unknown["exitoso"])
        self.assertIn("999999", unknown["mensaje"])
        nothing = self.manager.restore_to_date(datetime(2001, 1, 1), target_db="superficie")
        self.assertFalse(nothing["exitoso"])

    def test_validate_backup_chain(self) -> None:
        row = self.ours()[0]
        told = self.restores.validate_backup_chain(row["id"])
        self.has(told, {"valido": bool, "mensaje": str, "validaciones": list, "backup": dict})
        self.assertTrue(told["valido"], told)
        self.has(told["backup"], {"id": int, "tipo": str, "archivo": str, "fecha": datetime})
        for check in told["validaciones"]:
            self.has(check, {"tipo": str, "exito": bool, "mensaje": str})
        names = [check["tipo"] for check in told["validaciones"]]
        self.assertEqual(names, ["existencia_archivo", "checksum", "legible", "cadena"])
        unknown = self.restores.validate_backup_chain(999_999)
        self.has(unknown, {"valido": bool, "mensaje": str, "validaciones": list})
        self.assertEqual((unknown["valido"], unknown["validaciones"]), (False, []))
        foreign = self.restores.validate_backup_chain(self.foreign)
        self.assertTrue(foreign["valido"], foreign)
        self.assertEqual(len(foreign["validaciones"]), 2)

    # BackupManager

    def test_schedules(self) -> None:
        manager = self.manager
        self.assertEqual(set(manager.schedules), set(NUMBERS))
        self.assertEqual(
            set(manager.get_schedule_for_backup_type("FULL")), {"day", "hour", "minute"}
        )
        self.assertEqual(manager.get_schedule_for_backup_type("MANUAL"), {})
        self.assertIs(manager.set_schedule("DIFERENCIAL", weekday=2, hour=21, colour=3), True)
        changed = {"weekday": 2, "hour": 21, "minute": 30}
        self.assertEqual(manager.get_schedule_for_backup_type("DIFERENCIAL"), changed)
        self.assertEqual(BackupManager().schedules["DIFERENCIAL"], changed)
        self.assertIs(manager.set_schedule("FULL", day=32), False)
        self.assertIs(manager.set_schedule("MANUAL", hour=1), False)
        self.assertTrue(manager.set_schedule("DIFERENCIAL", weekday=6, hour=23))

    def test_times(self) -> None:
        manager = self.manager
        at = datetime(2026, 3, 10, 12, 0)
        last = manager.get_last_required_run_time("FULL", current_time=at)
        self.assertEqual(last, datetime(2026, 3, 1, 0, 0))
        self.assertLessEqual(manager.get_last_required_run_time("INCREMENTAL"), datetime.now())
        self.assertEqual(manager.determine_backup_type(datetime(2026, 3, 1, 0, 0)), "FULL")
        self.assertEqual(
            manager.determine_backup_type(now=datetime(2026, 3, 8, 23, 30)), "DIFERENCIAL"
        )
        self.assertIn(manager.determine_backup_type(), NUMBERS)
        made = manager.get_last_backup_time("DIFERENCIAL")
        assert made is not None
        self.assertIsNone(made.tzinfo)
        self.assertLess(abs(datetime.now() - made), timedelta(hours=1))
        self.assertIsNone(manager.get_last_backup_time("MANUAL"))
        times = manager.get_next_backup_times()
        self.assertEqual(set(times), set(NUMBERS))
        for one in times.values():
            self.has(one, NEXT)
            self.assertIsNone(one["next_run"].tzinfo)
            self.assertGreater(one["next_run"], datetime.now())

    def test_missed_backups(self) -> None:
        self.assertEqual(self.manager.check_missed_backups(), [])
        self.assertEqual(self.manager.check_missed_backups(datetime.now()), [])
        later = datetime.now() + timedelta(days=40)
        self.assertEqual(self.manager.check_missed_backups(current_time=later), ["FULL"])
        said: List[Any] = []
        made = self.manager.execute_missed_backups(
            ["INCREMENTAL", "DIFERENCIAL"], progress_callback=lambda *told: said.append(told)
        )
        self.assertEqual(made, {"DIFERENCIAL": True, "INCREMENTAL": True})
        wanted = [
            ("DIFERENCIAL", "running", 1, 2),
            ("DIFERENCIAL", "completed", 1, 2),
            ("INCREMENTAL", "running", 2, 2),
            ("INCREMENTAL", "completed", 2, 2),
        ]
        self.assertEqual(said, wanted)
        self.assertEqual(self.manager.execute_missed_backups([]), {})

    def test_execute_scheduled_backup(self) -> None:
        done = self.manager.execute_scheduled_backup("INCREMENTAL")
        self.has(done, {**RUN, "archivo": str})
        self.assertIs(done["exitoso"], True)
        self.assertIsNone(done["inicio"].tzinfo)
        self.assertGreaterEqual(done["fin"], done["inicio"])
        self.has(self.manager.execute_scheduled_backup(), {**RUN, "archivo": str})
        failed = self.manager.execute_scheduled_backup("PARCIAL")
        self.has(failed, {**RUN, "error": str})
        self.assertIs(failed["exitoso"], False)

    def test_sums(self) -> None:
        stats = self.manager.get_backup_stats()
        self.has(stats["_total"], TOTAL)
        for kind in NUMBERS:
            self.has(stats[kind], STATS)
        rows = self.service.list_backups(limit=None)
        self.assertEqual(stats["_total"]["cantidad"], len(rows))
        self.assertEqual(stats["_total"]["tamano_bytes"], sum(row["tamano"] for row in rows))
        space = self.manager.get_space_usage()
        self.has(space, {"por_tipo": dict, "total": dict})
        self.has(space["total"], SIZES)
        self.has(space["por_tipo"]["FULL"], {**SIZES, "cantidad": int})
        points = self.manager.get_available_restore_points(limit=100)
        for point in points:
            self.has(point, POINT)
            self.assertNotIsInstance(point["fecha"], datetime)
        days = [point["fecha"] for point in points]
        self.assertEqual(days, sorted(days, reverse=True))
        self.assertEqual(len(self.manager.get_available_restore_points(1)), 1)
        summary = self.manager.get_status_summary()
        keys = {
            "estadisticas": dict,
            "espacio_uso": dict,
            "puntos_restauracion": list,
            "proximos_backups": dict,
            "fecha_actual": datetime,
        }
        self.has(summary, keys)
        self.assertLessEqual(len(summary["puntos_restauracion"]), 10)

    def test_chain_info(self) -> None:
        self.has(self.manager.get_backup_chain_info(datetime.now()), PREVIEW)
        nothing = self.manager.get_backup_chain_info(datetime(2001, 1, 1))
        self.has(nothing, {"existe": bool, "mensaje": str})
        self.assertIs(nothing["existe"], False)

    def test_validate_all_and_purge(self) -> None:
        told = self.manager.validate_all_backups()
        self.has(told, {"total": int, "validos": int, "invalidos": int, "validaciones": list})
        one = {"id": int, "tipo": str, "archivo": str, "valido": bool, "mensaje": str}
        for validation in told["validaciones"]:
            self.has(validation, one)
        self.assertEqual(told["total"], told["validos"] + told["invalidos"])
        self.assertEqual(told["total"], len(self.service.list_backups(limit=None)))
        purged = self.manager.purge_invalid_backups()
        self.assertEqual((type(purged), purged), (int, 0))

    # CloudStorageService

    def test_the_second_place(self) -> None:
        incremental = next(row for row in self.ours() if row["archivo"] == self.paths[2])
        full = next(row for row in self.ours() if row["archivo"] == self.paths[0])
        with tempfile.TemporaryDirectory() as folder:
            cloud = CloudStorageService(None, provider="LOCAL", config={"sync_dir": folder})
            self.assertEqual(cloud.list_cloud_backups(), [])
            sent = cloud.upload_backup(incremental["archivo"], incremental["id"], "INCREMENTAL")
            self.assertIsInstance(sent, CloudUploadResult)
            names = ["exitoso", "url", "mensaje", "tiempo_segundos", "tamaño_bytes"]
            self.assertEqual([field.name for field in fields(CloudUploadResult)], names)
            self.assertTrue(sent.exitoso, sent.mensaje)
            self.assertTrue(Path(str(sent.url)).is_file())
            self.assertEqual(sent.tamaño_bytes, incremental["tamano"])
            listed = cloud.list_cloud_backups()
            for one in listed:
                self.has(one, CLOUD)
            # Alone it would restore nothing: its full is there too.
            self.assertEqual({one["tipo"] for one in listed} & {"FULL"}, {"FULL"})
            usage = cloud.get_cloud_usage_stats()
            self.has(usage["_total"], SIZES)
            self.has(usage["LOCAL"], {**SIZES, "cantidad": int})
            back = cloud.download_backup(incremental["id"], Path(folder) / "back")
            assert back is not None
            self.assertEqual(Path(back).read_bytes(), Path(incremental["archivo"]).read_bytes())
            self.refuses_what_is_damaged(cloud, incremental, Path(str(sent.url)), folder)
            self.assertIs(cloud.delete_cloud_backup(full["id"]), False)
            self.assertIs(cloud.delete_cloud_backup(incremental["id"]), True)
            self.assertFalse(Path(str(sent.url)).exists())
            self.assertTrue(Path(incremental["archivo"]).is_file())
            left = [one["id"] for one in cloud.list_cloud_backups()]
            self.assertNotIn(incremental["id"], left)
            self.assertIsNone(cloud.download_backup(incremental["id"], folder))
            for one in left:
                self.assertTrue(cloud.delete_cloud_backup(one) or one == full["id"])
            self.assertTrue(cloud.delete_cloud_backup(full["id"]) or not left)

    def refuses_what_is_damaged(
        self, cloud: CloudStorageService, row: Dict[str, Any], copy: Path, folder: str
    ) -> None:
        good = copy.read_bytes()
        copy.chmod(0o600)
        copy.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        self.assertIsNone(cloud.download_backup(row["id"], Path(folder) / "bad"))
        self.assertEqual(list((Path(folder) / "bad").iterdir()), [])
        copy.write_bytes(good)

    def test_uploads_that_make_no_sense_are_refused(self) -> None:
        row = self.ours()[0]
        nowhere = CloudStorageService(None)
        for file, number in (
            (row["archivo"], 999_999),
            ("/other.backup", row["id"]),
            (row["archivo"], row["id"]),
        ):
            result = nowhere.upload_backup(file, number, row["tipo"])
            self.assertFalse(result.exitoso, result)
            self.assertTrue(result.mensaje)
        self.assertIs(nowhere.delete_cloud_backup(999_999), False)
        self.assertIsNone(nowhere.download_backup(999_999, "x"))

    # BackupService

    def test_the_legacy_service(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copies = Path(folder) / "copias"
            copies.mkdir()
            service = BackupService(Path(folder) / "b", None, copies, None, None)
            self.assertEqual(service.check_missed_backups(None), ["daily", "weekly", "monthly"])
            said: List[Any] = []
            made = service.execute_missed_backups(
                None, ["monthly", "daily"], lambda *told: said.append(told)
            )
            self.assertEqual(made, {"daily": True, "monthly": True})
            self.assertEqual(said[0], ("daily", "running", 1, 2))
            self.assertEqual(said[-1], ("monthly", "completed", 2, 2))
            self.assertEqual(service.check_missed_backups(None), ["weekly"])
            self.assertIs(service.record_backup_execution(None, "daily"), True)
            self.assertIs(service.record_backup_execution(None, "weekly"), False)
            path = service.create_backup()
            self.assertTrue(Path(path).is_file())
            self.assertEqual(Path(path).parent.name, "manual")
            self.assertEqual(Path(service.create_backup("otro")).parent.name, "manual")
            self.assertTrue((copies / Path(path).name).is_file())
            status = service.get_last_sync_status() or {}
            self.has(
                status,
                {
                    "success": bool,
                    "file": str,
                    "destination": str,
                    "timestamp": datetime,
                    "size": int,
                },
            )
            files = service.list_backups()
            for file in files:
                self.has(file, FILE)
                self.assertIsNone(file["created"].tzinfo)
            created = [file["created"] for file in files]
            self.assertEqual(created, sorted(created, reverse=True))
            gone = service.prune_backups({"manual": 1})
            self.assertEqual(len(gone), 1)
            self.assertEqual(service.prune_backups(), [])
            times = service.get_next_backup_times()
            self.assertEqual(list(times), ["daily", "weekly", "monthly"])
            for one in times.values():
                self.has(one, NEXT)
            last = service.get_last_required_run_date("weekly")
            self.assertEqual((last.weekday(), last.hour, last.minute), (6, 23, 30))
            self.assertEqual(service.get_backup_dir(), str(Path(folder) / "b"))
            self.assertTrue(service.is_sync_enabled())
            junk = Path(folder) / "junk.sql"
            junk.write_text("not an archive")
            with self.assertRaises(RuntimeError) as refused:
                service.restore_backup(junk)
            self.assertIn("volcado entero", str(refused.exception))
            with self.assertRaises(RespaldoError):
                service.restore_backup(Path(folder) / "missing.sql")


class Settings(unittest.TestCase):
    def test_results_can_be_kept_as_json(self) -> None:
        json.dumps(BackupManager().get_status_summary(), default=str)


if __name__ == "__main__":
    unittest.main()
