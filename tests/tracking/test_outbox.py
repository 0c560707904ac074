"""What waits for a store."""

from __future__ import annotations

import threading

from infogan_bench.tracking import (
    _outbox,
)
from infogan_bench.tracking._record import Measurement, Record
from infogan_bench.tracking._tags import SWEEP as SWEEPS_OWN
from tests.tracking.support import wait_for


def test_failures_before_the_end_do_not_count_against_the_last_attempts(monkeypatch):
    """Four failures, more than the last attempts that a dead store gets; then the store answers, but a trial's record
    can arrive only after the sweep's own."""
    monkeypatch.setattr(_outbox, "_FIRST_WAIT", 0.01)
    tried, arrived = [], set()

    def send(key, record):
        tried.append(key)
        if len(tried) <= 4 or (key != SWEEPS_OWN and SWEEPS_OWN not in arrived):
            raise ConnectionError("nobody answers")
        arrived.add(key)
        record.tags.clear()
        return 0

    outbox = _outbox.Outbox(send, parent=SWEEPS_OWN)
    for number in range(5):
        outbox.put(f"{number:04d}", Record("trial", tags={"a": "1"}))
    outbox.put(SWEEPS_OWN, Record("sweep", tags={"b": "2"}))
    outbox.start()
    wait_for(lambda: len(tried) >= 4)
    outbox.close(20)
    assert tried[0] == SWEEPS_OWN  # though it was handed over last
    assert (outbox.unsent, outbox.refused) == (0, 0)
    assert arrived == {SWEEPS_OWN, *(f"{number:04d}" for number in range(5))}


def test_what_is_too_much_to_hold_in_memory_is_left_in_the_sweep_folder():
    sent, answers = [], threading.Event()

    def send(key, record):
        if not answers.is_set():
            raise ConnectionError("nobody answers")
        sent.append((key, len(record.metrics), record.from_folder, record.tags["step"]))
        for part in (record.metrics, record.tags):
            part.clear()
        record.from_folder = False
        return 0

    outbox = _outbox.Outbox(send, parent=SWEEPS_OWN, limit=7)
    for trial, step in (("0000", 1), ("0001", 1), ("0001", 2), ("0000", 2)):
        values = [Measurement(f"m{n}", 1.0, step, 0) for n in range(2)]
        outbox.put(trial, Record(trial, tags={"step": str(step)}, metrics=values))
    assert outbox.unsent == 2
    answers.set()
    outbox.start()
    outbox.close(20)
    # with its second report 0001 is too large, and is read from the folder but for its newest tags
    assert sorted(sent) == [("0000", 2 * 2, False, "2"), ("0001", 0, True, "2")]
    assert outbox.unsent == 0


class CountedKey(str):
    """The name of a run, which counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        CountedKey.compared += 1
        return str.__eq__(self, other)

    def __ne__(self, other):
        CountedKey.compared += 1
        return str.__ne__(self, other)


def test_the_next_record_is_found_without_a_look_at_all_that_wait(monkeypatch):
    """A store that is slower than the sweep may have thousands to come."""
    monkeypatch.setattr(CountedKey, "compared", 0)
    sent = []
    outbox = _outbox.Outbox(lambda key, record: sent.append(key) or 0, parent=SWEEPS_OWN)
    names = [CountedKey(f"{number:04d}") for number in range(1000)]
    for name in names:
        outbox.put(name, Record("trial"))
    outbox.put(SWEEPS_OWN, Record("sweep"))
    CountedKey.compared = 0
    outbox.start()
    outbox.close(20)
    assert sent == [SWEEPS_OWN, *names]
    assert CountedKey.compared <= 3 * len(names)
