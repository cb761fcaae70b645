"""The verdicts of the quick profile as last recorded, and what `docs/failures.md` says of those that failed or were not run.

    python -m tests.contracts.verdicts results          # records the verdicts of a folder of results, by its claims.json
    python -m tests.contracts.verdicts --paper results  # those of one of the paper profile, in the package's paper_profile.toml

Recorded are the names of all claims, so that a claim that comes, goes or is renamed is noticed, and those that failed, so that
the account of them cannot drift from the ledger.
"""

import json
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import tegum as tg
from tegum.experiments import paper_profile

PAPER = Path(paper_profile.__file__).with_suffix(".toml")
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


def said_of_the_paper_profile() -> dict[str, tuple[str, str]]:
    """The verdicts of the quick and the paper profile that differ, by ``experiment/claim``, from that page's last table."""
    _, _, table = FAILURES.read_text(encoding="utf-8").partition("## The paper profile")
    rows = re.findall(r"^\| `([\w./-]+)` \| ([a-z ]+) \| ([a-z ]+) \|", table.partition("\n## ")[0], flags=re.MULTILINE)
    return {claim: (quick, paper) for claim, quick, paper in rows}


def counted() -> str:
    """The sentence that the page begins its table with."""
    counts = Counter(accounted().values())
    return f"Of {counts.total()} failures " + ", ".join(f"{counts[whose]} {whose}" for whose in WHOSE)


def of_paper_profile(folder: Path) -> dict[str, str]:
    """The table of each experiment in a folder of results as in `paper_profile.toml`: verdicts, what was measured, when."""
    found: dict[str, list[str]] = {}
    for claim in json.loads((folder / "claims.json").read_text(encoding="utf-8")):
        name = claim["experiment"]
        if name not in found:
            file = folder / "data" / f"{name}.safetensors"
            made, day = tg.open(file).attrs, datetime.fromtimestamp(file.stat().st_mtime, UTC)
            if made["profile"] != "paper":
                raise SystemExit(f"{file} is of the {made['profile']} profile")
            version = f"{made['tegum']} at {made['commit'][:7]}"
            found[name] = [f"[{name}]", f"date = {day:%Y-%m-%d}", f'version = "{version}"', f"[{name}.claims]"]
        if claim["verdict"] != "not run":
            measured = "; ".join(filter(None, (claim["measured"], claim["evidence"])))
            found[name].append(f"{json.dumps(claim['claim'])} = {json.dumps([claim['verdict'], measured], ensure_ascii=False)}")
    return {name: "\n".join(lines) for name, lines in found.items()}


def with_tables(text: str, tables: dict[str, str]) -> str:
    """The text of `paper_profile.toml` with some experiments' tables put in, or in place of those that it has."""
    head, *known = text.strip().split("\n\n")
    each = {table.partition("]")[0].removeprefix("["): table for table in known} | tables
    return "\n\n".join([head, *(each[name] for name in sorted(each))]) + "\n"


if __name__ == "__main__":
    results = Path(sys.argv[-1])
    if "--paper" in sys.argv:
        new = with_tables(PAPER.read_text(encoding="utf-8"), of_paper_profile(results))
        PAPER.write_text(new, encoding="utf-8")
    else:
        RECORDED.write_text(json.dumps(of_results(results), indent=1) + "\n", encoding="utf-8")
