from __future__ import annotations

from tests.unit.control.scene import as_before, scene

__all__ = ["as_before", "scene"]
