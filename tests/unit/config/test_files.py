from __future__ import annotations

from pathlib import Path

from clusterf.config.files import files_of
from clusterf.plugin.loader import load_plugins
from tests.unit.config.test_effective import RICH, loaded


def test_files_that_settings_name(tmp_path: Path) -> None:
    configuration = loaded(tmp_path / "clusterf.toml", RICH, load_plugins())
    assert dict(files_of(configuration)) == {
        "sources.cluster.password_file": tmp_path / "secrets/password",
        "sources.cluster.tls.ca": Path("/etc/ca.pem"),
    }
