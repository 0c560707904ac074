"""Asking beforehand whether a trial fits: on a local Ray of 2 CPUs and no GPU."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from ray.cluster_utils import Cluster

from infogan_bench.config import ConfigError, ResourcesConfig, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.sweep import start
from infogan_bench.sweep.engine.cluster import ray_cluster, require_a_node, trial_request
from infogan_bench.sweep.engine.trainable import trial_threads


@pytest.fixture(scope="class")
def cluster(no_ray: None) -> Iterator[Cluster]:
    """A head with 2 CPUs and 2 (pretended) GPUs, and a node that has 1 CPU and 2 GPUs."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 2, "include_dashboard": False}
    )
    cluster.add_node(num_cpus=1, num_gpus=2)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def demand() -> list[dict[str, float]]:
    """What placement groups ask for, which is what an autoscaler adds nodes for."""
    groups = ray.util.placement_group_table().values()
    return [group["bundles"][0] for group in groups if group["state"] != "REMOVED"]


@pytest.mark.slow
class TestPreflight:
    @pytest.mark.parametrize(
        ("request_", "words"),
        [
            (
                {"CPU": 10000.0},
                "10000 CPU for each trial, but the largest node has 2 CPU and all 2 together 3 CPU",
            ),
            ({"GPU": 4.0}, "4 GPU for each trial, but the largest node has 2 GPU and all 2 together 4 GPU"),
            ({"tpu": 1.0}, "1 tpu for each trial, but the largest node has 0 tpu and all 2 together 0 tpu"),
            ({"memory": 2.0**50}, "GiB of memory for each trial, but the largest node has"),
        ],
    )
    def test_what_no_node_has_is_refused_with_the_numbers(
        self, cluster: Cluster, request_: dict[str, float], words: str
    ) -> None:
        with pytest.raises(InputError, match=r"resources\.wait") as refused:
            require_a_node(request_, wait=0)
        assert words in str(refused.value)

    def test_it_asks_for_a_node_that_fits_until_one_joins(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def meanwhile(seconds: float) -> None:
            if not asked:
                asked.append(demand())
                cluster.add_node(num_cpus=1, resources={"slot": 1})
            time.sleep(seconds)

        with pytest.raises(InputError):
            require_a_node({"slot": 1}, wait=0)
        assert demand() == []
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=meanwhile)
        monkeypatch.setattr("infogan_bench.sweep.engine.cluster.time", clock)
        require_a_node({"slot": 1}, wait=60)
        assert asked == [[{"slot": 1}]]
        assert demand() == []

    def test_auto_is_measured_on_a_whole_gpu_where_there_is_one(self, cluster: Cluster) -> None:
        assert trial_request(ResourcesConfig()) == {"CPU": 1, "GPU": 1}
        asked = ResourcesConfig(cpus=4, gpus=0, memory=2, custom={"slot": 1})
        assert trial_request(asked) == {"CPU": 4, "memory": 2 * 2**30, "slot": 1}


@pytest.mark.slow
def test_a_sweep_that_fits_nowhere_leaves_no_folder(no_ray: None, tmp_path: Path) -> None:
    sweep = parse_sweep(
        {"name": "big", "resources": {"cpus": 10000}, "output": str(tmp_path), "tracking": "none"}
    )
    began = time.monotonic()
    with pytest.raises(InputError, match="10000 CPU for each trial"):
        start(sweep)
    assert time.monotonic() - began < 30
    assert list(tmp_path.iterdir()) == []
    assert not ray.is_initialized()


def test_no_cluster_at_the_address(no_ray: None) -> None:
    with (
        pytest.raises(InputError, match=r"no Ray cluster answers at 127\.0\.0\.1:1"),
        ray_cluster("127.0.0.1:1"),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["too long", "not a folder"])
def test_where_ray_s_folder_is_of_no_use_it_gets_another(
    no_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    place = tmp_path / ("x" * 90) if fault == "too long" else Path(tempfile.mkdtemp(dir="/tmp"))
    place.mkdir(exist_ok=True)
    if fault == "not a folder":
        (place / "ray").touch()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with ray_cluster(None):
        used = Path(ray._private.worker._global_node.get_temp_dir_path())
        assert used.parent == Path("/tmp")
        assert used.is_dir()
        assert ray.cluster_resources()["CPU"] >= 1
    assert not used.exists()
    shutil.rmtree(place)


def test_a_number_of_gpus_above_one_is_whole() -> None:
    with pytest.raises(ConfigError, match=r"resources\.gpus"):
        parse_sweep({"name": "odd", "resources": {"gpus": 1.5}})


def test_threads_are_the_cpus_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [trial_threads(cpus) for cpus in (0.5, 1, 4, 4.5)] == [1, 1, 4, 4]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert trial_threads(4) == 3
