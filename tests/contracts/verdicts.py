"""The verdicts of the quick profile as last recorded, and what `docs/failures.md` says of those that failed or were not run.

    python -m tests.contracts.verdicts results        # records the verdicts of a folder of results, by its claims.json

Recorded are the names of all claims, so that a claim that comes, goes or is renamed is noticed, and those that failed, so that
the account of them cannot drift from the ledger.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

RECORDED = Path(__file__).parent / "verdicts.json"
FAILURES = Path(__file__).resolve().parents[2] / "docs" / "failures.md"
WHOSE = ("theirs", "ours", "protocol", "finding")


def recorded() -> dict[str, dict[str, str]]:
    """Verdict by experiment and claim."""
    return dict(json.loads(RECORDED.read_text(encoding="utf-8")))


def of_results(folder: Path) -> dict[str, dict[str, str]]:
    """The same of a folder of results."""
    found: dict[str, dict[str, str]] = {}
    for claim in json.loads((folder / "claims.json").read_text(encoding="utf-8")):
        found.setdefault(claim["experiment"], {})[claim["claim"]] = claim["verdict"]
    return dict(sorted(found.items()))


def with_verdict(verdict: str, claims: dict[str, str]) -> list[str]:
    """The claims of one experiment that have a verdict."""
    return [claim for claim, found in claims.items() if found == verdict]


def everywhere(verdict: str, verdicts: dict[str, dict[str, str]]) -> list[str]:
    """The same of all experiments, as ``experiment/claim``."""
    return [f"{name}/{claim}" for name, claims in verdicts.items() for claim in with_verdict(verdict, claims)]


def accounted() -> dict[str, str]:
    """Whose each failure is, by ``experiment/claim``, from the table of `docs/failures.md`."""
    rows = re.findall(rf"^\| `([\w./-]+)` \| ({'|'.join(WHOSE)}) \|", FAILURES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(rows)


def said_not_run() -> list[str]:
    """What is not run, as ``experiment/claim``, from the second table of `docs/failures.md`."""
    _, _, table = FAILURES.read_text(encoding="utf-8").partition("## Not run")
    return re.findall(r"^\| `([\w./-]+)` \|", table.partition("\n## ")[0], flags=re.MULTILINE)


def counted() -> str:
    """The sentence that the page begins its table with."""
    counts = Counter(accounted().values())
    return f"Of {counts.total()} failures " + ", ".join(f"{counts[whose]} {whose}" for whose in WHOSE)


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(of_results(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
