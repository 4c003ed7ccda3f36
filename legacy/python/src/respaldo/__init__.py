"""The backup services of the existing desktop application, done by the program respaldo.

A program changes its imports and nothing else::

    from respaldo.backup_manager import BackupManager

    manager = BackupManager(db)
    print(manager.check_missed_backups())

The classes have the names, methods and results of the existing services; where they behave otherwise
is said in the package's README.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from . import _database
from ._program import LIMITS, TimeLimits, find_program
from .backup_incremental_service import BackupIncrementalService, BackupInfo
from .backup_manager import BackupManager
from .backup_service import BackupService
from .cloud_storage_service import CloudStorageService, CloudUploadResult
from .errors import RespaldoError, RespaldoNotFoundError, RespaldoTimeoutError
from .restore_service import RestoreResult, RestoreService

__version__ = "0.1.0"

__all__ = [
    "LIMITS",
    "BackupIncrementalService",
    "BackupInfo",
    "BackupManager",
    "BackupService",
    "CloudStorageService",
    "CloudUploadResult",
    "RespaldoError",
    "RespaldoNotFoundError",
    "RespaldoTimeoutError",
    "RestoreResult",
    "RestoreService",
    "TimeLimits",
    "database_variables",
    "find_program",
]


def database_variables(db: Any) -> Dict[str, Optional[str]]:
    """What the services take from a ``db``: variables for the environment of respaldo.

    ``None`` as a value takes a variable out. Empty where the environment itself decides: for ``None``,
    and for objects that tell nothing of their database. The values hold the password.
    """
    return _database.variables_of(db)
