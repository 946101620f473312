"""A drop-in for a later clusterf: it is refused, and not run."""

from pathlib import Path

CLUSTERF_API = "9.0"

Path(__file__).with_name("it-was-run").touch()
