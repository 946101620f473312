"""Problems: what is wrong with a file of the configuration, and at which place in it.

A value, like a refusal: problems are collected and shown together. The codes are stable, so that
tools may rely on them; docs/checks.md explains each. Their first digit is the tier that finds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """Nothing is wrong: what was written has an effect that is easily overlooked."""


class Tier(StrEnum):
    """What ``clusterf check`` does one after the other, and the plugins that it does it with."""

    SYNTAX = "syntax"
    SCHEMA = "schema"
    TOPOLOGY = "topology"
    PLUGINS = "plugins"
    ENVIRONMENT = "environment"


class Code(StrEnum):
    """The codes of the core and of the bundled plugins."""

    UNREADABLE = "C001"
    NOT_UTF8 = "C002"
    SYNTAX = "C003"
    DEFINED_TWICE = "C004"
    UNKNOWN_KEY = "C101"
    MISSING_KEY = "C102"
    WRONG_TYPE = "C103"
    UNKNOWN_CHOICE = "C104"
    OUT_OF_RANGE = "C105"
    MALFORMED = "C106"
    UNKNOWN_TYPE = "C107"
    CONTRADICTION = "C108"
    NO_SOURCE = "C201"
    NO_OUTPUT = "C202"
    NOTHING_MANAGED = "C203"
    OUTSIDE_MANAGED = "C204"
    DUPLICATE_VIP = "C205"
    FLAG_WITHOUT_SCHEDULER = "C206"
    FAMILY_MISMATCH = "C207"
    PORT_REWRITE = "C208"
    PORT_ZERO = "C209"
    THRESHOLDS = "C210"
    DUPLICATE_SERVICE = "C211"
    NO_FRONTEND = "C212"
    UNUSED_BACKEND = "C213"
    UNUSED_ROUTES = "C214"
    CONFLICT = "C215"
    METHOD_CONFLICT = "C216"
    LEFT_OUT = "C217"
    NO_DESTINATION = "C218"
    ALL_MANAGED = "C219"
    OWN_BACKENDS = "C220"
    PLUGIN_NOT_LOADED = "C301"
    PLUGIN_FAILED = "C302"
    HOOK_NOT_CALLED = "C303"
    PROBE_FINDING = "C401"
    PROBE_UNAVAILABLE = "C402"
    PROBE_TIMEOUT = "C403"

    @property
    def tier(self) -> Tier:
        """Which tier finds it."""
        return tuple(Tier)[int(self[1])]

    @property
    def words(self) -> str:
        """The name in words, which stands for the code wherever one is given: unknown-key."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem. ``line`` and ``column`` count from 1, in characters; 0 is "the whole file".

    ``length`` is how many characters the caret underlines; ``path`` names the place in the
    values (``outputs.kernel.scheduler``); ``source`` is the text of the line.
    """

    file: str
    line: int = 0
    column: int = 0
    length: int = 0
    severity: Severity = Severity.ERROR
    path: str = ""
    message: str
    hint: str = ""
    code: str = ""
    source: str = field(default="", compare=False, repr=False)

    @property
    def place(self) -> str:
        """``file:line:column``, or the file alone."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        code = f"[{self.code}]" if self.code else ""
        return f"{self.place}: {self.severity}{code}: {subject}{self.message}"


def has_errors(problems: Iterable[Problem], *, strict: bool = False) -> bool:
    """Whether these problems make a configuration unusable; ``strict`` counts warnings too."""
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return any(problem.severity in bad for problem in problems)
