"""Codes of files that cannot be read."""

from __future__ import annotations

from clusterf.config.explanations.explanation import Explanation
from clusterf.model.problem import Code

EXPLANATIONS = (
    Explanation(
        code=Code.UNREADABLE,
        what="A file or a folder that the configuration names cannot be read.",
        why="clusterf.toml itself must be readable: that is an error. Files of a source of type"
        " static may come later, and while clusterf runs they are read as soon as they are there:"
        " that is a warning. Until then nothing is removed that they might have named.",
        example='[sources.files]\ntype = "static"\npath = "services.d"\n',
        remedy="Make the file, correct the path (it is relative to the folder of clusterf.toml),"
        " or let the user that clusterf runs as read it.",
    ),
    Explanation(
        code=Code.NOT_UTF8,
        what="A byte is not part of any UTF-8 character.",
        why="TOML is UTF-8 by definition. Usually an editor has saved an umlaut in Latin-1.",
        example="# die Größe des Clusters\n[defaults]\nweight = 5\n",
        encoding="latin-1",
        remedy="Save the file as UTF-8: `iconv -f latin1 -t utf-8`.",
    ),
    Explanation(
        code=Code.SYNTAX,
        what="The file is not TOML.",
        why="Nothing can be said of its content before it reads, so this is the only problem that"
        " is told of such a file.",
        example="[defaults]\nscheduler = wlc\n",
        remedy="Look at the place that is marked. Strings need quotes; an array or an inline table"
        " that is not closed is marked where it begins.",
    ),
    Explanation(
        code=Code.DEFINED_TWICE,
        what="A key or a table is defined for the second time.",
        why="TOML has no rule for which of the two would count. Often a block was copied and its"
        " header not changed.",
        example="[defaults]\nweight = 5\nweight = 6\n",
        remedy="Remove one of the two, or give it another name. The hint names the first's line.",
    ),
)
