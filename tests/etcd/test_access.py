"""Who may do what: users, tokens, certificates, against a real etcd."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable, PermissionDenied, Unauthenticated
from clusterf_etcd.gateway import Gateway
from tests.etcd.clients import PREFIX, aside, dialled, until
from tests.etcd.server import Cluster
from tests.lab import certificates
from tests.lab.certificates import Certificates

pytestmark = pytest.mark.etcd

USER = "director"


def tell(path: Path, password: str) -> None:
    """Write a password file."""
    path.write_text(password, "utf-8")


@pytest.fixture
def guarded(etcd: Cluster) -> Cluster:
    """Knows a user for the keys below the prefix."""
    etcd.enable_auth()
    etcd.add_user(USER, "s3cret", PREFIX)
    return etcd


@pytest.fixture(scope="module")
def secured(authority: Certificates) -> Iterator[Cluster]:
    """Speaks TLS to everybody."""
    with Cluster(tls=authority) as made:
        yield made


@pytest.fixture
def asking(both: Certificates) -> Iterator[Cluster]:
    """Speaks TLS to who shows a certificate."""
    with Cluster(tls=both, client_certificates=True) as made:
        yield made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The server's certificate is good for a client, too: etcd's gateway is one of its clients."""
    made = certificates.make(tmp_path_factory.mktemp("etcd-mutual"), "127.0.0.1")
    certificates.issue(made, made.server, "/CN=member", "serverAuth,clientAuth", "127.0.0.1")
    return made


def shown(made: Certificates, pair: tuple[Path, Path] | None = None) -> dict[str, Any]:
    certificate, key = pair or made.client
    return {"tls": {"ca": made.ca, "cert": certificate, "key": key}}


@asynccontextmanager
async def logged_in(etcd: Cluster, password: Path, **facts: Any) -> AsyncIterator[Gateway]:
    async with dialled(etcd, user=USER, password_file=password, **facts) as gateway:
        yield gateway


# --- users ---------------------------------------------------------------------------------------


async def test_a_user_may_what_its_role_may(guarded: Cluster, password: Path) -> None:
    async with logged_in(guarded, password) as gateway:
        await gateway.put(f"{PREFIX}/a", b"1")
        assert len((await gateway.list(PREFIX)).entries) == 1
        async with gateway.watch(PREFIX, 1) as watch:
            assert len(await until(watch, (await gateway.list(PREFIX)).revision)) == 1
        for key in ("/other", PREFIX, f"{PREFIX}0"):
            with pytest.raises(PermissionDenied, match="permission denied") as caught:
                await gateway.put(key, b"1")
            assert "grant-permission" in caught.value.hint
        with pytest.raises(PermissionDenied):
            await gateway.list("/other")
        with trio.fail_after(10), pytest.raises(PermissionDenied):
            async with gateway.watch("/other", 1):
                raise AssertionError


async def test_a_user_who_may_read_may_not_write(guarded: Cluster, tmp_path: Path) -> None:
    guarded.add_user("reader", "r", PREFIX, "read")
    path = tmp_path / "reader"
    tell(path, "r")
    async with dialled(guarded, user="reader", password_file=path) as gateway:
        assert (await gateway.list(PREFIX)).entries == []
        async with gateway.watch(PREFIX, 1, pulse=0.05) as watch:
            with trio.move_on_after(0.3):
                await watch.next()
        with pytest.raises(PermissionDenied):
            await gateway.put(f"{PREFIX}/a", b"")


async def test_without_a_user_nobody_is_let_in(guarded: Cluster) -> None:
    async with dialled(guarded) as gateway:
        with pytest.raises(Unauthenticated, match="user name is empty") as caught:
            await gateway.list(PREFIX)
        assert "password_file" in caught.value.hint
        with trio.fail_after(10), pytest.raises(EtcdRefused):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError


async def test_a_wrong_password_is_refused_and_a_right_one_is_read_again(
    guarded: Cluster, password: Path
) -> None:
    tell(password, "wrong")
    async with logged_in(guarded, password) as gateway:
        with pytest.raises(EtcdRefused, match="authentication failed") as caught:
            await gateway.list(PREFIX)
        assert "wrong" not in str(caught.value)
        with pytest.raises(EtcdRefused, match="authentication failed"):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
        tell(password, "s3cret")
        assert (await gateway.list(PREFIX)).entries == []


async def test_a_token_that_etcd_forgot_is_exchanged(guarded: Cluster, password: Path) -> None:
    async with logged_in(guarded, password) as gateway:
        await gateway.put(f"{PREFIX}/a", b"1")
        guarded.restart()
        assert await gateway.get(f"{PREFIX}/a") is not None
        guarded.restart()
        revision = (await gateway.list(PREFIX)).revision
        guarded.restart()
        async with gateway.watch(PREFIX, revision) as watch:
            assert watch.revision >= revision


def expired(etcd: Cluster, token: str) -> None:
    """Wait until a token is too old. It is looked for once a second."""
    etcd.members[0].wait_for(f'deleted a simple token","user-name":"{USER}","token":"{token}"')


async def test_a_token_that_expired_is_exchanged(password: Path) -> None:
    with Cluster(options=["--auth-token-ttl", "1"]) as etcd:
        etcd.enable_auth()
        etcd.add_user(USER, "s3cret", PREFIX)
        async with logged_in(etcd, password) as gateway:
            await gateway.put(f"{PREFIX}/a", b"1")
            await aside(expired, etcd, gateway._caller.token.value)
            async with gateway.watch(PREFIX, 1) as watch:
                await aside(expired, etcd, gateway._caller.token.value)
                await gateway.put(f"{PREFIX}/b", b"1")
                revision = (await gateway.list(PREFIX)).revision
                assert len(await until(watch, revision)) == 2


async def test_a_token_is_shared_and_good_at_every_member(three: Cluster, password: Path) -> None:
    three.enable_auth()
    three.add_user(USER, "s3cret", PREFIX)
    async with logged_in(three, password) as gateway:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(gateway.put, f"{PREFIX}/{number}", b"")
        token = gateway._caller.token.value
        await aside(three.members[0].kill)
        await aside(three.leader)
        assert len((await gateway.list(PREFIX)).entries) == 10
        assert gateway._caller.token.value == token


async def test_a_changed_password_ends_it_and_the_changed_file_heals_it(
    guarded: Cluster, password: Path
) -> None:
    async with logged_in(guarded, password) as gateway:
        await gateway.list(PREFIX)
        guarded.ctl("user", "passwd", "--interactive=false", USER, text="n3w\n")
        guarded.restart()
        with pytest.raises(EtcdRefused, match="authentication failed"):
            await gateway.list(PREFIX)
        tell(password, "n3w\n")
        await gateway.list(PREFIX)


async def test_roles_that_change_while_a_token_lives(guarded: Cluster, password: Path) -> None:
    async with logged_in(guarded, password) as gateway:
        await gateway.put(f"{PREFIX}/a", b"1")
        guarded.add_user("another", "x", "/other")
        await gateway.put(f"{PREFIX}/a", b"2")
        guarded.ctl("user", "revoke-role", USER, USER)
        with pytest.raises(PermissionDenied):
            await gateway.put(f"{PREFIX}/a", b"3")
        with pytest.raises(PermissionDenied):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
        guarded.ctl("user", "grant-role", USER, USER)
        await gateway.put(f"{PREFIX}/a", b"4")


async def test_a_user_where_nobody_is_asked_and_then_everybody_is(
    etcd: Cluster, password: Path
) -> None:
    async with logged_in(etcd, password) as gateway:
        await gateway.put(f"{PREFIX}/a", b"1")
        async with gateway.watch(PREFIX, 1) as watch:
            await until(watch, 2)
        etcd.enable_auth()
        etcd.add_user(USER, "s3cret", PREFIX)
        await gateway.put(f"{PREFIX}/a", b"2")
        etcd.disable_auth()
        await gateway.put(f"{PREFIX}/a", b"3")


async def test_a_password_file_that_is_not_there(guarded: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "not-there"
    async with logged_in(guarded, path) as gateway:
        with pytest.raises(EtcdRefused, match=f"password_file {path}: no such file"):
            await gateway.list(PREFIX)


# --- certificates --------------------------------------------------------------------------------


async def test_over_tls(secured: Cluster, authority: Certificates) -> None:
    async with dialled(secured, tls={"ca": authority.ca}) as gateway:
        revision = await gateway.put(f"{PREFIX}/tls", b"1")
        async with gateway.watch(PREFIX, revision) as watch:
            assert len(await until(watch, revision)) == 1


async def test_an_authority_that_is_not_its_own_is_not_believed(
    secured: Cluster, both: Certificates
) -> None:
    for facts in ({"tls": {"ca": both.ca}}, {}):
        async with dialled(secured, **facts) as gateway:
            with pytest.raises(EtcdRefused, match=r"TLS: .*issuer certificate") as caught:
                await gateway.list(PREFIX)
            assert "setting tls" in caught.value.hint
            with pytest.raises(EtcdRefused, match="TLS: "):
                async with gateway.watch(PREFIX, 1):
                    raise AssertionError


async def test_a_name_that_is_not_in_the_certificate_is_not_believed(
    secured: Cluster, authority: Certificates
) -> None:
    endpoint = secured.endpoints[0].replace("127.0.0.1", "localhost")
    async with dialled([endpoint], tls={"ca": authority.ca}) as gateway:
        with pytest.raises(EtcdRefused, match=r"TLS: hostname mismatch|localhost"):
            await gateway.list(PREFIX)


async def test_http_where_https_is_spoken_and_the_other_way_round(
    secured: Cluster, etcd: Cluster
) -> None:
    for one, wrong, right in ((secured, "http:", "https:"), (etcd, "https:", "http:")):
        endpoint = wrong + one.endpoints[0].partition(":")[2]
        async with dialled([endpoint]) as gateway:
            with pytest.raises(EtcdUnavailable) as caught:
                await gateway.list(PREFIX)
            assert f"write {right}//" in caught.value.hint


async def test_a_client_certificate_is_shown(asking: Cluster, both: Certificates) -> None:
    async with dialled(asking, **shown(both)) as gateway:
        revision = await gateway.put(f"{PREFIX}/a", b"1")
        async with gateway.watch(PREFIX, revision) as watch:
            assert len(await until(watch, revision)) == 1
    async with dialled(asking, tls={"ca": both.ca}) as gateway:
        with pytest.raises((EtcdUnavailable, EtcdRefused)) as caught:
            await gateway.list(PREFIX)
        assert "tls" in caught.value.hint


async def test_with_users_a_client_certificate_must_have_no_name(
    asking: Cluster, both: Certificates, password: Path, tmp_path: Path
) -> None:
    asking.enable_auth()
    asking.add_user(USER, "s3cret", PREFIX)
    async with logged_in(asking, password, **shown(both)) as gateway:
        with pytest.raises(EtcdRefused, match="CommonName") as caught:
            await gateway.list(PREFIX)
        assert "no CN" in caught.value.hint
    nameless = (tmp_path / "cert.pem", tmp_path / "key.pem")
    certificates.issue(both, nameless, "/O=clusterf", "clientAuth", "127.0.0.1")
    async with logged_in(asking, password, **shown(both, nameless)) as gateway:
        revision = await gateway.put(f"{PREFIX}/a", b"1")
        async with gateway.watch(PREFIX, revision) as watch:
            assert len(await until(watch, revision)) == 1


async def test_a_server_certificate_that_the_gateway_itself_cannot_use(
    authority: Certificates,
) -> None:
    with Cluster(tls=authority, client_certificates=True) as etcd:
        async with dialled(etcd, **shown(authority)) as gateway:
            with pytest.raises(EtcdUnavailable) as caught:
                await gateway.list(PREFIX)
            assert "clientAuth" in caught.value.hint


async def test_certificates_that_were_exchanged_are_read_again(
    asking: Cluster, both: Certificates, tmp_path: Path
) -> None:
    other = certificates.make(tmp_path, "127.0.0.1")
    pair = (tmp_path / "mine.pem", tmp_path / "mine-key.pem")
    certificates.issue(other, pair, "/O=stranger", "clientAuth", "127.0.0.1")
    async with dialled(asking, **shown(both, pair)) as gateway:
        with pytest.raises((EtcdUnavailable, EtcdRefused)):
            await gateway.list(PREFIX)
        certificates.issue(both, pair, "/O=friend", "clientAuth", "127.0.0.1")
        async with gateway.watch(PREFIX, 1):
            await gateway.list(PREFIX)


async def test_certificates_that_cannot_be_read(asking: Cluster, both: Certificates) -> None:
    for name, facts in (
        ("tls.ca", {"ca": "/not/there"}),
        ("tls.ca", {"ca": __file__}),
        ("tls.cert", {"ca": both.ca, "cert": "/not/there", "key": both.client[1]}),
        ("tls.cert", {"ca": both.ca, "cert": both.client[0], "key": both.server[1]}),
    ):
        async with dialled(asking, tls=facts) as gateway:
            with pytest.raises(EtcdRefused, match=name):
                await gateway.list(PREFIX)


async def test_a_member_that_hangs_over_tls(authority: Certificates) -> None:
    with Cluster(tls=authority) as etcd:
        etcd.members[0].freeze()
        async with dialled(etcd, tls={"ca": authority.ca}, timeout=0.3) as gateway:
            with trio.fail_after(5), pytest.raises(EtcdUnavailable, match=r"within 0\.3 s"):
                await gateway.list(PREFIX)
            with trio.fail_after(5), pytest.raises(EtcdUnavailable, match=r"within 0\.3 s"):
                async with gateway.watch(PREFIX, 1):
                    raise AssertionError
        etcd.members[0].thaw()
