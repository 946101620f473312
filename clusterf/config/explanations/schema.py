"""Codes of single values."""

from __future__ import annotations

from clusterf.config.explanations.explanation import Explanation
from clusterf.model.problem import Code

EXPLANATIONS = (
    Explanation(
        code=Code.UNKNOWN_KEY,
        what="A key that nobody reads.",
        why="Passed over in silence, a misspelt option would leave its default in force.",
        example="[defaults]\nwieght = 5\n",
        remedy="Take the key that the hint names. Options of plugins are in their README;"
        " `clusterf config --effective` prints all that there are.",
    ),
    Explanation(
        code=Code.MISSING_KEY,
        what="A key that must be there is not.",
        why="There is no default that would be right for everybody.",
        example='[services.web]\nfrontend = { ipv4 = "192.0.2.10" }\n',
        remedy="Add the key. The hint has an example, or names other keys that do as well.",
    ),
    Explanation(
        code=Code.WRONG_TYPE,
        what="A value is of another type: a string in place of a number, a table in place of an"
        " array.",
        why="Types are strict, so that nothing is read otherwise than it was meant.",
        example='[defaults]\nweight = "5"\n',
        remedy="Write the value as the message says. `[x]` is a table, `[[x]]` an entry of an"
        " array of tables.",
    ),
    Explanation(
        code=Code.UNKNOWN_CHOICE,
        what="A value is not one of those that there are.",
        why="Schedulers, flags, methods and the like are closed sets, the words of ipvsadm(8). A"
        " pattern that picks no source or service, and the name of a plugin that nobody has, are"
        " warnings: one configuration may be for hosts of several kinds.",
        example='[defaults]\nscheduler = "wlcc"\n',
        remedy="Take one of the choices in the hint.",
    ),
    Explanation(
        code=Code.OUT_OF_RANGE,
        what="A number, a duration, a text or an array is too small or too large.",
        why="The limits are those of the kernel, of the protocol, or of what makes sense.",
        example='[services.web]\nfrontend = { ipv4 = "192.0.2.10", tcp = 70000 }\n',
        remedy="Keep to the limits that the message names.",
    ),
    Explanation(
        code=Code.MALFORMED,
        what="A string is not of the form that is needed here: an address, a prefix, a duration.",
        why="What it was meant to be cannot be guessed. IPv4 addresses have no leading zeros, a"
        " prefix has no host bits, host names are not resolved.",
        example='[services.web]\nfrontend = { ipv4 = "192.0.2.300", tcp = 80 }\n',
        remedy="Write it as in the hint.",
    ),
    Explanation(
        code=Code.UNKNOWN_TYPE,
        what="A source, a policy or an output has a `type` that no loaded plugin brings.",
        why="Without its plugin nothing is known of the table, not even its keys.",
        example='[sources.containers]\ntype = "dokcer"\n',
        remedy="Take a type of `clusterf plugins`. One of a drop-in needs `plugin_dirs`, and fails"
        " to be there if the plugin failed to load (C301).",
    ),
    Explanation(
        code=Code.CONTRADICTION,
        what="Two things are said that exclude each other, or one thing twice.",
        why="Either could be meant. What works all the same, such as a second route of one prefix,"
        " is a warning.",
        example='[sources.files]\ntype = "static"\npath = "services.d"\nservices = {}\n',
        remedy="Keep one of the two.",
    ),
)
