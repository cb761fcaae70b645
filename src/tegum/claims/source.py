"""Whose statement a claim is: the paper's, in its own words, a published comment's, later work's, an answer to one, or ours.

>>> paper("Uniform Superposition", "Doubling the number of hidden dimensions just doubles the number of features").shown
'paper, Uniform Superposition: “Doubling the number of hidden dimensions just doubles the number of features”'
>>> OURS.shown
'our own finding'
>>> answer("O49").shown
'our answer to open problem O49'

A quotation is exact; what is expected in numbers is ours unless the numbers stand in it.  What the paper shows only in a
picture, what it says of trained models and we of exact minima, and every threshold that it leaves open is ours.  An identity
or a construction can fail only by a bug, and is counted apart.  An answer to an open problem is ours, too.
"""

from dataclasses import dataclass
from typing import Literal, final

from tegum.checking import Checked, checked

Kind = Literal["paper", "comment", "later work", "ours", "open problem", "identity"]
KINDS: dict[Kind, tuple[str, str]] = {
    "paper": ("statement of the paper", "statements of the paper"),
    "comment": ("statement of its published comments", "statements of its published comments"),
    "later work": ("statement of later work", "statements of later work"),
    "ours": ("finding of our own", "findings of our own"),
    "open problem": ("answer to an open problem", "answers to open problems"),
    "identity": ("identity (it can fail only by a bug)", "identities (they can fail only by a bug)"),
}
"""What one and several claims of a source are called."""


@final
@dataclass(frozen=True)
class Source(metaclass=Checked):
    """Whose statement a claim is: the section, the author or the problem, and the exact words."""

    kind: Kind
    section: str = ""
    quote: str = ""

    @property
    def shown(self) -> str:
        """In words, with the quotation."""
        if self.quote:
            return f"{self.kind}, {self.section}: “{self.quote}”"
        if self.kind == "open problem":
            return f"our answer to open problem {self.section}"
        return "our own finding" if self.kind == "ours" else "identity or construction"


@checked
def paper(section: str, quote: str) -> Source:
    """The paper's, by the title of the section and its own words."""
    return Source("paper", section, quote)


@checked
def comment(author: str, quote: str) -> Source:
    """A published comment's, by its author and his own words."""
    return Source("comment", author, quote)


@checked
def later(work: str, quote: str) -> Source:
    """That of a work published after the paper, by its authors and year and in its own words."""
    return Source("later work", work, quote)


@checked
def answer(problem: str) -> Source:
    """Ours, to an open problem, by its number."""
    return Source("open problem", problem)


OURS = Source("ours")
IDENTITY = Source("identity")
