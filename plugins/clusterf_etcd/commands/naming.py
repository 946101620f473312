"""What the words of a command name: a service, a route, any key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clusterf.model.service import Ref, RouteRef, ServiceRef
from clusterf.plugin import did_you_mean
from clusterf_etcd.commands.ending import Misused, Refused
from clusterf_etcd.keys import KeyFault, key_of, ref_of, shown_key

HELP = "a service; a key, with a slash in it; or: route NAME"


class Named(NamedTuple):
    """What was named. ``key`` is that of the record, or of all keys below it.

    ``service`` is set where a service was named, as a whole; its key is then that of its folder.
    """

    key: str
    service: str | None = None

    def __str__(self) -> str:
        return shown_key(self.key) if self.service is None else f"service {self.service}"


def named(words: Sequence[str], prefix: str) -> Named:
    """Understand the words.

    A word without a slash is a service. Keys may leave out the prefix.

    Raises:
        Misused: they are too many.
        Refused: they name nothing that there can be.
    """
    match words:
        case ["route", name]:
            return Named(_key_of(RouteRef(name), prefix))
        case [word] if "/" in word:
            return Named(_below(word, prefix))
        case [word]:
            folder = _key_of(ServiceRef(word), prefix).removesuffix("/frontend")
            return Named(folder, word)
    raise Misused(f"{' '.join(words)}: too many words", hint=HELP)


def record_key(target: Named) -> str:
    """The key of the one record that was named; of a service that of its frontend."""
    return target.key if target.service is None else f"{target.key}/frontend"


def record_ref(target: Named, prefix: str) -> Ref:
    """The record that was named.

    Raises:
        Refused: the key is that of none.
    """
    key = record_key(target)
    try:
        return ref_of(key, prefix)
    except KeyFault as fault:
        raise Refused(f"{shown_key(key)}: {fault}") from None


def not_there(target: Named, siblings: Iterable[str]) -> Refused:
    """The refusal of what does not exist; ``siblings`` are all keys of the folder that it is in."""
    folder, _, name = target.key.rpartition("/")
    names = {key[len(folder) + 1 :].partition("/")[0] for key in siblings}
    # Of the id of a container people know the beginning.
    begin = [one for one in names if one.startswith(name)]
    hint = (
        f'did you mean "{shown_key(begin[0])}"?' if len(begin) == 1 else did_you_mean(name, names)
    )
    if not hint.startswith("did you mean"):
        hint = "clusterf etcd get lists what is"
    return Refused(f"{target} is not there", hint=hint)


def _key_of(ref: RouteRef | ServiceRef, prefix: str) -> str:
    try:
        return key_of(ref, prefix)
    except KeyFault as fault:
        kind = "route" if isinstance(ref, RouteRef) else "service"
        raise Refused(f"{kind} {shown_key(ref.name)}: {fault}") from None


def _below(word: str, prefix: str) -> str:
    path = word.rstrip("/")
    if not word.startswith("/"):
        return f"{prefix}/{path}"
    if path != prefix and not path.startswith(f"{prefix}/"):
        raise Refused(f"{shown_key(word)} is not below {prefix}", hint="--prefix says otherwise")
    return path
