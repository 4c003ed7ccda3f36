"""What the application does when it starts: jobs, what was missed, and the figures of its window."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Callable, Dict, List, Tuple

from database import Database

from respaldo.backup_manager import BackupManager


class Scheduler:
    """The application's scheduler, without its clock: jobs by their name."""

    def __init__(self) -> None:
        self.jobs: Dict[str, Callable[[], Any]] = {}

    def add_job(self, job: Callable[[], Any], id: str) -> None:
        """Registers a job."""
        self.jobs[id] = job


class Overlay:
    """The window that keeps people waiting: what it was told, line by line."""

    def __init__(self) -> None:
        self.said: List[Tuple[str, str, int, int]] = []

    def show(self, backup_type: str, status: str, current: int, total: int) -> None:
        """Draws the bar."""
        assert 1 <= current <= total
        self.said.append((backup_type, status, current, total))


def start_scheduler(manager: BackupManager) -> Scheduler:
    """The four fixed jobs."""
    scheduler = Scheduler()
    for name, kind in (
        ("full", "FULL"),
        ("diferencial", "DIFERENCIAL"),
        ("incremental", "INCREMENTAL"),
    ):
        job = lambda kind=kind: manager.execute_scheduled_backup(kind)  # noqa: E731
        scheduler.add_job(job, id=f"professional_backup_{name}")
    scheduler.add_job(manager.validate_all_backups, id="backup_validation")
    return scheduler


def make_up(manager: BackupManager, overlay: Overlay) -> Dict[str, bool]:
    """What is missed is made before anybody works."""
    missed = manager.check_missed_backups()
    if not missed:
        return {}
    results = manager.execute_missed_backups(missed, progress_callback=overlay.show)
    for failed in (kind for kind, done in results.items() if not done):
        raise SystemExit(f"ERROR: {failed}")
    return results


def next_in_words(manager: BackupManager) -> str:
    """The nearest backup, and how long until then."""
    times = manager.get_next_backup_times()
    kind, nearest = min(times.items(), key=lambda item: item[1]["next_run"])
    left = nearest["next_run"] - datetime.now()
    assert left.total_seconds() > 0
    return f"{kind} en {int(left.total_seconds() // 3600)} h ({nearest['schedule']})"


def main() -> None:
    manager = BackupManager(Database())
    scheduler = start_scheduler(manager)
    overlay = Overlay()
    made_up = make_up(manager, overlay)
    again = make_up(manager, overlay)
    job = scheduler.jobs["professional_backup_incremental"]()
    validation = scheduler.jobs["backup_validation"]()
    summary = manager.get_status_summary()
    newest = summary["estadisticas"]["INCREMENTAL"]["ultimo"]
    print(
        json.dumps(
            {
                "perdidos": made_up,
                "otra_vez": again,
                "avance": overlay.said,
                "trabajo": job,
                "validos": f"{validation['validos']}/{validation['total']}",
                "total": summary["estadisticas"]["_total"]["cantidad"],
                "mb": f"{summary['espacio_uso']['total']['mb']:.2f}",
                "dias": [point["fecha"].isoformat() for point in summary["puntos_restauracion"]],
                "ultimo": f"{newest:%d/%m/%Y %H:%M}",
                "proximo": next_in_words(manager),
            },
            default=str,
        )
    )


if __name__ == "__main__":
    main()
