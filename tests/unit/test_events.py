"""Events are found where they were put, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from tegum.errors import InvalidInputError
from tegum.geometry import events
from tegum.geometry.events import Event, jumps, quiet_change, settled

TIMES = np.geomspace(1, 1e4, 401)


def step_at(time: float, low: float, high: float, width: float = 0.02) -> np.ndarray:
    """From low to high around a time, like the escape from a saddle; ``width`` in decades."""
    return low + (high - low) * expit((np.log10(TIMES) - np.log10(time)) / width)


def trajectories(swap_at: float = 500.0) -> np.ndarray:
    """Six features: two settle at 1/2 and two at 0 around time 10, two change places later."""
    early = [step_at(10, 0.2, 0.5, 0.1), step_at(12, 0.2, 0.5, 0.1), step_at(9, 0.2, 0.0, 0.1), step_at(11, 0.2, 0.0, 0.1)]
    return np.stack([*early, step_at(swap_at, 0.5, 0.0), step_at(swap_at, 0.0, 0.5)], axis=1)


def falling(*drops: tuple[float, float]) -> np.ndarray:
    return 2 - 0.02 * np.log10(TIMES) + sum(step_at(time, 0, -size) for time, size in drops)


def test_a_swap_is_one_event_with_both_features_and_its_fall_of_the_loss() -> None:
    D = trajectories()
    assert 8 < TIMES[settled(D)] < 40
    (event,) = events(D, TIMES, falling((500, 0.3)))
    assert (event.risen, event.fallen) == ((5,), (4,))
    assert event.swap
    assert event.begins < 500 < event.ends
    assert event.loss_drop == pytest.approx(0.3, rel=0.15)
    assert event.sudden
    assert event.quiet < 0.02


def test_a_feature_that_moves_against_a_jump_by_half_its_least_size_belongs_to_the_swap() -> None:
    for moved, fallen in ((0.15, (4,)), (0.08, ())):
        D = trajectories()
        D[:, 4] = step_at(500, 0.5, 0.5 - moved)
        (event,) = events(D, TIMES, falling())
        assert (event.risen, event.fallen, event.swap) == ((5,), fallen, bool(fallen))


def test_without_a_fall_of_the_loss_an_event_is_not_sudden() -> None:
    (event,) = events(trajectories(), TIMES, falling((3000, 0.3)))
    assert not event.sudden


def test_slow_changes_small_changes_and_noise_are_no_events() -> None:
    D = trajectories()
    D[:, 4:] = np.stack([step_at(500, 0.5, 0.0, 0.5), step_at(500, 0.3, 0.45)], axis=1)
    noise = np.random.default_rng(0).normal(0, 0.01, D.shape)
    assert events(D + noise, TIMES, falling()) == []


def test_what_happens_before_the_features_settle_is_left_out_unless_asked_for() -> None:
    D = trajectories()
    D[:, 0] = step_at(4, 0.0, 0.5)
    assert [event.risen for event in events(D, TIMES, falling())] == [(5,)]
    assert [event.risen for event in events(D, TIMES, falling(), since=0)] == [(0,), (5,)]


def test_a_jump_in_a_steep_descent_is_not_sudden() -> None:
    steep = 2 - 0.3 * np.log10(np.minimum(TIMES, 540))
    (event,) = events(trajectories(), TIMES, steep)
    assert event.quiet == pytest.approx(0.036)
    assert not event.sudden


def test_two_events_and_a_visit_are_told_apart() -> None:
    D = trajectories()
    D[:, 0] += step_at(3000, 0, -0.4) - step_at(6000, 0, -0.4)
    found = events(D, TIMES, falling((500, 0.1), (3000, 0.2)))
    assert [(event.risen, event.fallen) for event in found] == [((5,), (4,)), ((), (0,)), ((0,), ())]
    assert [event.swap for event in found] == [True, False, False]


def test_a_feature_that_rises_and_falls_changes_places_with_none() -> None:
    times, loss = np.array([1.0, 2, 4, 8]), np.ones(4)
    blip = np.array([[0.2, 0.5], [0.7, 0.5], [0.2, 0.5], [0.2, 0.5]])
    found = events(blip, times, loss, since=0)
    assert [(event.first, event.last, event.risen, event.fallen) for event in found] == [(0, 1, (0,), ()), (1, 2, (), (0,))]
    assert not any(event.swap for event in found)
    close = np.array([1.0, 1.01, 1.02, 1.03])  # within the window, so that both are one event if they overlap
    both = Event(0, 3, 1.0, 8.0, (0,), (0,), 0.0, 0.0)
    assert not both.swap
    assert not replace(both, fallen=(0, 1)).swap
    assert replace(both, risen=(0, 2), fallen=(0, 1)).swap
    assert [event.swap for event in events(np.array([[0.0, 0.5]] * 2 + [[0.5, 0.0]] * 2), close, loss, since=0)] == [True]


def test_jumps_that_only_touch_are_two_events() -> None:
    D = np.array([[0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [0.0, 0.5]])
    found = events(D, np.array([1.0, 2, 4, 8]), np.array([4.0, 3, 1, 1]), since=0)
    assert [(event.risen, event.fallen, event.loss_drop, event.swap) for event in found] == [
        ((), (0,), 1.0, False),
        ((1,), (), 2.0, False),
    ]


def test_records_that_are_no_numbers_are_skipped() -> None:
    D = trajectories()
    D[[100, 272]] = np.nan  # 272 is in the midst of the swap
    (event,) = events(D, TIMES, falling((500, 0.3)), since=150)
    assert (event.risen, event.fallen, event.swap) == ((5,), (4,), True)
    assert event.first < 272 < event.last
    D[:] = np.nan
    assert events(D, TIMES, falling(), since=0) == []


@given(
    st.floats(30, 5000),
    st.floats(0.25, 0.9),
    st.floats(0.005, 0.03),
    st.sampled_from([-1, 1]),
    st.integers(0, 7),
    st.integers(8, 20),
)
def test_any_sharp_jump_is_found_with_its_size_and_time(
    time: float, size: float, width: float, sign: int, feature: int, n: int
) -> None:
    D = np.full((len(TIMES), n), 0.5)
    D[:, feature] += sign * step_at(time, 0, size, width)
    (jump,) = jumps(D, TIMES)
    assert jump.feature == feature
    assert jump.change == pytest.approx(sign * size, rel=0.05)
    assert TIMES[jump.first] <= time * 1.03
    assert TIMES[jump.last] >= time / 1.03


def test_records_further_apart_than_the_window_are_compared_with_the_next() -> None:
    (jump,) = jumps(np.array([[0.5, 0.5], [0.5, 0.0], [0.5, 0.0]]), np.array([1.0, 100.0, 1000.0]))
    assert (jump.feature, jump.first, jump.last, jump.change) == (1, 0, 1, -0.5)


def test_the_quiet_change_is_that_of_the_nearest_free_stretches() -> None:
    log_time, loss = np.arange(10.0), np.array([9.0, 8, 8, 8, 4, 4, 3.5, 3, 0, 0])
    assert quiet_change(loss, log_time, 3, 4, [(3, 4)]) == 0
    assert quiet_change(loss, log_time, 3, 4, [(3, 4), (1, 2), (2, 3), (4, 5)]) == 1
    assert np.isnan(quiet_change(loss, log_time, 3, 4, [(0, 9)]))


def test_what_is_wrong_with_the_arguments_is_said() -> None:
    with pytest.raises(InvalidInputError, match="leave out step 0"):
        jumps(np.zeros((3, 2)), np.array([0.0, 1.0, 2.0]))
    with pytest.raises(InvalidInputError, match="window is 0"):
        jumps(np.zeros((2, 2)), np.array([1.0, 2.0]), window=0)
    with pytest.raises(InvalidInputError, match="give \\(time, n\\)"):
        jumps(np.zeros((3, 2)), np.array([1.0, 2.0]))
    with pytest.raises(InvalidInputError, match="one loss for each time"):
        events(np.zeros((2, 2)), np.array([1.0, 2.0]), np.zeros(3))
