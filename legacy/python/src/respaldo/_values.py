"""Times and numbers: from what respaldo prints to what the existing services give.

Columns of the database are aware datetimes in the zone of this machine, as a driver gives them.
What is told of the clock (next runs, begin and end of a run) is naive and local, as
``datetime.now()`` gives it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Optional, Union

#: A moment as programs pass it: aware, naive and local, a day (its first moment), or ISO text.
Moment = Union[datetime, date, str]

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def parse_time(text: str) -> datetime:
    """An RFC 3339 text as an aware datetime in the local zone, to the microsecond."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time: {text!r}")
    day, clock, fraction, zone = found.groups()
    micros = ((fraction or "") + "000000")[:6]
    offset = "+00:00" if zone == "Z" else zone
    return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset}").astimezone()


def parse_optional_time(text: Optional[str]) -> Optional[datetime]:
    """The same; ``None`` stays ``None``."""
    return None if text is None else parse_time(text)


def as_moment(value: Moment) -> datetime:
    """What a program passes as a date, as an aware datetime.

    Raises ``TypeError`` for what is no date and ``ValueError`` for text that names none.
    """
    if isinstance(value, str):
        value = _of_text(value)
    if isinstance(value, datetime):
        return value.astimezone()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day).astimezone()
    raise TypeError(f"se esperaba una fecha (datetime), no {type(value).__name__}")


def _of_text(text: str) -> datetime:
    try:
        # Before Python 3.11 the letter is not understood.
        return datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f"no es una fecha: {text!r}; escriba AAAA-MM-DD HH:MM:SS") from None


def rfc3339(moment: datetime) -> str:
    """An aware datetime as respaldo reads it, to the microsecond."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def naive(moment: datetime) -> datetime:
    """An aware datetime as the clock on the wall shows it."""
    return moment.astimezone().replace(tzinfo=None)


def naive_time(text: Any) -> datetime:
    """An RFC 3339 text as the clock on the wall shows it."""
    return naive(parse_time(text))


def megabytes(size: Decimal) -> Decimal:
    """Mebibytes, two decimals."""
    return round(size / (1024 * 1024), 2)


def gigabytes(size: Decimal) -> Decimal:
    """Gibibytes, two decimals."""
    return round(size / (1024 * 1024 * 1024), 2)
