"""Names of trials: their place in the plan, with four digits or more."""

from __future__ import annotations


def trial_id_at(place: int) -> str:
    """Return the id of the trial at a place in the plan: `0003`."""
    return f"{place:04d}"


def trial_order(name: str) -> tuple[bool, int, str]:
    """Return the sort key of a trial id: numbers by their value, so that 9999 comes before 10000, then other names."""
    is_number = name.isascii() and name.isdecimal() and len(name) < 20
    return (not is_number, int(name) if is_number else 0, name)
