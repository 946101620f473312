from __future__ import annotations

from clusterf.model.operation import Operation, Stage
from clusterf.model.service import BackendRef
from clusterf_etcd.operations import DeleteKey, PutKey

REF = BackendRef("web", "b1")
KEY = "/clusterf/services/web/backends/b1"


def test_they_are_operations_in_the_words_of_etcdctl() -> None:
    put = PutKey(REF, KEY, b'{"tcp":80}', 0, "sources.local-docker 3f2a")
    delete = DeleteKey(REF, KEY, 5, "gone")
    assert isinstance(put, Operation)
    assert isinstance(delete, Operation)
    assert put.describe() == f'put {KEY} {{"tcp":80}}'
    assert put.reason() == "sources.local-docker 3f2a"
    assert delete.describe() == f"del {KEY}"
    assert delete.reason() == "gone"


def test_a_new_key_comes_before_a_changed_one_and_that_before_a_deletion() -> None:
    assert PutKey(REF, KEY, b"", 0).stage is Stage.ADD
    assert PutKey(REF, KEY, b"", 9).stage is Stage.EDIT
    assert DeleteKey(REF, KEY, 9).stage is Stage.REMOVE


def test_a_long_value_is_shown_in_part_and_bad_bytes_do_no_harm() -> None:
    assert PutKey(REF, KEY, b"x" * 500, 0).describe() == f"put {KEY} {'x' * 200}..."
    assert PutKey(REF, KEY, b"\xff", 0).describe() == f"put {KEY} \ufffd"
