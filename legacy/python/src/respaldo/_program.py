"""The program respaldo: finding it, calling it, reading its answer.

Each call is one process with a time limit. Its environment holds the database and the folders; its
arguments never hold a secret. Its answer is the one JSON document that ``--json`` prints.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ._database import Variables, password_of, spellings, variables_of
from .errors import RespaldoError, RespaldoNotFoundError, RespaldoTimeoutError

LOG = logging.getLogger("respaldo")

#: Exit codes that stand for a result: done, and done, but look.
_DONE = (0, 3)
#: How long a program that is to stop may take to clear up, in seconds.
_GRACE_S = 20.0
#: Passwords shorter than this are not looked for in what the program says, which would take words apart.
_SHORTEST = 4


def _limit_of(name: str, default: float) -> float:
    """A limit from the environment; what is no positive number counts as not set."""
    try:
        value = float(os.environ.get(name, ""))
    except ValueError:
        return default
    return value if value > 0 else default


@dataclass
class TimeLimits:
    """How long calls may take, in seconds. A program changes :data:`LIMITS`, or the environment does.

    ``query_s`` is for looking (``RESPALDO_PYTHON_QUERY_LIMIT_S``); ``work_s`` for backups, restores,
    validations and copies (``RESPALDO_PYTHON_WORK_LIMIT_S``); ``turn_s`` for waiting until another
    run on the same database ends (``RESPALDO_PYTHON_TURN_LIMIT_S``).
    """

    query_s: float = field(
        default_factory=lambda: _limit_of("RESPALDO_PYTHON_QUERY_LIMIT_S", 120.0)
    )
    work_s: float = field(
        default_factory=lambda: _limit_of("RESPALDO_PYTHON_WORK_LIMIT_S", 12 * 3600.0)
    )
    turn_s: float = field(
        default_factory=lambda: _limit_of("RESPALDO_PYTHON_TURN_LIMIT_S", 15 * 60.0)
    )


#: The limits of every call.
LIMITS = TimeLimits()


def find_program() -> str:
    """The program: ``RESPALDO_BIN``, else on the PATH, else beside this package or the executable.

    Raises :class:`RespaldoNotFoundError`, which says where it was looked for.
    """
    named = os.environ.get("RESPALDO_BIN")
    if named:
        if Path(named).is_file():
            return str(Path(named).resolve())
        raise _not_found(f"RESPALDO_BIN dice {named}, y ahí no hay ningún archivo")
    name = "respaldo.exe" if os.name == "nt" else "respaldo"
    on_path = shutil.which("respaldo")
    if on_path:
        return on_path
    package, executable = Path(__file__).resolve().parent, Path(sys.executable).resolve().parent
    places = [package / name, package / "bin" / name, executable / name]
    for place in places:
        if place.is_file():
            return str(place)
    looked = ", ".join(str(place) for place in places)
    raise _not_found(f"no está en el PATH ni en {looked}")


def _not_found(why: str) -> RespaldoNotFoundError:
    return RespaldoNotFoundError(
        "no se encontró el programa respaldo",
        codigo="program-missing",
        detalle=why,
        sugerencia="Instálelo, o indique su ruta en la variable RESPALDO_BIN.",
    )


def home() -> Path:
    """The folder that relative paths start at and where a ``respaldo.toml`` is looked for.

    The working folder; of a packed application that of its executable, since the folder it unpacks
    itself into is gone when it ends.
    """
    if getattr(sys, "frozen", False):
        return Path(sys.executable).resolve().parent
    return Path.cwd()


#: Folders that programs gave to the services of a database, for those that are not given any.
_REPOSITORIES: Dict[Tuple[Tuple[str, Optional[str]], ...], str] = {}


def _key_of(db: Any) -> Tuple[Tuple[str, Optional[str]], ...]:
    return tuple(sorted(variables_of(db).items()))


def remember_repository(db: Any, folder: Path) -> str:
    """Keeps in mind where the backups of a database lie; the folder as an absolute path."""
    absolute = str(home() / folder)
    _REPOSITORIES[_key_of(db)] = absolute
    return absolute


def known_repository(db: Any) -> Optional[str]:
    """Where the backups of a database lie, as far as a service was told in this process."""
    return _REPOSITORIES.get(_key_of(db))


class Program:
    """The program with the environment of one database. Has no state: threads may share it."""

    def __init__(self, db: Any = None, **variables: Optional[str]) -> None:
        """``variables`` are further ones of the environment; those that are ``None`` are ignored."""
        self._variables: Variables = variables_of(db)
        self._variables.update(
            {name: value for name, value in variables.items() if value is not None}
        )

    def with_variables(self, variables: Mapping[str, str]) -> "Program":
        """The same with further variables."""
        other = Program()
        other._variables = {**self._variables, **variables}
        return other

    def environment(self) -> Dict[str, str]:
        """The environment of a call."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("RESPALDO_PYTHON_") and name != "RESPALDO_BIN"
        }
        for name, value in self._variables.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        return environment

    def look(self, *arguments: str) -> Any:
        """Asks something that changes nothing; its document."""
        return self.ask(arguments, LIMITS.query_s)

    def work(self, *arguments: str) -> Any:
        """Has something done; its document."""
        return self.ask(arguments, LIMITS.work_s)

    def ask(self, arguments: Tuple[str, ...], limit_s: float) -> Any:
        """Runs the program to its end; its document.

        Raises :class:`RespaldoError` where it failed, could not be started or took too long.
        """
        environment = self.environment()
        secret = password_of(environment)
        command = [find_program(), "--json", "--lang", "es", *arguments]
        code, out, err = _run(command, environment, limit_s)
        LOG.debug("respaldo %s: %s %s", " ".join(arguments), code, _masked(err, secret))
        try:
            document = json.loads(out)
        except ValueError:
            raise _no_answer(code, _masked(err, secret)) from None
        if isinstance(document, dict) and isinstance(document.get("error"), dict):
            raise _failure(code, document, secret)
        # 15: there is nothing to restore from, which a preview tells in a document of its own.
        if code not in (*_DONE, 15):
            raise _no_answer(code, _masked(err, secret))
        return document


def _run(command: List[str], environment: Dict[str, str], limit_s: float) -> Tuple[int, str, str]:
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=str(home()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            creationflags=hidden,
        )
    except OSError as error:
        raise _not_found(f"{command[0]} no se puede ejecutar: {error.strerror}") from None
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        _stop(process)
        raise RespaldoTimeoutError(
            f"respaldo no terminó en {limit_s:g} segundos y fue detenido",
            codigo="time-limit",
            sugerencia="Lo que no estaba terminado no cuenta; el límite se cambia en respaldo.LIMITS.",
        ) from None
    except BaseException:
        # Whoever waits is stopped (Ctrl+C): nothing is left running behind it.
        _stop(process)
        raise
    return process.returncode, out, err


def _stop(process: "subprocess.Popen[str]") -> None:
    """Asks the program to stop, which clears up; ends it where it does not."""
    process.terminate()
    try:
        process.communicate(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _drain(process)


def _drain(process: "subprocess.Popen[str]") -> None:
    """Waits for the end of a killed program, but not for a child of it that keeps the pipes open."""
    reader = threading.Thread(target=process.communicate, daemon=True)
    reader.start()
    reader.join(_GRACE_S)


def _masked(text: str, secret: Optional[str]) -> str:
    text = text.strip()
    if secret and len(secret) >= _SHORTEST:
        for spelling in spellings(secret):
            text = text.replace(spelling, "***")
    return text


def _failure(code: int, document: Mapping[str, Any], secret: Optional[str]) -> RespaldoError:
    error = document["error"]
    return RespaldoError(
        str(document.get("mensaje", "")),
        codigo=str(error.get("codigo", "internal")),
        detalle=_masked(str(error.get("detalle", "")), secret),
        sugerencia=str(error.get("sugerencia", "")),
        codigo_salida=code,
        dependientes=document.get("dependientes", ()),
    )


def _no_answer(code: int, said: str) -> RespaldoError:
    lines = said.splitlines()
    return RespaldoError(
        f"respaldo terminó con el código {code} y sin respuesta",
        detalle=lines[-1] if lines else "",
        sugerencia="Compruebe que RESPALDO_BIN o el PATH lleven al programa respaldo de esta versión.",
        codigo_salida=code,
    )
