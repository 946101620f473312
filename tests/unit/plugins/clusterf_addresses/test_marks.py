from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf_addresses.marks import METRIC, PROTOCOL, Marks, is_ours, label

NEW, OLD = (6, 1), (5, 15)


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("lo", "lo:clusterf"),
        ("vips00", "vips00:clusterf"),
        ("vips000", "vips000:cf"),
        ("vips00000000", "vips00000000:cf"),
        ("vips000000000", None),
    ],
)
def test_a_label_fits_into_what_the_kernel_keeps(interface: str, expected: str | None) -> None:
    assert label(interface) == expected
    assert expected is None or len(expected) <= 15


def test_the_protocol_tells_where_the_kernel_keeps_it() -> None:
    for family in Family:
        assert is_ours(family, Marks(protocol=PROTOCOL), "lo", NEW)
        assert is_ours(family, Marks(protocol=PROTOCOL), "lo", (5, 18))
        assert not is_ours(family, Marks(protocol=18), "lo", NEW)
        assert not is_ours(family, Marks(), "lo", NEW)


def test_a_label_or_metric_of_a_stranger_is_not_ours_where_the_protocol_tells() -> None:
    assert not is_ours(Family.INET, Marks(label="lo:clusterf"), "lo", NEW)
    assert not is_ours(Family.INET6, Marks(metric=METRIC), "lo", NEW)


def test_older_kernels_tell_by_label_and_metric() -> None:
    assert is_ours(Family.INET, Marks(label="lo:clusterf"), "lo", OLD)
    assert not is_ours(Family.INET, Marks(label="lo"), "lo", OLD)
    assert not is_ours(Family.INET, Marks(label="lo:clusterf"), "vips0", OLD)
    assert is_ours(Family.INET6, Marks(metric=METRIC), "lo", OLD)
    assert not is_ours(Family.INET6, Marks(metric=1), "lo", OLD)


def test_without_room_for_a_label_nothing_is_ours_on_an_older_kernel() -> None:
    assert not is_ours(Family.INET, Marks(label=None), "vips000000000", OLD)
