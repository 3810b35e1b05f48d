"""What axe-core has found on the page at the end of a step: frozen values, kept among the signals of the step's result."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, field

from runner.result import StepResult

Impact = Literal["critical", "serious", "moderate", "minor"]
IMPACTS: tuple[Impact, ...] = ("critical", "serious", "moderate", "minor")
"""As axe rates them, the worst first."""
SIGNAL = "accessibility"
"""Its name among a step's signals."""
DEFAULT_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""The rules for levels A and AA of WCAG 2.0 to 2.2."""


class AuditScope(Struct, frozen=True, kw_only=True):
    """What of a page is checked, and by which rules."""

    include: tuple[str, ...] = ()
    """CSS selectors; empty for the whole page."""
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = DEFAULT_TAGS
    off: dict[str, str] = field(default_factory=dict)
    """Rules that are not checked, each with the reason."""


class AuditRequest(Struct, frozen=True, kw_only=True):
    """What a journey says about one check; None where the settings decide."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    """Beside what the settings exclude."""
    tags: tuple[str, ...] | None = None
    off: dict[str, str] = field(default_factory=dict)
    """Beside what the settings turn off."""

    def resolve(self, settings: AuditScope) -> AuditScope:
        """The whole scope."""
        return AuditScope(
            include=settings.include if self.include is None else self.include,
            exclude=(*settings.exclude, *self.exclude),
            tags=settings.tags if self.tags is None else self.tags,
            off={**settings.off, **self.off},
        )


class AffectedElement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element that breaks a rule; it stands for all that do so in the same place of the page's structure."""

    target: str
    """A selector of it; of one in a frame or a shadow root, those of the frames and hosts before it, separated by ` >>> `."""
    path: str
    """From the root to it, by the names of elements, without positions: the same for each entry of a list."""
    html: str = ""
    """The beginning of its HTML, redacted."""
    summary: str = ""
    """How to fix it."""
    count: int = 1
    """How many elements it stands for."""
    picture: str = ""
    """The path of its picture, an artifact of the run; empty if there is none."""


class Violation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that elements of the page break."""

    rule: str
    impact: Impact
    help: str
    """The rule in words."""
    help_url: str = ""
    tags: tuple[str, ...] = ()
    """Standards and criteria, as in `wcag143`."""
    count: int = 0
    """Of all elements."""
    elements: tuple[AffectedElement, ...] = ()
    """One for each place in the page's structure, as far as there was room."""


class Audit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check of a page."""

    url: str = ""
    violations: tuple[Violation, ...] = ()
    """The worst first."""
    unclear: int = 0
    """Rules of which axe cannot say whether they are kept: somebody has to look."""
    left_out: int = 0
    """Places in the page's structure that had no room in `violations`."""
    problems: tuple[str, ...] = ()
    """What was not checked, and why."""
    off: dict[str, str] = field(default_factory=dict)
    """Rules that were not to be checked, each with the reason."""
    seconds: float = 0.0
    """How long it took; in no latency."""

    failed: bool = False
    """Whether the page could not be checked, so that what was not found says nothing."""

    def count(self, impact: Impact) -> int:
        """The elements that break a rule of this impact."""
        return sum(one.count for one in self.violations if one.impact == impact)


def read_audit(step: StepResult) -> Audit | None:
    """What a step's result has of it; None if its page was not checked. Raises msgspec.ValidationError for what is not of it."""
    found = step.signals.get(SIGNAL) if step.signals is not UNSET else None
    return None if found is None else msgspec.convert(found, Audit)


def identify_element(rule: str, element: AffectedElement) -> tuple[str, str]:
    """Two names of a finding; one that has either of them in an earlier check is not new.

    The first is the rule with the element's place in the page's structure, which neither the order of a list nor a generated name
    changes. The second is the rule with its selector without positions, numbers and what looks generated, which a new
    element around it does not change.
    """
    return f"{rule} in {_POSITION.sub('', element.path)}", f"{rule} at {normalise_selector(element.target)}"


_POSITION = re.compile(r":nth-(?:child|of-type)\(\d+\)")
_GENERATED = re.compile(
    r"(?:\\?:|«|_)r[0-9a-z]{1,4}(?:\\?:|»|_)"  # React's useId
    r"|(?=[0-9a-f-]*\d)[0-9a-f]{4,}(?:-[0-9a-f]{4,})*"  # hashes and UUIDs
    r"|\d+",
    re.IGNORECASE,
)


def normalise_selector(selector: str) -> str:
    r"""A selector without positions, numbers, and what looks generated.

    >>> normalise_selector("#row-4821 > li:nth-child(3) > a.css-1f0c9ab")
    '#row-* > li > a.css-*'
    """
    return _GENERATED.sub("*", _POSITION.sub("", selector))


def list_findings(audit: Audit) -> Iterator[tuple[Violation, AffectedElement]]:
    """Each element with its rule, the worst first."""
    for violation in audit.violations:
        for element in violation.elements:
            yield violation, element


def format_counts(audit: Audit) -> str:
    """How many elements break rules of which impact, as in `2 critical, 1 serious`; empty if none does."""
    return ", ".join(f"{count} {impact}" for impact in IMPACTS if (count := audit.count(impact)))


def describe_audit(audit: Audit) -> str:
    """What was found, in one line."""
    rules = len(audit.violations)
    found = f"{format_counts(audit)} in {rules} {'rule' if rules == 1 else 'rules'}" if rules else "nothing found"
    return "; ".join([f"accessibility: {found}", *audit.problems])
