"""A sweep on three Ray nodes loses nothing, whatever befalls its processes, nodes, links and its driver.

Every sweep is compared, bit for bit, with the same trials trained in this process without Ray: so a trial's numbers
depend neither on the node, the order and the concurrency, nor on the fault.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import pandas as pd
import pytest
import yaml

from infogan_bench.training import load_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MIDDLE = 25  # batches of G, one a step: where a gated trial stops
LOST = MIDDLE - 20  # batches since its last checkpoint


def in_their_middle(nodes, place):
    """Whether every node trains a trial that has come to the gate."""
    return all(trained(nodes, place, number) == MIDDLE for number in nodes.alive)


def trained(nodes, place, number):
    """Batches that a node's processes have trained on."""
    return sum(_size(place.batches / str(pid)) for pid in nodes.trials(number))


def _size(path):
    return path.stat().st_size if path.exists() else 0


def log_of(place):
    log = place.folder / "sweep.log"
    return log.read_text() if log.exists() else ""


def finish(process):
    out, messages = process.communicate(timeout=400)
    assert process.returncode == 0, messages
    assert "5 trials: 5 finished" in out, out + messages


def redone(place, undisturbed, *drivers):
    """Batches trained beyond those of a run without a fault."""
    pids = {str(driver.pid) for driver in drivers}
    trained = sum(path.stat().st_size for path in place.batches.iterdir() if path.name not in pids)
    return trained - undisturbed.batches


def test_a_killed_process_costs_what_it_did_since_its_last_checkpoint(
    nodes, place, undisturbed, same_curves, until
):
    sweep = nodes.drive("sweep", "gated.yaml", cwd=place.path)
    until(lambda: in_their_middle(nodes, place), sweep, "a trial on each node")
    [victim] = nodes.trials(nodes.alive[1])
    os.kill(victim, signal.SIGKILL)
    place.gate.touch()
    finish(sweep)

    same_curves(place.folder)
    assert redone(place, undisturbed, sweep) == LOST
    assert log_of(place).count("goes on from its last checkpoint: its process died") == 1
    assert set(pd.read_parquet(place.folder / "trials.parquet")["node"]) <= set(map(nodes.ip, nodes.alive))


def test_a_process_killed_as_it_is_handed_its_next_trial_loses_none(nodes, place, same_curves):
    place.gate.touch()
    (place.path / "handover").touch()
    sweep = nodes.drive("sweep", "gated.yaml", cwd=place.path)
    finish(sweep)

    same_curves(place.folder)
    assert "begins at the end: its process died before it began" in log_of(place)


def test_the_trial_of_a_killed_node_moves_to_one_that_joins(nodes, place, undisturbed, same_curves, until):
    sweep = nodes.drive("sweep", "gated.yaml", cwd=place.path)
    until(lambda: in_their_middle(nodes, place), sweep, "a trial on each node")
    nodes.kill(nodes.alive[-1])
    until(lambda: "its node was lost" in log_of(place), sweep, "the loss of a node")
    [new] = nodes.add()
    until(lambda: trained(nodes, place, new), sweep, "a trial training on the new node")
    place.gate.touch()
    finish(sweep)

    same_curves(place.folder)
    assert redone(place, undisturbed, sweep) == LOST
    assert nodes.ip(new) in set(pd.read_parquet(place.folder / "trials.parquet")["node"])


def test_no_trial_counts_twice_when_a_cut_off_node_trains_on(nodes, place, undisturbed, same_curves, until):
    if not nodes.namespaces:
        pytest.skip("a link is cut between network namespaces, which take root and `ip`")
    sweep = nodes.drive("sweep", "gated.yaml", cwd=place.path)
    until(lambda: in_their_middle(nodes, place), sweep, "a trial on each node")
    victim = nodes.alive[-1]
    [cut_off] = nodes.trials(victim)
    nodes.cut(victim)
    until(lambda: "its node was lost" in log_of(place), sweep, "the loss of a node")
    place.gate.touch()
    until(lambda: _size(place.batches / str(cut_off)) > MIDDLE, sweep, "the cut-off process training on")
    nodes.heal(victim)
    finish(sweep)

    same_curves(place.folder)
    trained_on = _size(place.batches / str(cut_off)) - MIDDLE
    assert redone(place, undisturbed, sweep) == LOST + trained_on
    deadline = time.monotonic() + 60
    while victim in nodes.alive and time.monotonic() < deadline:  # a node that was given up leaves by itself
        time.sleep(0.1)
    assert victim not in nodes.alive


def test_a_driver_killed_twice_ends_as_an_undisturbed_one(nodes, place, same_curves, until):
    place.gate.touch()
    moments = random.Random(20)
    driver = nodes.drive("sweep", "gated.yaml", cwd=place.path)
    for _ in range(2):
        before = log_of(place)
        until(lambda before=before: log_of(place) != before, driver, "the driver at work")
        time.sleep(moments.uniform(0, 8))
        driver.kill()
        driver.communicate()
        driver = nodes.drive("resume", "runs/gated", cwd=place.path)
    finish(driver)

    same_curves(place.folder)
    trials = pd.read_parquet(place.folder / "trials.parquet")
    assert list(trials["trial"]) == ["0000", "0001", "0002", "0003", "0004"]
    assert set(trials["status"]) == {"finished"}


def test_a_signal_stops_the_sweep_and_leaves_the_cluster(nodes, place, until):
    alive = nodes.alive
    for number, arguments in (
        (signal.SIGINT, ("sweep", "gated.yaml")),
        (signal.SIGTERM, ("resume", "runs/gated")),
    ):
        shutil.rmtree(place.batches)
        place.batches.mkdir()
        driver = nodes.drive(*arguments, cwd=place.path)
        until(lambda: in_their_middle(nodes, place), driver, "a trial on each node")
        driver.send_signal(number)
        _, messages = driver.communicate(timeout=30)

        assert driver.returncode == 128 + number
        assert "go on with: infogan-bench resume runs/gated" in messages
        trials = pd.read_parquet(place.folder / "trials.parquet").set_index("trial")
        assert list(trials["status"]) == ["interrupted"] * len(alive)
        for trial, step in trials["step"].items():
            newest = max(place.folder.glob(f"tune/*/{trial}/checkpoint_*"), key=os.path.getmtime)
            checkpoint = load_checkpoint(newest / "seed-0" / "checkpoint.safetensors")
            assert checkpoint.tensors["step"].item() == step
        deadline = time.monotonic() + 30
        while any(map(nodes.trials, alive)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(nodes.trials, alive))
        assert nodes.alive == alive


def test_what_no_node_has_is_refused_and_with_wait_the_node_may_join(nodes, place, same_curves, until):
    def ask(wait):
        sweep = yaml.safe_load((place.path / "gated.yaml").read_text())
        sweep["resources"] = {"cpus": 1, "custom": {"late": 1}, "wait": wait}
        (place.path / "late.yaml").write_text(yaml.safe_dump(sweep))
        return nodes.drive("sweep", "late.yaml", cwd=place.path)

    refused = ask(wait=0)
    _, messages = refused.communicate(timeout=400)
    assert refused.returncode == 2
    assert messages.startswith(
        "error: resources: the sweep asks for 1 late for each trial, but the largest node"
    )
    assert list((place.path / "runs").iterdir()) == []

    place.gate.touch()
    waiting = ask(wait=90)
    until(lambda: "Connected to Ray cluster" in log_of(place), waiting, "the driver at work")
    [late] = nodes.add(resources='{"late": 1}')
    finish(waiting)
    same_curves(place.folder)
    assert set(pd.read_parquet(place.folder / "trials.parquet")["node"]) == {nodes.ip(late)}
    nodes.kill(late)
