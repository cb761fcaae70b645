"""Every failure of the quick profile is accounted for, and nothing else is."""

from tegum.experiments import experiment_files
from tests.contracts.verdicts import FAILURES, WHOSE, accounted, counted, failed, recorded


def test_each_failure_has_one_account_and_each_account_a_failure() -> None:
    assert set(recorded()) == set(experiment_files())
    assert sorted(accounted()) == sorted(failed(recorded()))
    assert set(accounted().values()) == set(WHOSE)


def test_the_page_counts_what_its_table_has() -> None:
    assert counted() in " ".join(FAILURES.read_text(encoding="utf-8").split())
