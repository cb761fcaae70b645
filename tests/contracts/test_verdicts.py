"""Every failure of the quick profile is accounted for, and nothing else is; what is not run is said."""

from typing import get_args

from tegum.claims import Verdict
from tegum.experiments import experiment_files, paper_verdicts
from tegum.experiments.paper_profile import paper_runs
from tests.contracts.verdicts import (
    FAILURES,
    WHOSE,
    accounted,
    counted,
    everywhere,
    recorded,
    said_not_run,
    said_of_the_paper_profile,
)


def test_each_failure_has_one_account_and_each_account_a_failure() -> None:
    assert set(recorded()) == set(experiment_files())
    assert sorted(accounted()) == sorted(everywhere("failed", recorded()))
    assert set(accounted().values()) == set(WHOSE)


def test_the_page_counts_what_its_table_has() -> None:
    assert counted() in " ".join(FAILURES.read_text(encoding="utf-8").split())


def test_what_is_not_run_stands_in_a_table_of_its_own() -> None:
    assert sorted(said_not_run()) == sorted(everywhere("not run", recorded())) != []


def test_each_verdict_that_differs_in_the_paper_profile_stands_in_a_table() -> None:
    quick = {f"{name}/{claim}": verdict for name, claims in recorded().items() for claim, verdict in claims.items()}
    paper = {f"{name}/{claim}": one.verdict for name in paper_runs() for claim, one in paper_verdicts(name).items()}
    differing = {claim: (quick[claim], verdict) for claim, verdict in paper.items() if quick[claim] not in (verdict, "not run")}
    assert said_of_the_paper_profile() == differing != {}


def test_what_the_paper_profile_found_is_of_claims_that_there_are() -> None:
    known = {name: found for name in experiment_files() if (found := paper_verdicts(name))}
    assert set(known) == set(paper_runs())
    for name, found in known.items():
        assert set(found) <= set(recorded()[name]), name
        for one in found.values():
            assert one.verdict in set(get_args(Verdict)) - {"not run"}
            assert one.measured
