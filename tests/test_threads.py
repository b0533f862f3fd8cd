"""Sharing the cores: with a clock of our own, since a test cannot ask for a busy machine."""

import pytest
import torch

from labs import threads
from labs.threads import sharing_cores


class Clock:
    """Wall and processor time that pass as the test says."""

    def __init__(self):
        self.wall, self.busy = 0.0, 0.0

    def perf_counter(self):
        return self.wall

    def process_time(self):
        return self.busy


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(threads, "time", clock)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield clock
    torch.set_num_threads(before)


def spend(clock, look_around, *, wall, share, steps=10):
    """Let ``wall`` seconds pass in which the process gets ``share`` of the time of two threads."""
    for _ in range(steps):
        clock.wall += wall / steps
        clock.busy += 2 * share * wall / steps
        look_around()


def test_an_idle_machine_keeps_all_threads(clock):
    with sharing_cores() as look_around:
        spend(clock, look_around, wall=10, share=0.95)

        assert torch.get_num_threads() == 2


def test_a_busy_machine_brings_it_down_to_one_thread_and_the_end_puts_them_back(clock):
    with sharing_cores() as look_around:
        spend(clock, look_around, wall=1, share=0.6)
        inside = torch.get_num_threads()

    assert inside == 1
    assert torch.get_num_threads() == 2


def test_a_moment_is_too_short_to_judge(clock):
    with sharing_cores() as look_around:
        spend(clock, look_around, wall=0.1, share=0.1)

        assert torch.get_num_threads() == 2


def test_load_that_comes_later_is_noticed_too(clock):
    with sharing_cores() as look_around:
        spend(clock, look_around, wall=60, share=1.0, steps=100)
        before = torch.get_num_threads()
        spend(clock, look_around, wall=1, share=0.3)

        assert (before, torch.get_num_threads()) == (2, 1)


def test_the_threads_come_back_after_an_error_too(clock):
    def fail_on_a_busy_machine():
        with sharing_cores() as look_around:
            spend(clock, look_around, wall=1, share=0.1)
            raise KeyError

    with pytest.raises(KeyError):
        fail_on_a_busy_machine()

    assert torch.get_num_threads() == 2


def test_one_thread_is_left_alone(clock):
    torch.set_num_threads(1)

    with sharing_cores() as look_around:
        spend(clock, look_around, wall=1, share=0.1)

    assert torch.get_num_threads() == 1
