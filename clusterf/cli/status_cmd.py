"""``clusterf status``: the table in ipvsadm's columns, by service, with states and reasons."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from clusterf import __version__
from clusterf.cli.drawing import Line, draw
from clusterf.cli.order import socket_of
from clusterf.control.client import Refused, ask
from clusterf.control.protocol import JSON
from clusterf.model.counting import counted

_METHOD = {"masq": "Masq", "droute": "Route", "tunnel": "Tunnel"}
_STYLE = {
    "serving": "",
    "running": "green",
    "finished": "green",
    "starting": "yellow",
    "draining": "yellow",
    "quiesced": "yellow",
    "held": "yellow",
    "leaving": "yellow",
    "empty": "yellow",
    "missing": "red",
    "differs": "red",
    "failing": "red",
    "down": "red",
}


def main(arguments: argparse.Namespace) -> int:
    """Print the picture that the daemon draws; 1 for a service that it does not know."""
    request: JSON = {"command": "status"}
    if arguments.service is not None:
        request["service"] = arguments.service
    picture = ask(socket_of(arguments), request)
    if arguments.service is not None and not picture["services"]:
        raise Refused(f"no service {arguments.service}", hint="clusterf status lists them")
    if arguments.output_format == "json":
        print(json.dumps(picture, indent=1))
    else:
        draw(drawn(picture, whole=arguments.service is None))
    return 0


def drawn(picture: JSON, *, whole: bool) -> list[Line]:
    """The page, also of a daemon of another version as far as possible.

    Raises:
        Refused: it is not possible.
    """
    other = picture.get("version")
    try:
        page = list(lines(picture, whole=whole))
    except (KeyError, TypeError) as error:
        if other == __version__:
            raise
        raise Refused(
            f"clusterf {other} runs here, and its status is none that {__version__} can draw",
            hint="restart it to have this version, or use --format json",
        ) from error
    if whole and other != __version__:
        page.insert(1, (f"(this command is of clusterf {__version__})", "yellow"))
    return page


def lines(picture: JSON, *, whole: bool) -> Iterator[Line]:
    """The whole page as lines. Without ``whole`` only services and their refusals."""
    if whole:
        yield f"clusterf {picture['version']}, up {duration(picture['uptime'])}", "bold"
        yield f"configuration {picture['configuration']}", ""
        for problem in picture["reload_problems"]:
            yield "reload refused, everything is as it was:", "red"
            yield from ((f"  {line}", "red") for line in problem.splitlines())
        for instance in (*picture["sources"], *picture["outputs"]):
            yield from _instance(instance)
        if picture["hold"]:
            yield f"removals are on hold: {picture['hold']}", "yellow"
        yield "", ""
    if picture["tabled"]:
        yield "Prot LocalAddress:Port Scheduler Flags", "bold"
        head = "  -> RemoteAddress:Port                      Forward Weight ActiveConn InActConn"
        yield head, "bold"
    for service in picture["services"]:
        yield from _service(service)
    if picture["leaving"]:
        yield "leaving (no service claims these any more)", "bold cyan"
        for entry in picture["leaving"]:
            yield from _entry(entry)
    for refusal in picture["refusals"] if whole else ():
        yield f"refused: {_refusal(refusal)}", "yellow"


def _instance(instance: JSON) -> Iterator[Line]:
    state = instance["state"]
    text = f"{instance['name']:<24} {instance['type']:<10} {state}"
    if instance["for"] is not None:
        text += f" for {duration(instance['for'])}"
    if "services" in instance:
        services = counted(instance["services"], "service")
        text += f", {services}, {counted(instance['backends'], 'backend')}"
    elif instance["detail"]:
        text += f", {instance['detail']}"
    yield text, _STYLE.get(state, "")
    if instance["reason"] and state != "running":
        retry = instance["retry_in"]
        again = "" if retry is None else f", next try in {duration(retry)}"
        hint = f" (hint: {instance['hint']})" if instance["hint"] else ""
        yield f"  {instance['reason']}{hint}{again}", "red"
    if instance.get("degraded"):
        yield f"  on what was last known: {instance['degraded']}", "yellow"
    for problem in instance.get("problems", ()):
        yield f"  {problem}", "yellow"
    for failing in instance.get("failing", ()):
        entry = failing["entry"] or "host"
        hint = f" (hint: {failing['hint']})" if failing["hint"] else ""
        yield f"  {entry}: {failing['error']}{hint}", "red"


def _service(service: JSON) -> Iterator[Line]:
    yield service["name"], "bold cyan"
    for entry in service["entries"]:
        yield from _entry(entry)
    if service["failure"]:
        yield f"  left as it was: {service['failure']}", "red"
    for refusal in service["refusals"]:
        yield f"  refused: {_refusal(refusal)}", "yellow"


def _entry(entry: JSON) -> Iterator[Line]:
    words = [f"{entry['protocol']:<4} {entry['address']}", entry["scheduler"]]
    if entry["persistence"]:
        words.append(f"persistent {entry['persistence']['timeout']}")
    if entry["flags"]:
        words.append(",".join(entry["flags"]))
    if entry["state"] != "serving":
        words.append(f"[{entry['state']}: {entry['reason']}]")
    yield " ".join(words), _STYLE.get(entry["state"], "")
    for destination in entry["destinations"]:
        yield _destination(destination)


def _destination(row: JSON) -> Line:
    active = "-" if row["active"] is None else row["active"]
    method = _METHOD.get(row["method"], row["method"])
    inactive = "-" if row["inactive"] is None else row["inactive"]
    text = f"  -> {row['address']:<39} {method:<7} {row['weight']:<6} {active:<10} {inactive:<9}"
    if row["state"] != "serving":
        text += f" {row['state']}: {row['reason']}"
    return text, _STYLE.get(row["state"], "")


def _refusal(refusal: JSON) -> str:
    text = f"{refusal['subject']}: {refusal['detail']}"
    if refusal["hint"]:
        text += f" (hint: {refusal['hint']})"
    if refusal["provenance"]:
        text += f" [{refusal['provenance']}]"
    return text


def duration(seconds: float) -> str:
    """``850ms``, ``12s``, ``3m12s``, ``5h3m``, ``2d4h``."""
    if seconds < 1:
        return f"{min(999, round(seconds * 1000))}ms"
    whole = int(seconds)
    for size, unit, smaller, smaller_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size}{unit}" + (f"{rest}{smaller_unit}" if rest else "")
    return f"{whole}s"
