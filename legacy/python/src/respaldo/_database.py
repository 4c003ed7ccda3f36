"""Which database a ``db`` means, as variables for the environment of the program.

Nothing of it is ever an argument: arguments are shown by the list of processes.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import quote, unquote, urlsplit

#: Variables to set; those that are ``None`` are taken out of the environment.
Variables = Dict[str, Optional[str]]

_URL = "DATABASE_URL"
_PARTS = {
    "host": "DB_HOST",
    "port": "DB_PORT",
    "name": "DB_NAME",
    "user": "DB_USER",
    "password": "DB_PASSWORD",
}
# Whichever way is taken, no other one may speak as well.
_OTHERS = (_URL, "RESPALDO_DATABASE__URL", "RESPALDO_DATABASE__URL__ENV", *_PARTS.values())
_NAMES = ("name", "dbname", "database", "database_name", "db_name")
_USERS = ("user", "username", "db_user")
_HOSTS = ("host", "hostname", "db_host")
_PORTS = ("port", "db_port")
_PASSWORDS = ("password", "db_password")
_DSNS = ("database_url", "db_url", "dsn", "conninfo", "url")


def variables_of(db: Any) -> Variables:
    """The variables that name the database.

    ``None``, or an object that tells nothing of its database, leaves the environment as it is,
    for that is where the existing services look. Otherwise ``db`` is a URL
    (``postgresql://...``), a text of words (``host=... dbname=...``), a mapping or an object with
    ``host``, ``port``, ``name``, ``user``, ``password``, an object whose ``get_db_config()`` gives
    such a mapping, or one that holds a URL (``database_url``, ``dsn`` ...).

    Raises ``ValueError`` for a text that is neither; its message does not repeat the text.
    """
    if db is None:
        return {}
    if isinstance(db, str):
        return _of_text(db)
    if isinstance(db, Mapping):
        return _of_source(db)
    return _of_object(db)


def password_of(variables: Mapping[str, Optional[str]]) -> Optional[str]:
    """The password that an environment holds, to keep it out of what is said."""
    url = variables.get(_URL)
    if url:
        return _password_in(url)
    return variables.get("DB_PASSWORD") or variables.get("PGPASSWORD")


def user_id_of(db: Any) -> Optional[int]:
    """The application's user (``current_user_id``), where a program set one."""
    user_id = getattr(db, "current_user_id", None)
    if isinstance(user_id, bool) or not isinstance(user_id, int):
        return None
    return user_id if user_id > 0 else None


def _of_object(db: Any) -> Variables:
    told = getattr(db, "get_db_config", None)
    config = told() if callable(told) else getattr(db, "db_config", None)
    if isinstance(config, Mapping) and config:
        return _of_source(config)
    # Connections of psycopg tell of themselves, the password too; their own text masks it.
    for source in (getattr(db, "info", None), db):
        found = _of_attributes(source)
        if found:
            return found
    return {}


def _of_attributes(source: Any) -> Variables:
    names = (*_HOSTS, *_NAMES, *_USERS, *_PORTS, *_PASSWORDS)
    values = {name: getattr(source, name, None) for name in names}
    known = {name: value for name, value in values.items() if isinstance(value, (str, int))}
    if _first(known, _HOSTS) is not None and _first(known, _NAMES) is not None:
        return _of_parts(known)
    for name in _DSNS:
        text = getattr(source, name, None)
        if isinstance(text, str) and text.strip():
            return _of_text(text)
    return {}


def _of_source(source: Mapping[str, Any]) -> Variables:
    for name in _DSNS:
        text = source.get(name)
        if isinstance(text, str) and text.strip():
            return _of_text(text)
    if _first(source, _NAMES) is None and _first(source, _HOSTS) is None:
        raise ValueError(
            "la configuración de la base no dice cuál es: hacen falta host, port, name, user y password"
        )
    return _of_parts(source)


def _of_parts(source: Mapping[str, Any]) -> Variables:
    parts = {
        "host": _first(source, _HOSTS),
        "port": _first(source, _PORTS),
        "name": _first(source, _NAMES),
        "user": _first(source, _USERS),
        "password": _first(source, _PASSWORDS),
    }
    found = _nothing_else()
    for part, value in parts.items():
        if value not in (None, ""):
            found[_PARTS[part]] = str(value)
    # One of the parts must speak, or another way of naming a database would.
    found.setdefault("DB_HOST", "localhost")
    if found["DB_HOST"] is None:
        found["DB_HOST"] = "localhost"
    return found


def _first(source: Mapping[str, Any], names: Any) -> Any:
    for name in names:
        if source.get(name) not in (None, ""):
            return source[name]
    return None


def _of_text(text: str) -> Variables:
    text = text.strip()
    found = _nothing_else()
    if re.match(r"postgres(ql)?(\+\w+)?://", text):
        # What SQLAlchemy adds to the scheme names a driver, not a database.
        found[_URL] = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", text)
        return found
    words = _words(text)
    if not words:
        raise ValueError(
            "la base debe darse como postgresql://usuario@host:puerto/nombre "
            "o como host=... port=... dbname=... user=... password=..."
        )
    found[_URL] = _url_of(words)
    return found


def _nothing_else() -> Variables:
    return {name: None for name in _OTHERS}


def _url_of(words: Dict[str, str]) -> str:
    def taken(name: str) -> str:
        return quote(words.pop(name, ""), safe="")

    user, password, name = taken("user"), taken("password"), taken("dbname")
    credentials = user + (f":{password}" if password else "")
    options = "&".join(f"{key}={quote(value, safe='')}" for key, value in words.items())
    return f"postgresql://{credentials}{'@' if credentials else ''}/{name}" + (
        f"?{options}" if options else ""
    )


_WORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)", re.DOTALL)


def _words(text: str) -> Dict[str, str]:
    """libpq's ``key=value`` words; empty where the text is none."""
    found: Dict[str, str] = {}
    at = 0
    while at < len(text) and text[at:].strip():
        word = _WORD.match(text, at)
        if word is None:
            return {}
        key, quoted, plain = word.groups()
        found[key] = re.sub(r"\\(.)", r"\1", quoted if quoted is not None else plain)
        at = word.end()
    return found


def _password_in(url: str) -> Optional[str]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return None
    if password:
        return unquote(password)
    in_query = re.search(r"[?&]password=([^&]*)", url)
    return unquote(in_query.group(1)) if in_query else None


def spellings(password: str) -> List[str]:
    """The ways in which a text could hold a password: as it is and encoded for a URL."""
    return sorted({password, quote(password, safe="")}, key=len, reverse=True)
