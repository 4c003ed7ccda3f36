"""Due times: the rules as ``backup_schedules`` spells them, and the last one before a moment."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta, tzinfo
from typing import Dict, Mapping, Optional

from ._rows import SCHEDULED_TYPES

#: The rule of a type: ``day`` or ``weekday`` (0 Monday), ``hour`` and ``minute``.
Rule = Dict[str, int]

#: What holds where nothing else is stored, configured or to be had.
DEFAULTS: Dict[str, Rule] = {
    "FULL": {"day": 1, "hour": 0, "minute": 0},
    "DIFERENCIAL": {"weekday": 6, "hour": 23, "minute": 30},
    "INCREMENTAL": {"hour": 23, "minute": 0},
}


def rules_of(document: Mapping[str, Mapping[str, object]]) -> Dict[str, Rule]:
    """The rules in what ``respaldo schedule show`` prints."""
    return {
        tipo: {
            key: value
            for key, value in document[tipo].items()
            if key in DEFAULTS[tipo] and isinstance(value, int)
        }
        for tipo in SCHEDULED_TYPES
    }


def zone_of(name: str) -> Optional[tzinfo]:
    """The zone of a name; ``None``, the zone of this machine, where Python has none of that name."""
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except Exception:  # No tzdata, or a name of the machine's own.
        return None


def last_required(rule: Mapping[str, int], now: datetime) -> datetime:
    """The newest due time of a rule that is not after ``now``, in the zone of ``now``.

    A day of the month that a month does not have is its last.
    """
    at = now.replace(hour=rule["hour"], minute=rule["minute"], second=0, microsecond=0)
    if "day" in rule:
        this_month = _on_day(at, rule["day"])
        if this_month <= now:
            return this_month
        return _on_day(at.replace(day=1) - timedelta(days=1), rule["day"])
    step = 1
    if "weekday" in rule:
        step = 7
        at -= timedelta(days=(at.weekday() - rule["weekday"]) % 7)
    return at if at <= now else at - timedelta(days=step)


def type_at(rules: Mapping[str, Mapping[str, int]], now: datetime) -> str:
    """The type that is due at this minute, the largest first; INCREMENTAL where none is."""
    minute = now.replace(second=0, microsecond=0)
    for tipo in SCHEDULED_TYPES:
        if last_required(rules[tipo], minute) == minute:
            return tipo
    return "INCREMENTAL"


def _on_day(at: datetime, day: int) -> datetime:
    last = calendar.monthrange(at.year, at.month)[1]
    return at.replace(day=min(day, last))
