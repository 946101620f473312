from __future__ import annotations

from clusterf.pipeline.claims import Claims, Order
from tests.strategies import tcp

K, L = tcp(port=80), tcp(port=81)
A: Order = (0, 0, "a")
B: Order = (0, 1, "b")
C: Order = (1, 0, "c")


def test_who_claims_alone_holds() -> None:
    claims = Claims()
    assert claims.claim("a", A, [K]) == set()
    assert (claims.holder(K), claims.holder(L)) == ("a", None)


def test_the_earlier_keeps_it_against_a_later_one() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    assert claims.claim("b", B, [K, L]) == set()
    assert (claims.holder(K), claims.holder(L)) == ("a", "b")


def test_the_earlier_takes_it_from_a_later_one_who_has_to_be_looked_at() -> None:
    claims = Claims()
    claims.claim("b", B, [K])
    assert claims.claim("a", A, [K]) == {"b"}
    assert claims.holder(K) == "a"


def test_what_the_holder_gives_up_goes_to_the_first_who_waits() -> None:
    claims = Claims()
    for name, order in (("a", A), ("c", C), ("b", B)):
        claims.claim(name, order, [K])
    assert claims.claim("a", A, []) == {"b"}
    assert claims.claim("b", B, [L]) == {"c"}
    assert claims.claim("c", C, []) == set()
    assert (claims.holder(K), claims.holder(L)) == (None, "b")


def test_who_stops_waiting_is_passed_over() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    claims.claim("c", C, [K])
    assert claims.claim("b", B, []) == set()
    assert claims.claim("a", A, []) == {"c"}


def test_claiming_the_same_again_changes_nothing() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    assert claims.claim("a", A, [K]) == set()
    assert claims.claim("b", B, [K]) == set()
    assert claims.holder(K) == "a"


def test_a_holder_that_moves_behind_hands_over() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    assert claims.claim("a", (2, 0, "a"), [K]) == {"b"}
    assert claims.holder(K) == "b"
    assert claims.claim("b", B, []) == {"a"}


def test_who_waits_and_moves_ahead_takes_over() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    assert claims.claim("b", (-1, 0, "b"), [K]) == {"a"}
    assert claims.holder(K) == "b"


def test_only_contested_entries_have_somebody_waiting() -> None:
    claims, alone = Claims(), Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    claims.claim("b", B, [])
    alone.claim("a", A, [K])
    assert claims == alone


def test_nothing_is_kept_of_those_who_claim_nothing() -> None:
    claims = Claims()
    claims.claim("a", A, [K])
    claims.claim("b", B, [K])
    claims.claim("b", B, [])
    claims.claim("a", A, [])
    assert claims == Claims()
