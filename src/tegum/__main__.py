"""``python -m tegum``: the command line."""

from tegum.cli import main

main()
