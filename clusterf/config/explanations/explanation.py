"""The form of an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clusterf.model.problem import Code

FRAME = (
    '[clusterf]\nmanaged = ["192.0.2.0/24", "2001:db8::/64"]\n',
    '[outputs.kernel]\ntype = "ipvs"\n',
    """\
[services.web]
frontend = { ipv4 = "192.0.2.10", tcp = 80 }
backends = ["198.51.100.1:80"]
""",
)
"""What an example leaves out because every configuration has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a code says, why that is a problem, an example that has it, and what to do.

    ``example`` is clusterf.toml, without the parts of `FRAME` that it has nothing to say of, unless
    it is ``whole``; ``files`` are beside it. ``encoding`` is that of the example.
    """

    code: Code
    what: str
    why: str
    example: str
    remedy: str
    files: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    encoding: str = "utf-8"

    def configuration(self) -> str:
        """The example with all that it leaves out."""
        return self.example if self.whole else framed(self.example)


def framed(example: str) -> str:
    """What every configuration has, and then the example."""
    tables = {line[1:].split("]")[0].strip("[") for line in example.splitlines() if line[:1] == "["}
    sections = {table.split(".")[0] for table in tables}
    stated = {
        FRAME[0]: "clusterf" in sections,
        FRAME[1]: "outputs" in sections,
        FRAME[2]: bool(sections & {"services", "sources"}),
    }
    return "".join(f"{part}\n" for part in FRAME if not stated[part]) + example
