"""Signals to a sweep, with Python's own handlers in place of Ray Tune's loop."""

from __future__ import annotations

import os
import signal
import time

import pytest

from infogan_bench.sweep.signals import StopSignals

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", NUMBERS)
def test_outside_of_the_loop_the_first_signal_interrupts(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in NUMBERS]
    signals = StopSignals()
    with signals, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signals.received == number
    assert [signal.getsignal(each) for each in NUMBERS] == before


def test_inside_the_loop_it_goes_to_tune_which_hears_sigusr1() -> None:
    heard: list[int] = []
    with StopSignals() as signals:
        signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
        signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGUSR1]
    assert signals.received == signal.SIGTERM
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


def test_the_second_signal_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    with StopSignals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):  # only since this `_exit` comes back
            signal.raise_signal(signal.SIGTERM)
    assert codes == [128 + signal.SIGTERM]


def test_what_must_not_be_cut_is_finished_first() -> None:
    finished = False
    signals = StopSignals()
    with signals, pytest.raises(KeyboardInterrupt), signals.held_back():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        finished = True
    assert finished


def test_handlers_that_another_library_replaced_are_put_back_on_listening() -> None:
    with StopSignals() as signals:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signals.listen()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_while_ray_starts_they_are_put_back_at_once_and_take_effect_at_its_end() -> None:
    timer = signal.getitimer(signal.ITIMER_REAL)  # pytest-timeout's
    alarm = signal.getsignal(signal.SIGALRM)
    started = False
    with StopSignals() as signals:
        with pytest.raises(KeyboardInterrupt), signals.insisting():  # noqa: PT012
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which would end this process
            time.sleep(0.1)
            signal.raise_signal(signal.SIGTERM)
            started = True
        assert signals.received == signal.SIGTERM
    assert started
    assert signal.getsignal(signal.SIGALRM) == alarm
    assert signal.getitimer(signal.ITIMER_REAL) == pytest.approx(timer, abs=1)
