from __future__ import annotations

import json

import docker.errors
import pytest
import requests

from clusterf.plugin import SourceUnavailable
from clusterf_docker.failure import translated


def _raise(error: Exception) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught, translated("docker engine x", 5):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (requests.exceptions.ReadTimeout("read"), "no answer within 5 s"),
        (TimeoutError(110, "Connection timed out"), "no answer within 5 s"),
        (json.JSONDecodeError("x", "y", 0), "the answer is not JSON"),
        (requests.exceptions.JSONDecodeError("x", "y", 0), "the answer is not JSON"),
        (docker.errors.DockerException("Odd\nthing\x1b[31m"), "odd thing [31m"),
        (KeyError(), "keyError()"),
        (ValueError("x" * 1000), "x" * 197 + "..."),
    ],
)
def test_sentences(error: Exception, says: str) -> None:
    assert _raise(error).args[0] == f"docker engine x: {says}"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (PermissionError(13, "Permission denied"), "group docker"),
        (FileNotFoundError(2, "No such file"), "is Docker installed"),
        (ConnectionRefusedError(111, "Connection refused"), "is Docker running"),
        (requests.exceptions.SSLError("bad"), "the setting tls"),
        (ValueError("x"), ""),
    ],
)
def test_hints_are_found_below_the_libraries_wrapping(error: Exception, hint: str) -> None:
    wrapped = docker.errors.DockerException("outer")
    wrapped.__cause__ = requests.exceptions.ConnectionError(error)
    assert hint in _raise(wrapped).hint


def test_what_is_already_said_stays() -> None:
    said = SourceUnavailable("docker engine x: too old", hint="upgrade")
    assert _raise(said) is said


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), translated("docker engine x", 5):
        raise ZeroDivisionError
