"""What plain Python costs on the clock: what no program of ours can be faster than."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import process, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS: Final = {
    "toml strings": shapes.toml_of_strings,
    "toml tables": shapes.toml_of_tables,
    "toml text": shapes.toml_of_text,
    "json": shapes.json_text,
}
_PARSE: Final = """
import json, sys, time, tomllib
text = open(sys.argv[1]).read()
parse = json.loads if sys.argv[2] == "json" else tomllib.loads
began = time.perf_counter_ns()
value = parse(text)
ns = time.perf_counter_ns() - began
print(json.dumps({"ns": ns, "bytes": len(text)}))
"""


def starts(_: Path, modules: list[str], rounds: int) -> Iterator[dict[str, Any]]:
    """From exec to exit of an interpreter that imports one module ("" is none)."""
    for turn in range(rounds):
        for module in modules:
            code = f"import {module}" if module else "pass"
            done = process.finish([sys.executable, "-c", code])
            yield {"who": module, "round": turn, "ns": done.ns}


def parses(_: Path, shape: str, forms: list[str]) -> Iterator[dict[str, Any]]:
    """Time of the parser alone, in a process of its own."""
    for form in forms:
        file = Path.cwd() / f"{shape}.{form.replace(' ', '-')}"
        with file.open("w") as out:
            out.writelines(FORMS[form](shapes.Shape.parse(shape)))
        done = process.finish([sys.executable, "-c", _PARSE, str(file), form])
        yield {"who": form, "shape": shape, **json.loads(done.output)}
