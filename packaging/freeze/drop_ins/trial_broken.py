"""A drop-in that needs what is not there: it fails alone, and is told so."""

import flask  # type: ignore[import-not-found]  # noqa: F401 - that it is missing is the point

CLUSTERF_API = "1.0"
