from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import ValidationError, model_validator

from clusterf.model.problem import Code
from clusterf.plugin import Duration, IPAddress, PortNumber, Settings
from clusterf.plugin.document import Fault
from clusterf.plugin.faults import did_you_mean, faults_of, raise_faults, shown


class Inner(Settings):
    port: PortNumber
    color: Literal["red", "green"] = "red"


class Outer(Settings):
    inner: Inner | None = None
    many: list[Inner] | None = None
    named: dict[str, Inner] | None = None
    either: str | list[str] = ""
    numbers: dict[str, int] | None = None
    wait: Duration = 1.0
    address: IPAddress | None = None
    ratio: float = 0.5

    @model_validator(mode="after")
    def _check(self) -> Outer:
        if self.ratio > 1:
            raise ValueError("ratio is above 1")
        if self.ratio < 0:
            raise_faults("outer", [Fault(("ratio",), "is below 0", "be positive", Code.THRESHOLDS)])
        return self


def faults(data: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return [
        (fault.at, fault.message, fault.hint, fault.code)
        for fault in faults_of(caught.value, Outer, data)
    ]


@pytest.mark.parametrize(
    ("data", "at", "message", "hint", "code"),
    [
        ({"inne": 1}, ("inne",), "unknown key", 'did you mean "inner"?', Code.UNKNOWN_KEY),
        (
            {"inner": {"port": 1, "colour": "red"}},
            ("inner", "colour"),
            "unknown key",
            'did you mean "color"?',
            Code.UNKNOWN_KEY,
        ),
        ({"inner": {}}, ("inner",), 'missing key "port"', "", Code.MISSING_KEY),
        ({"many": [{"port": 1}, {}]}, ("many", 1), 'missing key "port"', "", Code.MISSING_KEY),
        (
            {"named": {"port": {"prt": 1, "port": 1}}},
            ("named", "port", "prt"),
            "unknown key",
            'did you mean "port"?',
            Code.UNKNOWN_KEY,
        ),
        (
            {"inner": {"port": 70000}},
            ("inner", "port"),
            "must be at most 65535, not 70000",
            "",
            Code.OUT_OF_RANGE,
        ),
        (
            {"inner": {"port": True}},
            ("inner", "port"),
            "must be a whole number, not true",
            "",
            Code.WRONG_TYPE,
        ),
        ({"inner": 3}, ("inner",), "must be a table, not 3", "", Code.WRONG_TYPE),
        (
            {"either": 3},
            ("either",),
            "must be a string, not 3 or an array, not 3",
            "",
            Code.WRONG_TYPE,
        ),
        (
            {"inner": {"port": 1, "color": "grene"}},
            ("inner", "color"),
            'unknown value "grene"',
            'did you mean "green"?',
            Code.UNKNOWN_CHOICE,
        ),
        ({"address": "x"}, ("address",), '"x" is not an IP address', "", Code.MALFORMED),
        ({"ratio": 2.0}, (), "ratio is above 1", "", Code.MALFORMED),
        ({"ratio": -1.0}, ("ratio",), "is below 0", "be positive", Code.THRESHOLDS),
    ],
)
def test_one_fault(data: Any, at: Any, message: str, hint: str, code: Code) -> None:
    assert faults(data) == [(at, message, hint, code)]


def test_all_faults_at_once() -> None:
    found = faults({"inne": 1, "wait": "x", "many": [{}, {"port": 0}], "named": 3})
    assert len(found) == 5


def test_did_you_mean() -> None:
    assert did_you_mean("wlcc", ["wlc", "rr"]) == 'did you mean "wlc"?'
    assert did_you_mean("zzz", ["wlc", "rr"]) == "one of rr, wlc"
    assert did_you_mean("zzz", map(str, range(100))) == ""
    assert did_you_mean(5, ["a"]) == "only a"


def test_what_all_choices_begin_with_makes_none_of_them_nearer() -> None:
    names = ["on_the_way_in", "on_the_way_out"]
    assert did_you_mean("on_the_way_up", names) == 'did you mean "on_the_way_out"?'
    meant = {word: did_you_mean(word, names, prefix="on_the_way_") for word in ("ou", "zzzz")}
    assert meant["ou"] == 'did you mean "on_the_way_out"?'
    assert meant["zzzz"] == did_you_mean("on_the_way_zzzz", names, prefix="on_the_way_")
    assert meant["zzzz"] == "one of on_the_way_in, on_the_way_out"


def test_shown() -> None:
    values = [True, "a", 5, 10**5000, {}, [], 0.5]
    expected = ["true", '"a"', "5", "a huge number", "a table", "an array", "0.5"]
    assert [shown(value) for value in values] == expected
