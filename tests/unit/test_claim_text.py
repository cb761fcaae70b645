"""What a page says of a claim besides its numbers: a bar for each, and why it did not hold."""

import json
from typing import Any

import pytest

from tegum.claims import OURS, Claim, Evidence, between, equal, in_each_seed, near
from tegum.report.bars import bars
from tegum.report.chapters import strip
from tegum.report.why import Reason, accounts, reasons
from tests.contracts.verdicts import FAILURES, accounted


def record(expect: Any, value: Any, **more: Any) -> dict[str, Any]:
    options = {"against": {"other data": more.pop("control")}} if "control" in more else {"uncontrolled": "none"}
    claim = Claim("a", "it is so", OURS, "how", expect, value, Evidence("1 model", 1), **options, **more)
    return json.loads(json.dumps(claim.as_record("mine")))  # type: ignore[no-any-return]


def test_marks_lie_inside_the_range_where_the_claim_holds_and_outside_where_it_does_not() -> None:
    for value in (-3.0, 0.91, 1.0, 1.09, 1.2, 7.0):
        (bar,) = bars(record(near(1, 0.1), value, control=3.0))
        (mark,), (other,) = bar.values, bar.controls
        held = record(near(1, 0.1), value, control=3.0)["verdict"] == "held"
        assert (bar.low - 0.1 <= mark <= bar.high + 0.1) == held
        assert not bar.low <= other <= bar.high
        assert [words for _, words in bar.ends] == ["0.9", "1.1"]
        assert 0 < mark < 100


def test_bars_of_several_parts_of_lists_and_of_many_sizes() -> None:
    claim = record({"gap": between(0, 1), "shape": equal("digon")}, {"gap": 0.5, "shape": "digon", "more": 3.0})
    assert [(bar.label, bar.said) for bar in bars(claim)] == [("gap", "measured 0.5; expected from 0 to 1")]
    claim = record(near([1, 10], 0.5), [1.2, 3.0], control=[0.0, 0.0])
    assert [bar.said for bar in bars(claim)] == [
        "measured 1.2; expected from 0.5 to 1.5; control 0",
        "measured 3; expected from 9.5 to 10.5; control 0",
    ]
    (bar,) = bars(record(between(1e-4, 1), [1e-3, 0.5]))
    assert bar.logarithmic
    assert bar.values == pytest.approx([28.4, 86.6], abs=0.1)
    (bar,) = bars(record(equal(3), 2))
    assert (bar.said, bar.low) == ("measured 2; expected 3", bar.high)
    assert bars(record(equal("digon"), "digon")) == []
    assert bars({"value": None, "bounds": {"low": 1}, "controls": []}) == []
    assert bars({"value": "nan", "bounds": {"low": 1.0, "unit": ""}, "controls": []}) == []
    seeds = record(**in_each_seed(lambda one: one, near(1, 0.1)), value=[1.0, 2.0])
    assert [bar.said for bar in bars(seeds)] == ["measured 1 to 2; expected from 0.9 to 1.1"]
    assert bars(seeds)[0].drawn.count("var(--mark), var(--mark)") == 2


def test_every_failure_of_the_quick_profile_has_the_account_that_the_documentation_has() -> None:
    rows = FAILURES.read_text(encoding="utf-8").partition("## Not run")[0].splitlines()
    assert {name: account.whose for name, account in accounts().items()} == accounted()
    for name, account in accounts().items():
        assert f"| `{name}` | {account.whose} | {account.why} |" in rows


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("polytopes/simplex-is-best", "paper", "the paper's words"),
        ("sweep-n80/count", "ours", "our own guess"),
        ("uniform-geometry/tetrahedra-training", "ours", "our smaller size"),
        ("hidden-codes/six-in-four", "paper", "a finding"),
        ("pressure/sparser", "comment", "the comment's words"),
    ],
)
def test_a_failure_says_whose_it_is(name: str, source: str, reason: str) -> None:
    experiment, _, claim = name.partition("/")
    said = {"experiment": experiment, "claim": claim, "source": source, "verdict": "failed", "evidence": "", "controls": []}
    (found,) = reasons(said, "quick")
    assert found.kind == reason
    assert accounts()[name].why in found.text
    assert accounts()[name].why not in reasons(said, "paper")[0].text


def test_what_tells_nothing_says_why() -> None:
    few = record(near(1, 0.1), 1.0, needs=3)
    assert reasons(few, "quick") == [Reason("too few models", "It takes 3 to tell, and there is 1.")]
    passes = record(near(1, 0.1), 1.0, control=1.05)
    assert [reason.kind for reason in reasons(passes, "quick")] == ["the control"]
    lacking = record(near(1, 0.1), 1.0, lacking="8 runs of either")
    assert reasons(lacking, "quick") == [Reason("too little data", "It lacks 8 runs of either.")]
    flips = record(**in_each_seed(lambda one: one, near(1, 0.1)), value=[1.0, 2.0, 1.0])
    assert reasons(flips, "quick") == [Reason("the seed", "2 of 3 are as expected, the others are not.")]
    assert reasons(record(near(1, 0.1), 1.0), "quick") == []


def test_a_strip_adds_up() -> None:
    claims = [{"verdict": verdict} for verdict in ("held", "held", "failed", "not run", "underpowered")]
    found = strip(claims)
    assert (found.words, found.more) == ("2 of 4 held", "1 failed, 1 underpowered, 1 not run")
    assert sum(share for _, share in found.shares) == 100
    assert strip([{"verdict": "not run"}]).words == "1 not run"
    assert strip([]).words == "no claims"
