"""Every failure of the quick profile is accounted for, and nothing else is; what is not run is said."""

from typing import get_args

from tegum.claims import Verdict
from tegum.experiments import experiment_files, paper_verdicts
from tegum.experiments.paper_profile import paper_runs
from tests.contracts.verdicts import FAILURES, WHOSE, accounted, counted, everywhere, recorded, said_not_run


def test_each_failure_has_one_account_and_each_account_a_failure() -> None:
    assert set(recorded()) == set(experiment_files())
    assert sorted(accounted()) == sorted(everywhere("failed", recorded()))
    assert set(accounted().values()) == set(WHOSE)


def test_the_page_counts_what_its_table_has() -> None:
    assert counted() in " ".join(FAILURES.read_text(encoding="utf-8").split())


def test_what_is_not_run_stands_in_a_table_of_its_own() -> None:
    assert sorted(said_not_run()) == sorted(everywhere("not run", recorded())) != []


def test_what_the_paper_profile_found_is_of_claims_that_there_are() -> None:
    known = {name: found for name in experiment_files() if (found := paper_verdicts(name))}
    assert set(known) == set(paper_runs())
    for name, found in known.items():
        assert set(found) <= set(recorded()[name]), name
        for one in found.values():
            assert one.verdict in set(get_args(Verdict)) - {"not run"}
            assert one.measured
