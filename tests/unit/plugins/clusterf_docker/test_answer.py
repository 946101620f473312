from __future__ import annotations

import pytest

from clusterf_docker.answer import Part, Text, Unreadable, reading


class _Inner(Part):
    Name: Text


class _Outer(Part):
    Inner: list[_Inner]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"Inner": [{"Name": "a"}, {"Name": 5}]}, "Inner.1.Name: input should be a valid string"),
        ({"Inner": [{"Name": "\ud800"}]}, "Inner.0.Name: value error, is not unicode text"),
        ([], "answer: input should be a valid dictionary or instance of _outer"),
        ({}, "Inner: field required"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(answer: object, says: str) -> None:
    with pytest.raises(Unreadable) as caught, reading():
        _Outer.model_validate(answer)
    assert str(caught.value) == says


def test_other_fields_are_nobodys_business() -> None:
    with reading():
        read = _Outer.model_validate({"Inner": [{"Name": "a", "Size": 5}], "Extra": None})
    assert read == _Outer(Inner=[_Inner(Name="a")])


@pytest.mark.parametrize("error", [ValueError("no prefix"), RecursionError("too deep")])
def test_what_the_reading_itself_refuses_is_unreadable_too(error: Exception) -> None:
    with pytest.raises(Unreadable, match=str(error)), reading():
        raise error
