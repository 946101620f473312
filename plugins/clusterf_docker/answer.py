"""What is common to the engine's answers: they are read strictly, or are `Unreadable`. Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictStr, ValidationError

ID = re.compile(r"[0-9a-f]{12,64}")
"""Ids of containers and networks."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""Names that an engine gives or takes."""


class Unreadable(Exception):
    """An answer about one container or network is not what the API promises."""


class Part(BaseModel):
    """Some fields of a JSON object; there may be more."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


def _encodable(text: str) -> str:
    """JSON can carry halves of surrogate pairs, which no file and no log can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not Unicode text") from None
    return text


Text = Annotated[StrictStr, AfterValidator(_encodable)]
"""A string that can be written down."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Turn whatever is wrong with an answer into `Unreadable`, saying where it is wrong."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if str(step).isprintable())[:100]
        raise Unreadable(f"{place or 'answer'}: {first['msg'].lower()}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
