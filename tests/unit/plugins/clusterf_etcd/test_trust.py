from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from clusterf.testing import InstanceContext
from clusterf_etcd.failure import EtcdRefused
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.trust import Trust
from tests.lab import certificates
from tests.lab.certificates import Certificates


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.make(tmp_path_factory.mktemp("trust"), "127.0.0.1")


def trust(folder: Path, endpoint: str = "https://192.0.2.1", **tls: Any) -> Trust:
    facts = {"endpoints": [endpoint], **({"tls": tls} if tls else {})}
    settings = ConnectionSettings.model_validate(facts)
    return Trust(settings, InstanceContext("sources.x", folder=folder))


def test_plain_http_trusts_nobody_and_loads_nothing(tmp_path: Path) -> None:
    context = trust(tmp_path, "http://192.0.2.1").current()
    assert context.cert_store_stats()["x509"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_https_verifies_names_and_authorities(tmp_path: Path) -> None:
    one = trust(tmp_path)
    assert one.current().verify_mode is ssl.CERT_REQUIRED
    assert one.current().check_hostname
    assert one.anonymous


def test_files_are_relative_to_the_configuration(made: Certificates) -> None:
    one = trust(made.directory, ca="ca.pem", cert="cert.pem", key="key.pem")
    assert one.current().cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert not one.anonymous


def test_while_the_files_are_the_same_so_is_the_context(made: Certificates, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(made.ca.read_bytes())
    one = trust(tmp_path, ca=ca)
    first = one.current()
    assert one.current() is first
    # As certificates are exchanged: a new file under the old name, of the same size.
    other = tmp_path / "new.pem"
    other.write_bytes(made.ca.read_bytes())
    other.rename(ca)
    second = one.current()
    assert second is not first
    assert one.current() is second


def test_a_file_that_is_gone_is_named_and_does_not_spoil_what_comes_back(
    made: Certificates, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(made.ca.read_bytes())
    one = trust(tmp_path, ca=ca)
    one.current()
    ca.unlink()
    with pytest.raises(EtcdRefused, match=f"tls.ca {ca}: no such file"):
        one.current()
    ca.write_text("half a", "utf-8")
    with pytest.raises(EtcdRefused, match=f"tls.ca {ca}: "):
        one.current()
    ca.write_bytes(made.ca.read_bytes())
    assert one.current().cert_store_stats()["x509"] == 1


def test_a_key_that_is_not_that_of_the_certificate(made: Certificates) -> None:
    one = trust(made.directory, ca="ca.pem", cert="cert.pem", key="server-key.pem")
    with pytest.raises(EtcdRefused, match=r"tls.cert .* with key .*mismatch"):
        one.current()


def test_a_key_with_a_passphrase_is_refused_and_asks_nobody(
    made: Certificates, tmp_path: Path
) -> None:
    from tests.lab import process  # noqa: PLC0415 # for this one

    key = tmp_path / "locked.pem"
    process.run(
        [
            *("openssl", "pkcs8", "-topk8", "-in", str(made.client[1]), "-out", str(key)),
            *("-passout", "pass:secret"),
        ]
    )
    one = trust(made.directory, ca="ca.pem", cert="cert.pem", key=key)
    with pytest.raises(EtcdRefused, match="passphrase"):
        one.current()
