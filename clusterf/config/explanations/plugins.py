"""Codes of plugins that are at fault."""

from __future__ import annotations

from clusterf.config.explanations.explanation import Explanation
from clusterf.model.problem import Code

_DIRS = '[clusterf]\nmanaged = ["192.0.2.0/24", "2001:db8::/64"]\nplugin_dirs = ["plugins"]\n'

EXPLANATIONS = (
    Explanation(
        code=Code.PLUGIN_NOT_LOADED,
        what="A plugin is not there: it could not be imported, was written for another version of"
        " the API, or others than root can write its file.",
        why="The types that it brings are unknown. `clusterf run` goes on without it unless one of"
        " them is used; `check` calls it an error.",
        example=_DIRS,
        files={"plugins/mine.py": "from clusterf.plugin import hookimpl\n"},
        remedy="Do as the hint says; `clusterf plugins` tells the same. A drop-in states the"
        ' version that it was written for: `CLUSTERF_API = "1.0"`.',
    ),
    Explanation(
        code=Code.PLUGIN_FAILED,
        what="A plugin raised an exception where it must not.",
        why="It is a bug in the plugin; the others do not notice. What it would have checked is not"
        " checked.",
        example=_DIRS,
        files={
            "plugins/mine.py": "from clusterf.plugin import hookimpl\n\n"
            'CLUSTERF_API = "1.0"\n\n\n'
            "@hookimpl\n"
            "def clusterf_check(configuration):\n"
            "    return configuration.nothing\n"
        },
        remedy="Tell the plugin's author; the message has the place in its code. Leave it out in"
        " the meantime: `CLUSTERF_DISABLE_PLUGINS=mine`.",
    ),
    Explanation(
        code=Code.HOOK_NOT_CALLED,
        what="A function of a plugin looks like a hook, and nobody will call it.",
        why="Its name is misspelt, it is not marked with `@hookimpl`, or this version has no such"
        " hook. The plugin loads, and does less than its author thinks.",
        example=_DIRS,
        files={
            "plugins/mine.py": "from clusterf.plugin import hookimpl\n\n"
            'CLUSTERF_API = "1.0"\n\n\n'
            "@hookimpl\n"
            "def clusterf_chek(configuration):\n"
            "    return []\n"
        },
        remedy="Correct the name or add the mark. A hook that the plugin can do without is marked"
        " `@hookimpl(optionalhook=True)`.",
    ),
)
