"""Two runs on one GPU: the second one is told, or refused where its weights alone do not fit."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace

import pytest
import torch
from small_runs import Watching

from training_backend.errors import ConfigError
from training_backend.events import Log
from training_backend.students.gpu_room import least_bytes, require_room, take_gpu
from training_backend.students.run_config import RunConfig

MIB = 2**20


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """A GPU of 24 MiB, `free` of which can be set."""
    card = SimpleNamespace(free=24 * MIB)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (card.free, 24 * MIB))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid="some-card"))
    return card


@pytest.fixture
def network():
    # a million numbers: 4 MiB of weights, 16 MiB with gradient and moments
    return torch.nn.Linear(1024, 1024, bias=False)


def test_what_a_network_needs_before_its_first_example(network):
    assert least_bytes(network, RunConfig()) == 16 * MIB
    assert least_bytes(network, RunConfig(optimizer="adafactor")) == pytest.approx(8.2 * MIB)
    network.weight.requires_grad_(False)
    assert least_bytes(network, RunConfig()) == 4 * MIB


def test_alone_nothing_is_said(gpu, network):
    reporter = Watching()
    held = take_gpu(network, RunConfig(), reporter)
    assert held is not None and reporter.all(Log) == []
    held.release()


def test_a_second_run_is_told_and_refused_where_it_does_not_fit(gpu, network):
    first = take_gpu(network, RunConfig(), Watching())
    assert first is not None
    gpu.free = 17 * MIB
    reporter = Watching()
    assert take_gpu(network, RunConfig(), reporter) is None
    (told,) = reporter.all(Log)
    assert told.level == "warning" and "trains on this GPU too" in told.text
    gpu.free = 8 * MIB
    with pytest.raises(ConfigError, match=r"process \d+ on .* trains on this GPU too: .* GiB are free"):
        take_gpu(network, RunConfig(), Watching())
    # over three GPUs its share fits
    assert take_gpu(network, RunConfig(), Watching(), shares=3) is None
    first.release()
    with pytest.raises(ConfigError, match="Other programs use this GPU"):
        take_gpu(network, RunConfig(), Watching())
    gpu.free = 24 * MIB
    again = take_gpu(network, RunConfig(), Watching())
    assert again is not None
    again.release()


def test_a_gpu_that_is_too_small_is_named(gpu):
    with pytest.raises(ConfigError, match="The GPU is too small"):
        take_gpu(torch.nn.Linear(2048, 2048), RunConfig(), Watching())


def test_what_no_wait_could_make_fit_is_refused_without_loading(gpu, monkeypatch, network):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(total_memory=15 * MIB))
    with torch.device("meta"):
        unloaded = torch.nn.Linear(1024, 1024, bias=False)
    for each in (network, unloaded):
        with pytest.raises(ConfigError, match=r"The GPU has 0\.0 GiB of memory, this run needs"):
            require_room(each, RunConfig())
        require_room(each, RunConfig(optimizer="adafactor"))
        require_room(each, RunConfig(), shares=2)


def test_without_a_gpu_nothing_is_noted(monkeypatch, network):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert take_gpu(network, RunConfig(), Watching()) is None
