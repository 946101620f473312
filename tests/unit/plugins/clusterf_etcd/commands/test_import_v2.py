from __future__ import annotations

import pytest

from clusterf.model.errors import ClusterfError
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, run

V2 = ("--from", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (V2, 69, "http://127.0.0.1:1: connection refused"),
        (("--from", "nonsense"), 2, '--from: "nonsense" is not http://'),
        ((*V2, "--from-prefix", "x"), 2, '--from-prefix: "x" is not an absolute path'),
        (
            (*V2, "--from-ca", "x"),
            2,
            "--from-ca, --from-cert, --from-key: needs endpoints of the form https",
        ),
        ((*V2, "--timeout", "soon"), 2, '--timeout: "soon" is not a duration'),
        (
            ("--from", "https://127.0.0.1:1", "--from-cert", "x"),
            2,
            "--from-ca, --from-cert, --from-key: cert and key belong together",
        ),
        (
            ("--from", "https://127.0.0.1:1", "--from-ca", "/nowhere/ca.pem"),
            69,
            "tls.ca /nowhere/ca.pem: no such file or directory",
        ),
    ],
)
def test_how_it_ends_without_an_etcd(words: tuple[str, ...], code: int, told: str) -> None:
    with pytest.raises(ClusterfError) as ended:
        run("import-v2", *words, *NOWHERE)
    assert ended.value.exit_code == code
    assert str(ended.value).startswith(told)
