"""A claim is a check: its verdict, words and numbers follow from one measurement and one expectation."""

import json
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tegum.claims import (
    OURS,
    Claim,
    Evidence,
    Expect,
    above,
    at_least,
    at_most,
    below,
    best_of,
    between,
    closed_form,
    equal,
    every,
    falling,
    fisher,
    in_each_seed,
    near,
    passes,
    rising,
    share_at_least,
)
from tegum.claims.expectations import all_of
from tegum.claims.words import recorded
from tegum.errors import InvalidInputError

BY_DENSITY = xr.DataArray([1.15, 1.17, 1.19], {"density": [0.32, 0.1, 0.032]}, ["density"])


def claim(of: Any, expect: Any = None, **changes: Any) -> Claim:
    settings: dict[str, Any] = {"uncontrolled": "it is for tests", "evidence": Evidence("8 models", 8)} | changes
    return Claim("c", "statement", OURS, "how", expect or above(0.5), of, **settings)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (claim(1.0), "held"),
        (claim(0.0), "failed"),
        (claim(1.0, needs=9), "underpowered"),
        (claim(1.0, lacking="a minimum"), "underpowered"),
        (claim(1.0, uncontrolled="", against={"untrained": 0.0}), "held"),
        (claim(1.0, uncontrolled="", against={"untrained": 0.0, "linear": 1.0}), "underpowered"),
        (claim(0.0, uncontrolled="", against={"untrained": 1.0}), "failed"),
        (claim(None, not_run="needs 400 features"), "not run"),
        (claim(0.0, not_run="needs 400 features"), "not run"),
    ],
)
def test_verdicts(made: Claim, verdict: str) -> None:
    assert made.verdict == verdict


def test_what_is_not_run_says_why_and_measures_nothing() -> None:
    settings: dict[str, Any] = {"uncontrolled": "", "against": {"untrained": 1.0}, "note": "The mean is 0."}
    record = claim(0.0, not_run="needs 400 features", **settings).as_record("intro")
    assert (record["verdict"], record["not_run"]) == ("not run", "needs 400 features")
    assert (record["measured"], record["value"], record["evidence"], record["models"]) == ("", None, "", None)
    assert record["note"] == ""
    assert record["controls"] == record["unopposed"] == []
    assert claim(0.0).as_record("intro")["not_run"] == ""
    with pytest.raises(InvalidInputError, match="has no data: give those that are judged"):
        claim(None)


def test_a_control_is_measured_and_judged_like_the_data() -> None:
    made = claim(
        np.array([3.0, 4.0]),
        measure=lambda data: {"largest": data.max(), "count": data.size},
        expect={"largest": at_least(4), "count": equal(2)},
        uncontrolled="",
        against={"smaller": np.array([1.0, 2.0]), "more": np.array([4.0, 4.0, 4.0])},
    )
    assert made.holds
    assert [control.holds for control in made.controls] == [False, False]
    assert [control.words for control in made.controls] == ["largest: 2; count: 2", "largest: 4; count: 3"]


def test_a_part_on_which_no_control_fails_is_named() -> None:
    made = claim(
        {"gap": 1.0, "count": 3},
        {"gap": above(0), "count": equal(3)},
        uncontrolled="",
        against={"no gap": {"gap": 0.0, "count": 3}, "a wide one": {"gap": 2.0, "count": 3}},
    )
    assert made.verdict == "underpowered"
    assert made.unopposed == made.as_record("intro")["unopposed"] == ["count"]
    assert claim(1.0).unopposed == []
    assert claim(1.0, uncontrolled="", against={"untrained": 0.0}).unopposed == []
    assert claim(1.0, uncontrolled="", against={"another": 2.0}).unopposed == [""]


def test_parts_that_are_not_judged_have_their_units() -> None:
    made = claim({"gap": 1.0, "share": 0.5}, {"gap": above(0)}, units={"share": "%"})
    assert made.verdict == "held"
    assert made.as_record("intro")["measured"] == "gap: 1; share: 50 %"


def test_without_data_on_which_it_must_fail_a_claim_says_why() -> None:
    with pytest.raises(ValueError, match="name data on which it must fail"):
        claim(1.0, uncontrolled="")
    with pytest.raises(ValueError, match="name data on which it must fail"):
        claim(1.0, against={"other": 0.0})


@pytest.mark.parametrize(
    ("expect", "right", "wrong", "words", "shown"),
    [
        (near(0.269, 0.01), 0.262, 0.2795, "0.269", "0.262"),
        (near([5, 7, 9], [1, 1, 2]), [5, 8, 11], [5, 9, 9], "5, 7, 9", "5, 8, 11"),
        (near(0.00327, 0.02, relative=True), 0.003330, 0.0035, "0.00327", "0.003330"),
        (near(0, 0.1), 0.05, 0.2, "within 0.1 of 0", "0.05"),
        (near(1, 1e-9), 1 + 1e-12, 1 + 1e-8, "1", "within 1e-12"),
        (near(np.arange(3.0), 0.1), np.full((2, 3), [0.0, 1, 2.05]), np.zeros((2, 3)), "0, 1, 2", "within 0.05"),
        (near(0.5, 0.02, "%"), 0.51, 0.53, "50 %", "51.0 %"),
        (above(3), 40.85123, 3, "above 3", "40.85"),
        (above(0.9, "%"), 0.98765, 0.9, "above 90 %", "98.77 %"),
        (above(0.5), BY_DENSITY, BY_DENSITY - 1, "above 0.5", "1.15 at density 0.32, 1.17 at 0.1, 1.19 at 0.032"),
        (at_least(10, "pairs"), 10, 9, "at least 10 pairs", "10 pairs"),
        (below(-0.95), -0.99916, -0.95, "below -0.95", "-0.9992"),
        (below(0.95), 0.9499999, 0.9500001, "below 0.95", "0.9499999"),
        (at_most(1.05), np.linspace(0, 1, 50), np.linspace(0, 2, 50), "at most 1.05", "0 to 1"),
        (between(0.2, 0.45), [0.2, 0.45], [0.1, 0.3], "0.2 to 0.45", "0.2, 0.45"),
        (between(0, 1, included=False), 0.5, 1.0, "above 0 and below 1", "0.5"),
        (rising(), [1, 2, 3], [1, 1, 3], "rising", "1, 2, 3"),
        (rising(strictly=False), [1, 1, 3], [1, 0, 3], "never falling", "1, 1, 3"),
        (falling("°"), [3, 2.5], [3, 4], "falling", "3°, 2.5°"),
        (falling(strictly=False), [[3, 3], [2, 1]], [[3, 3], [1, 2]], "never rising", "3, 3; 2, 1"),
        (equal("digon"), "digon", "triangle", "digon", "digon"),
        (equal({"a", "b"}), {"b", "a"}, {"a"}, "a, b", "a, b"),
        (equal([1, 2]), [1, 2], [2, 1], "1, 2", "1, 2"),
        (equal([1, 2]), np.array([[1, 2], [1, 2]]), np.array([1, 2, 2]), "1, 2", "1, 2; 1, 2"),
        (equal(True), True, False, "yes", "yes"),
        (share_at_least(0.9), np.arange(100) < 94, np.arange(100) < 89, "at least 90 %", "94 % of 100"),
        (share_at_least(1), [True, True], [True, False], "all", "100 % of 2"),
        (share_at_least(0.9), np.arange(10000) < 9000, np.arange(10000) < 8999, "at least 90 %", "90 % of 10000"),
        (passes(lambda x: x % 2 == 0, "even"), 4, 5, "even", "4"),
        (passes(str.islower, "small letters", shown=repr), "a", "A", "small letters", "'a'"),
    ],
)
def test_an_expectation_decides_and_writes_itself(expect: Expect, right: Any, wrong: Any, words: str, shown: str) -> None:
    assert expect.holds(right)
    assert not expect.holds(wrong)
    assert expect.words == words
    assert expect.shown(right) == shown
    json.dumps(expect.bounds, allow_nan=False)


@pytest.mark.parametrize(
    "expect",
    [near(0, 1e9), above(-1e9), below(1e9), at_least(-1e9), at_most(1e9), between(-1e9, 1e9), rising(), falling(), equal(0)],
)
def test_nothing_and_no_number_meet_no_expectation(expect: Expect) -> None:
    assert not expect.holds(np.nan)
    assert not expect.holds(np.array([]))
    assert not expect.holds(np.array([0.0, np.nan, 0.0]))
    assert expect.shown(np.array([])) == "nothing"


@pytest.mark.parametrize("target", ["digon", True, None, 2])
def test_an_array_equals_where_every_entry_does(target: Any) -> None:
    expect = equal(target)
    for two in ([target] * 2, np.array([target] * 2), xr.DataArray([target] * 2), np.array([target] * 2, object)):
        assert expect.holds(two)
        assert not expect.holds(two[:0])
    for other in (["triangle", target], np.array(["triangle", "digon"]), np.array([0, 1]), [None, False], {"digon": 1}, {2}):
        assert not expect.holds(other)


def test_words_never_say_of_a_value_that_fails_that_it_holds() -> None:
    assert near(0.269, 0.01).shown(0.27902) == "0.27902"
    assert near(5, 0.5).shown(5.504) == "5.504"
    assert near(5, 0.5).shown([5.504, 5.2]) == "5.504, 5.200"
    assert near(0.5, 0.02, "%").shown(0.520004) == "52.0004 %"
    assert near([0.0, 1.0], 0.1).shown([[0.0, 1.1004]] * 2) == "within 0.1004"
    assert share_at_least(0.9).shown(np.arange(10000) < 8999) == "89.99 % of 10000"
    assert share_at_least(0.95).shown(np.arange(3000) < 2849) == "94.97 % of 3000"


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: near(1, -0.5), "tolerance is -0.5: give 0 or more"),
        (lambda: near(1, [0.1, np.nan]), "tolerance is .*: give 0 or more"),
        (lambda: near(np.nan, 0.1), "target is nan: give finite numbers"),
        (lambda: share_at_least(90), "share is 90: give a number from 0 to 1"),
        (lambda: share_at_least(math.nan), "share is nan: give a number from 0 to 1"),
        (lambda: fisher([math.nan, 1], [0, 0]), "found has 1 NaN: give yes and no"),
        (lambda: fisher([1], [0, math.nan]), "control has 1 NaN: give yes and no"),
    ],
)
def test_what_could_never_be_judged_is_refused(make: Any, advice: str) -> None:
    with pytest.raises(InvalidInputError, match=advice):
        make()


def test_what_is_unknown_is_no_yes() -> None:
    for share in (0, 0.5, 1):
        assert not share_at_least(share).holds([np.nan] * 3)
        assert not share_at_least(share).holds([1.0, 1.0, np.nan])
        assert share_at_least(share).holds([1.0, 1.0, 1.0])
    assert share_at_least(0.5).shown([1.0, np.nan]) == "1 of 2 are no numbers"


def test_an_empty_array_has_no_share() -> None:
    assert not share_at_least(0).holds(np.array([], dtype=bool))


def test_words_never_put_a_value_on_the_other_side_of_a_bound() -> None:
    for bound in (0.95, 1 / 3, 1e-4, 3.0):
        for value in (math.nextafter(bound, 9), math.nextafter(bound, -9), bound * (1 + 1e-7), bound * (1 - 1e-7)):
            assert (float(above(bound).shown(value)) > bound) == (value > bound)


def test_parts_are_judged_and_shown_one_by_one() -> None:
    expect = all_of({"bias": below(0), "active": share_at_least(0.5)})
    value = {"bias": -0.25, "active": [True, False], "seeds": 16}
    assert expect.holds(value)
    assert not expect.holds(value | {"bias": 0.0})
    assert not expect.holds(value | {"active": [False, False]})
    assert expect.shown(value) == "bias: -0.25; active: 50 % of 2; seeds: 16"
    with_units = all_of({"bias": below(0)}, units={"share": "%", "angles": "°"})
    assert (
        with_units.shown({"bias": -0.25, "share": 0.125, "angles": [72, 71.9]})
        == "bias: -0.25; share: 12.5 %; angles: 72°, 71.9°"
    )
    assert with_units.words == "bias: below 0"
    assert expect.words == "bias: below 0; active: at least 50 %"
    assert expect.tolerance == "as stated"
    assert all_of({"n": equal(3), "loss": near(2, 0.1), "gap": below(1)}).tolerance == "loss: 0.1"


def test_the_record_has_words_and_numbers() -> None:
    record = claim(np.array([1.0, np.inf]), uncontrolled="", against={"noise": np.zeros(2)}).as_record("intro")
    for key in ("experiment", "claim", "statement", "how", "expected", "tolerance", "measured", "evidence", "verdict"):
        assert isinstance(record[key], str)
    assert record["value"] == [1.0, "inf"]
    assert record["bounds"] == {"low": 0.5, "included": False, "unit": ""}
    assert record["controls"] == [{"what": "noise", "measured": "0, 0", "value": [0.0, 0.0], "holds": False}]
    assert record["models"] == 8
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_what_is_lacking_is_said() -> None:
    assert claim(1.0, lacking="a minimum").as_record("e")["evidence"] == "8 models; too little to tell: it lacks a minimum"


def test_long_arrays_are_stored_by_what_they_hold() -> None:
    assert claim(np.arange(101.0)).as_record("e")["value"] == {"size": 101, "min": 0.0, "max": 100.0}
    assert claim(np.arange(200) < 50, share_at_least(0.1)).as_record("e")["value"] == {"size": 200, "share": 0.25}


def test_evidence_counts_what_the_dataset_has() -> None:
    data = xr.Dataset({"loss": (("density", "seed"), np.zeros((7, 16)))})
    assert every(data.isel(density=0)) == Evidence("16 models, all counted", 16)
    assert every(data).words == "16 models at each of 7 densities, all counted"
    assert best_of(data, "exact loss") == Evidence("best of 16 by exact loss at each of 7 densities", 16)
    assert every(data, places={"density": "grid points"}).words == "16 models at each of 7 grid points, all counted"
    assert best_of(data, "loss", places={"density": "penalties"}).words == "best of 16 by loss at each of 7 penalties"
    assert best_of(data.isel(density=0), "exact loss", unit="start").words == "best of 16 starts by exact loss"
    by_penalty = xr.DataArray(np.zeros((3, 2, 9)), dims=["penalty", "attack_size", "battery"])
    assert every(by_penalty, "body", over="battery").words == "9 bodies at each of 3 penalties and 2 attack sizes, all counted"
    assert recorded({"b", 2, 1.5, (3, None)}) == [1.5, 2, [3, None], "b"]
    assert every(xr.DataArray(np.zeros((2, 4)), dims=["day", "seed"])).words == "4 models at each of 2 days, all counted"
    assert every(by_penalty[:1, :1, :1], "body", over="battery").words == "1 body, all counted"
    assert every(xr.DataArray(np.zeros((2, 3)), dims=("loss", "seed"))).words == "3 models at each of 2 losses, all counted"
    assert closed_form(densities=100, importance_ratios=3).words == "closed form, 100 densities, 3 importance ratios"
    assert closed_form().adding("to 1e-12") == Evidence("closed form; to 1e-12")


@pytest.mark.parametrize(
    ("losses", "verdict", "words"),
    [
        ([0.1, 0.2], "held", "2 seeds; as expected in 2 of 2"),
        ([0.1, 0.9], "underpowered", "2 seeds; as expected in 1 of 2"),
        ([0.8, 0.9], "failed", "2 seeds; as expected in 0 of 2"),
        ([0.9], "failed", "2 seeds"),
    ],
    ids=["every seed", "some seeds", "no seed", "one that was chosen"],
)
def test_a_verdict_that_flips_with_the_seed_says_so(losses: list[float], verdict: str, words: str) -> None:
    judged = in_each_seed(lambda loss: {"loss": loss, "seen": 2 * loss}, {"loss": below(0.5)})
    claim = Claim("c", "a statement", OURS, "how", of=losses, against={"no": [0.7]}, evidence=Evidence("2 seeds", 2), **judged)
    assert claim.verdict == verdict
    assert claim.as_record("e")["evidence"] == words
    assert claim.found is not None
    assert claim.found.value == {"loss": losses, "seen": 2 * losses[0]}
    assert claim.unopposed == []


def test_parts_are_judged_together_in_each_seed() -> None:
    judged = in_each_seed(lambda both: dict(zip("ab", both, strict=True)), {"a": below(0.5), "b": below(0.5)})
    claim = Claim(
        "c", "a statement", OURS, "how", of=[(0, 1), (1, 0)], uncontrolled="none", evidence=Evidence("2", 2), **judged
    )
    assert claim.by_seed == [False, False]
    assert claim.verdict == "failed"
    assert not claim.applied_to([]).holds


@pytest.mark.parametrize("target", [[1, [2]], [[1], 2], xr.Dataset({"W": (("x", "y"), np.ones((2, 2)))})], ids=str)
def test_what_cannot_be_a_target(target: object) -> None:
    with pytest.raises(InvalidInputError, match="give numbers, words, or a set of them"):
        equal(target)
