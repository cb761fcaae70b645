"""`python -m tests.fuzz [KIND ...] [--attempts N]`: attacks of each kind, counted; ends with 1 where one got through.

What the right calls compile is compiled before, by another process without a limit: it is not what is attacked.
"""

import argparse
import resource
import subprocess
import sys

from tests.fuzz.calls import calls, right_calls
from tests.fuzz.fields import fields, sizes
from tests.fuzz.files import files
from tests.fuzz.flips import flips
from tests.fuzz.hostile import MOST_MEGABYTES, counted
from tests.fuzz.lines import lines, settings

KINDS = {
    "fields": fields,
    "sizes": lambda _count, _seed: sizes(),
    "calls": calls,
    "files": files,
    "lines": lines,
    "settings": settings,
    "flips": flips,
}


def main() -> int:
    """Prints one line for each kind, and what got through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], help="all by default")
    parser.add_argument("--attempts", type=int, default=100, help="of each kind that is drawn by chance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="only the right calls, without a limit of memory")
    asked = parser.parse_args()
    if asked.compile:
        for function, right in right_calls():
            function(**right)
        return 0
    if "calls" in (asked.kinds or KINDS):
        subprocess.run([sys.executable, "-m", "tests.fuzz", "--compile"], check=True)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEGABYTES * 2**20, resource.RLIM_INFINITY))
    through = 0
    for kind in asked.kinds or KINDS:
        count = counted(KINDS[kind](asked.attempts, asked.seed))
        print(f"{kind:<10} {count}", flush=True)
        for line in count.lines():
            print(f"    {line}")
            through += 1
    return int(through > 0)


if __name__ == "__main__":
    sys.exit(main())
