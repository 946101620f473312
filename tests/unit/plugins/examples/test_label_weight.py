from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.model.service import Backend, Service
from clusterf.testing import (
    BadSettings,
    InstanceContext,
    applied,
    backend,
    service,
    settings_from,
)
from examples.label_weight import LabelWeight, LabelWeightSettings

SIZES = 'label = "size"\nweights = { small = 5, large = 20 }'


def policy(toml: str) -> LabelWeight:
    context = InstanceContext("policies[0]", folder=Path())
    return LabelWeight(settings_from(LabelWeightSettings, toml), context)


def labelled(value: str | None, **facts: object) -> Backend:
    labels = {} if value is None else {"size": value}
    return backend("web", "a", "198.51.100.1", labels=labels, **facts)


def after(toml: str, *backends: Backend) -> Service:
    found = applied(policy(toml), service("web", "192.0.2.1"), *backends)
    assert isinstance(found, Service)
    return found


def weights(found: Service) -> dict[str, int | None]:
    return {name: one.weight for name, one in found.backends.items()}


def test_the_value_of_a_label_stands_for_a_weight() -> None:
    large = backend("web", "b", "198.51.100.2", labels={"size": "large"}, weight=1)
    found = after(SIZES, labelled("small"), large)
    assert weights(found) == {"a": 5, "b": 20}
    assert found.refusals == ()


@pytest.mark.parametrize(("value", "weight"), [("0", 0), ("7", 7), ("2147483648", 2147483647)])
def test_without_weights_the_value_is_the_weight(value: str, weight: int) -> None:
    assert weights(after('label = "size"', labelled(value))) == {"a": weight}


def test_without_the_label_everything_is_as_it_was() -> None:
    one = labelled(None, weight=3)
    assert after(SIZES, one).backends == {"a": one}


@pytest.mark.parametrize(
    ("toml", "value", "hint"),
    [
        (SIZES, "medium", "one of small, large"),
        (SIZES, "5", "one of small, large"),
        ('label = "size"', "large", "a whole number up to 2147483647"),
        ('label = "size"', "-1", "a whole number up to 2147483647"),
        ('label = "size"', "1_000", "a whole number up to 2147483647"),
        ('label = "size"', "\u0663", "a whole number up to 2147483647"),
        ('label = "size"', "9" * 5000, "a whole number up to 2147483647"),
        ('label = "size"', "", "a whole number up to 2147483647"),
    ],
)
def test_a_value_that_means_nothing_is_refused_and_changes_nothing(
    toml: str, value: str, hint: str
) -> None:
    found = after(toml, labelled(value, weight=3))
    assert weights(found) == {"a": 3}
    [refusal] = found.refusals
    assert (refusal.subject, refusal.reason) == ("service web backend a", "bad_label")
    assert (refusal.hint, str(refusal.provenance)) == (hint, "policies[0]")


def test_what_is_quiesced_stays_so() -> None:
    found = after(SIZES, labelled("large", quiesced="unhealthy"))
    assert found.backends["a"].quiesced == "unhealthy"


@pytest.mark.parametrize(("pattern", "weight"), [("w*", 20), ("api", None)])
def test_it_may_be_about_some_services_only(pattern: str, weight: int | None) -> None:
    found = after(f'{SIZES}\nservices = ["{pattern}"]', labelled("large"))
    assert weights(found) == {"a": weight}


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("", 'missing key "label"'),
        ('label = ""', "at least 1 character"),
        ('label = "x"\nweights = { a = -1 }', "weights.a: must be at least 0"),
        ('labl = "x"', 'did you mean "label"?'),
    ],
)
def test_settings_that_are_wrong_are_told(toml: str, told: str) -> None:
    with pytest.raises(BadSettings, match=told.replace("?", r"\?")):
        settings_from(LabelWeightSettings, toml)
