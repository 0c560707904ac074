"""Imports, noise, and MLflow's own pages."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from infogan_bench.errors import InputError
from infogan_bench.records.results import Status
from infogan_bench.tracking import (
    free_port,
    served_store,
    server_environment,
    ui_command,
)
from tests.tracking.support import (
    a_tracker,
    fetch,
    python,
    query,
    report,
    run_id,
    runs,
    track,
    wait_for,
    write_trial,
)


def test_without_a_tracker_mlflow_is_not_imported():
    done = python("import sys, infogan_bench.tracking; print('mlflow' in sys.modules)")
    assert done.stdout == "False\n"


SWEEP = """
import sys, pathlib
from infogan_bench.config.models import TrackingConfig
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.tracking import MlflowTracker, TrackedSweep
place = pathlib.Path(sys.argv[1])
folder = place / sys.argv[2]
folder.mkdir()
(folder / "sweep.yaml").write_text("name: s\\ngoal: {metric: m, mode: max}\\n")
swept = TrackedSweep("s", sys.argv[2], folder, {"a": "x" * 9000}, ["b"], "m", "max")
tracker = MlflowTracker(TrackingConfig(), swept, replay=lambda trial: ())
assert tracker.preflight() is None
tracker.started(1)
seed = SeedResult(0, Status.FINISHED, 1, {"m": 1.0})
tracker.updated(TrialUpdate("0000", {"b": 1}, Status.FINISHED, 1, (seed,)))
tracker.ended(Status.FINISHED)
assert tracker.warning is None
"""


@pytest.mark.slow
def test_two_sweeps_that_start_together_on_a_new_database_both_arrive_in_silence(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = []
    threads = [
        threading.Thread(target=lambda n=n: done.append(python(SWEEP, tmp_path, f"s{n}", cwd=tmp_path)))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.stdout, one.stderr) for one in done] == [("", "")] * 2
    assert [status for *_, status in runs(tmp_path)] == ["FINISHED"] * 4
    assert query(tmp_path, "SELECT count(*) FROM experiments WHERE name = 's'") == [(1,)]


def test_the_ui_stays_on_this_machine_and_its_environment_names_the_store(monkeypatch):
    command = ui_command(5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert (options["--host"], options["--port"]) == ("127.0.0.1", "5001")
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "sqlite:///another.db")
    store = served_store("postgresql://me:s3cret@db/runs")
    assert server_environment(store)["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:s3cret@db/runs"


@pytest.mark.parametrize(
    ("uri", "message"),
    [("http://elsewhere:5000", "its own pages"), ("sqlite:////nowhere/mlflow.db", "no MLflow database")],
)
def test_the_ui_needs_a_database_that_is_there(uri, message):
    with pytest.raises(InputError, match=message):
        served_store(uri)


def test_a_taken_port_is_passed_over():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def command_lines(process: int) -> list[str]:
    """Return what `ps` shows of a process and of all that it has started."""
    line = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [line, *(line for child in children for line in command_lines(int(child)))]


@pytest.mark.slow
def test_the_ui_serves_a_page_and_an_artifact_and_ends_on_ctrl_c(place):
    tracker = a_tracker(place)
    write_trial(place / "runs" / "mnist" / "trials" / "0000")
    track(tracker, report("0000", 10, 0.3, status=Status.FINISHED))
    code = (
        "import signal, sys; from infogan_bench.tracking import open_ui\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it\n"
        "sys.exit(open_ui(sys.argv[1], int(sys.argv[2])))"
    )
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        wanted = taken.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-u", "-c", code, f"sqlite:///{place}/mlflow.db", str(wanted)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = server.stdout.readline()
    assert f"(port {wanted} is taken)" in said
    address = said.split()[1]
    try:
        wait_for(lambda: b"<title>MLflow</title>" in fetch(address))
        url = f"{address}/get-artifact?path=seed-0/samples.png&run_uuid={run_id(place, '0000')}"
        samples = place / "runs" / "mnist" / "trials" / "0000" / "seed-0" / "samples.png"
        assert fetch(url) == samples.read_bytes()
        lines = command_lines(server.pid)
        assert any("mlflow" in line for line in lines[1:])
        assert not [line for line in lines[1:] if "mlflow.db" in line]  # the first is this test's own
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert fetch(address) == b""
