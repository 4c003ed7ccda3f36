"""The application's ``Database`` as far as its backup services use it: settings and the user.

The real one holds a pool of connections; this one asks ``psql``, which is there wherever a backup is
made. It tells nothing of its address: the services find it in the environment, as the existing ones do.
"""

from __future__ import annotations

import os
import subprocess


class Database:
    """Settings of ``seguridad.config_sistema`` and who is logged in."""

    current_user_id = 1

    def get_config(self, key: str, default: str = "") -> str:
        """A setting, or ``default``."""
        query = f"SELECT valor FROM seguridad.config_sistema WHERE clave = '{key}'"
        return self._ask(query) or default

    def set_config(self, key: str, value: str, tipo: str = "STRING", descripcion: str = "") -> None:
        """Stores a setting."""
        text = value.replace("'", "''")
        self._ask(
            "INSERT INTO seguridad.config_sistema (clave, valor, tipo, descripcion) "
            f"VALUES ('{key}', '{text}', '{tipo}', '{descripcion}') "
            "ON CONFLICT (clave) DO UPDATE SET valor = excluded.valor"
        )

    def _ask(self, sql: str) -> str:
        command = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, _url()]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class DatabaseWithUrl(Database):
    """One that keeps its address as a text."""

    def __init__(self, url: str) -> None:
        self.database_url = url


class DatabaseOfParts(Database):
    """One that keeps its address in parts."""

    def __init__(self, host: str, port: int, name: str, user: str, password: str) -> None:
        self.host, self.port, self.name = host, port, name
        self.user, self.password = user, password


def _url() -> str:
    return os.environ["DATABASE_URL"]
