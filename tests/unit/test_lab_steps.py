"""The steps of the lab's simulation, in Node: those that go too far, and those of the tour one after the other."""

import pytest

import tegum as tg
from tests.unit.test_lab import FIVE, NET, NODE, in_node

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node")


def test_a_step_that_goes_too_far_is_taken_back() -> None:
    """Penalties and weights whose first trial steps overflow."""
    call = """input.map(([address, scale]) => {
      const state = tegumLab.stateOf(address), random = new tegumLab.Random(3);
      if (scale) state.W = Float64Array.from({ length: state.n * state.m }, () => scale * random.normal());
      const simulation = new tegumLab.Simulation(state), before = simulation.frame(false).loss;
      simulation.advance(2, 400);
      const { W, loss } = simulation.frame(false);
      return [[...W].every(Number.isFinite), before, loss];
    })"""
    heavy = [[tg.lab.link(NET, FIVE, interference=weight), 0] for weight in (100.0, 1e4, 1e6)]
    large = [[f"#v=1&n={n}&m=2&p={p}&I=1000", 30] for n in (3, 5) for p in (0.01, 1)]
    for finite, before, loss in in_node(call, heavy + large):
        assert finite
        assert loss < before


def test_the_tour_shows_what_it_says() -> None:
    """One step after the other, as with Next, and each from the weights of its seed, as with Back."""
    call = """[true, false].map((on) => {
      let simulation = null;
      return tegumLab.TOUR.map(({ address }) => {
        const state = tegumLab.stateOf(address);
        if (simulation && on) simulation.set(state);
        else simulation = new tegumLab.Simulation(state);
        simulation.advance(state.how === "flow" ? 500 : 1500, Infinity);
        return simulation.frame(true).shapes.label;
      });
    })"""
    said = ["2 dedicated", "2 dedicated", "2 digons", "pentagon", "pentagon", "pentagon", "square antiprism", "pentagon"]
    assert in_node(call) == [said, said]


def test_whoever_goes_on_early_in_the_tour_sees_digons_too() -> None:
    """The step before may be left at any moment: seen long, none of the weights that it had by then ends without a digon."""
    call = """[0, 1, 4, 10, 20, 40, 80, 150, 300, 600].map((left) => {
      const [before, now] = [1, 2].map((k) => tegumLab.stateOf(tegumLab.TOUR[k].address));
      const simulation = new tegumLab.Simulation(before);
      simulation.advance(left, Infinity);
      simulation.set(now);
      simulation.advance(3000, Infinity);
      return simulation.frame(true).shapes.label;
    })"""
    assert set(in_node(call)) <= {"2 digons", "digon + dedicated"}


def test_slow_speeds_make_fewer_steps_of_adam() -> None:
    """Fractions of a step add up over frames."""
    call = """[0.2, 0.4, 1, 2].map((amount) => {
      const simulation = new tegumLab.Simulation(tegumLab.stateOf("#v=1&n=2&m=1&how=adam"));
      for (let frame = 0; frame < 20; frame++) simulation.advance(amount, 1000);
      return simulation.time;
    })"""
    assert in_node(call) == [4, 8, 20, 40]
