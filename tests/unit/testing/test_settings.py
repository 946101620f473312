from __future__ import annotations

import pytest
from pydantic import field_validator

from clusterf.plugin import Duration, Settings
from clusterf.testing import BadSettings, settings_from


class Mine(Settings):
    label: str
    pause: Duration = 5.0

    @field_validator("label")
    @classmethod
    def _check(cls, value: str) -> str:
        return {"a": "A"}.get(value) or {"bug": value}[value]


def refused(toml: str) -> str:
    with pytest.raises(BadSettings) as told:
        settings_from(Mine, toml)
    return str(told.value)


def test_settings_are_read() -> None:
    assert settings_from(Mine, 'label = "a"\npause = "2m"') == Mine(label="a", pause=120)


def test_keys_of_the_core_may_be_there() -> None:
    toml = 'type = "mine"\nenabled = true\nstartup_error = "retry"\nlook = "5s"\nlabel = "a"'
    assert settings_from(Mine, toml).label == "A"


def test_problems_are_told_as_check_tells_them() -> None:
    assert refused('labl = "a"\npause = -1') == (
        'clusterf.toml:1:1: error[C102]: label: missing key "label"\n'
        '    1 | labl = "a"\n'
        "      | ^\n"
        "clusterf.toml:1:1: error[C101]: labl: unknown key\n"
        '    1 | labl = "a"\n'
        '      | ^^^^ did you mean "label"?\n'
        "clusterf.toml:2:9: error[C106]: pause: -1 is not a duration: "
        "seconds must be from 0 to 10^9\n"
        "    2 | pause = -1\n"
        "      |         ^^\n"
        "3 errors, 0 warnings\n"
    )


def test_a_key_that_resembles_one_of_the_core_is_told() -> None:
    assert 'did you mean "enabled"?' in refused('label = "a"\nenable = true')


def test_text_that_is_no_toml() -> None:
    assert "clusterf.toml:1:" in refused("label = ")


def test_a_validator_with_a_bug_is_told_as_that() -> None:
    assert "its settings cannot be checked: KeyError" in refused('label = "x"')
