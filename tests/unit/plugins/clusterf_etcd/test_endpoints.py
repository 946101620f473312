from __future__ import annotations

from clusterf_etcd.endpoints import Endpoints, none_left
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable


def test_they_are_tried_in_the_order_of_the_configuration() -> None:
    assert Endpoints("abc").order() == ["a", "b", "c"]


def test_the_one_that_worked_comes_first() -> None:
    endpoints = Endpoints("abc")
    endpoints.worked("b")
    assert endpoints.order() == ["b", "c", "a"]
    assert endpoints.order() == ["b", "c", "a"]


def test_the_one_that_failed_comes_last() -> None:
    endpoints = Endpoints("abc")
    endpoints.failed("a")
    assert endpoints.order() == ["b", "c", "a"]
    endpoints.failed("b")
    endpoints.failed("c")
    assert endpoints.order() == ["a", "b", "c"]


def test_an_old_failure_does_not_move_the_one_that_works() -> None:
    endpoints = Endpoints("abc")
    endpoints.worked("c")
    endpoints.failed("a")
    assert endpoints.order() == ["c", "a", "b"]


def test_one_endpoint_stays() -> None:
    endpoints = Endpoints("a")
    endpoints.failed("a")
    assert endpoints.order() == ["a"]


# --- when all failed


def test_one_error_is_itself() -> None:
    only = EtcdUnavailable("a: away", hint="look")
    assert none_left([only]) is only


def test_several_errors_are_named_and_the_first_hint_given() -> None:
    found = none_left([EtcdRefused("a: no", local=True), EtcdUnavailable("b: away", hint="look")])
    assert type(found) is EtcdUnavailable
    assert str(found) == "no endpoint of etcd is usable: a: no; b: away"
    assert found.hint == "look"
    assert not found.perhaps_done
    done = none_left([EtcdUnavailable("a", perhaps_done=True), EtcdUnavailable("b")])
    assert isinstance(done, EtcdUnavailable)
    assert done.perhaps_done


def test_where_all_refuse_it_is_refused() -> None:
    refusal = EtcdRefused("a: no", local=True)
    assert type(none_left([refusal, refusal])) is EtcdRefused
