"""Codes of services: against each other and against the whole configuration."""

from __future__ import annotations

from clusterf.config.explanations.explanation import Explanation
from clusterf.model.problem import Code

_WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.10", tcp = 80 }\n'
_SERVED = _WEB + 'backends = ["198.51.100.1:80"]\n'
_ROUTES = '[[policies]]\ntype = "routes"\n\n'

EXPLANATIONS = (
    Explanation(
        code=Code.NO_SOURCE,
        what="There is no source, and no service in clusterf.toml either.",
        why="The table would be empty, and every entry below `managed` would leave the kernel.",
        example='[clusterf]\nmanaged = ["192.0.2.0/24"]\n\n[outputs.kernel]\ntype = "ipvs"\n',
        whole=True,
        remedy="Add `[sources.NAME]` or `[services.NAME]`. A source with `enabled = false` does"
        " not count.",
    ),
    Explanation(
        code=Code.NO_OUTPUT,
        what="There is no output.",
        why="clusterf would follow its sources and change nothing anywhere.",
        example='[clusterf]\nmanaged = ["192.0.2.0/24"]\n\n' + _SERVED,
        whole=True,
        remedy='Add `[outputs.NAME]`, such as one of type "ipvs".',
    ),
    Explanation(
        code=Code.NOTHING_MANAGED,
        what="`managed` is empty and there are no `managed_fwmarks`.",
        why="clusterf touches only what it owns, so it will touch nothing. On a host that only"
        " publishes to etcd this is as it should be, and is not told.",
        example='[clusterf]\nmanaged = []\n\n[sources.local-docker]\ntype = "docker"\n',
        remedy="Name the prefixes of the VIPs.",
    ),
    Explanation(
        code=Code.OUTSIDE_MANAGED,
        what="A frontend asks for a VIP or a firewall mark that clusterf does not own.",
        why="Whatever is outside of `managed` belongs to others. The entry is refused at run time.",
        example='[services.web]\nfrontend = { ipv4 = "203.0.113.10", tcp = 80 }\n',
        remedy="Correct the address, or add its prefix to `managed` in `[clusterf]`.",
    ),
    Explanation(
        code=Code.DUPLICATE_VIP,
        what="Two services ask for the same VIP, protocol and port.",
        why="One entry of the table has one service. The one that comes first in the configuration"
        " keeps it, the other is refused.",
        example=_SERVED + '\n[services.api]\nfrontend = { ipv4 = "192.0.2.10", tcp = 80 }\n',
        remedy="Give one of them another port or VIP. The hint names the line of the first.",
    ),
    Explanation(
        code=Code.FLAG_WITHOUT_SCHEDULER,
        what="A flag is of another scheduler than the one that is used, or has no effect.",
        why="The kernel would take the bit and do something else, or nothing. A service without a"
        " scheduler has that of `[defaults]`. `ops` is for UDP; it is no more than a warning.",
        example=_SERVED + 'flags = ["mh-port"]\n',
        remedy="Choose the scheduler that the flag belongs to, or remove the flag.",
    ),
    Explanation(
        code=Code.FAMILY_MISMATCH,
        what="A backend, or the gateway of a route, is of another address family than the VIP.",
        why="With masq and droute a packet keeps its family; only a tunnel can carry one in the"
        " other.",
        example=_WEB + 'backends = ["[2001:db8:2::1]:80"]\n',
        remedy='Give the backend an address of that family, or set `method = "tunnel"`.',
    ),
    Explanation(
        code=Code.PORT_REWRITE,
        what="A backend that is reached by droute or tunnel has another port than the frontend.",
        why="Only masq changes packets. The kernel takes such an entry, and it never works.",
        example=_WEB + 'method = "droute"\nbackends = ["198.51.100.1:8080"]\n',
        remedy='Let the backend listen on the frontend\'s port, or set `method = "masq"`. While a'
        " source that has not spoken may bring a route that says so, this is a note.",
    ),
    Explanation(
        code=Code.PORT_ZERO,
        what="A frontend has port 0, which means all ports, without persistence.",
        why="IPVS takes it only with persistence, so that the connections of one client stay"
        " together (FTP).",
        example='[services.web]\nfrontend = { ipv4 = "192.0.2.10", tcp = 0 }\n',
        remedy='Name the port, or set `persistence = "5m"`.',
    ),
    Explanation(
        code=Code.THRESHOLDS,
        what="The lower threshold is above the upper one.",
        why="A destination that is full would never get connections again. What a service or a"
        " backend leaves open comes from `[defaults]`. The kernel refuses it.",
        example=_WEB + "upper_threshold = 10\nlower_threshold = 20\n",
        remedy="Exchange the two, or set both at the same place.",
    ),
    Explanation(
        code=Code.DUPLICATE_SERVICE,
        what="One service is in two files of one source.",
        why="The file whose name comes first counts, the other is passed over as a whole.",
        example='[sources.files]\ntype = "static"\npath = "services.d"\n',
        files={"services.d/a.toml": _SERVED, "services.d/b.toml": _SERVED},
        remedy="Write it once, rename one, or make two sources of it: those are merged.",
    ),
    Explanation(
        code=Code.NO_FRONTEND,
        what="No source gives a service a frontend.",
        why="Clients cannot reach it. Told only where all sources are files: any other may bring a"
        " frontend.",
        example='[services.web]\nbackends = ["198.51.100.1:80"]\n',
        remedy='Add one, such as `frontend = { ipv4 = "192.0.2.10", tcp = 80 }`.',
    ),
    Explanation(
        code=Code.UNUSED_BACKEND,
        what="A backend that would never get a packet.",
        why="It has no port of a protocol that a frontend offers. Or it is reached by masq at a"
        " loopback address, to which the kernel rewrites nothing that comes from elsewhere (a"
        " warning: clients on this host get there).",
        example=_WEB + 'backends = [{ address = "198.51.100.1", udp = 53 }]\n',
        remedy="Give it a port of that protocol; `port` is of every protocol. Instead of 127.0.0.1"
        " name an address of this host that others reach.",
    ),
    Explanation(
        code=Code.UNUSED_ROUTES,
        what="There are routes, and no policy of type routes.",
        why="Routes are facts; it is the policy that makes backends follow them.",
        example=_SERVED + '\n[routes.rack-7]\nprefix = "198.51.100.0/24"\nmethod = "droute"\n',
        remedy='Add `[[policies]]` with `type = "routes"`.',
    ),
    Explanation(
        code=Code.CONFLICT,
        what="Two sources say different things of one service or backend.",
        why="The source that comes first in the configuration counts; a later one only fills what"
        " is left open.",
        example=_SERVED
        + 'scheduler = "rr"\n\n[sources.more]\ntype = "static"\n\n'
        + '[sources.more.services.web]\nscheduler = "lc"\n',
        remedy="Say it once, or put the source that shall count first.",
    ),
    Explanation(
        code=Code.METHOD_CONFLICT,
        what="Two backends of one service are the same destination, by different methods.",
        why="The kernel knows a destination by address and port. Their weights add up, and the"
        " first one's method counts.",
        example=_WEB
        + 'backends = [\n  "198.51.100.1:80",\n'
        + '  { id = "b", address = "198.51.100.1", port = 80, method = "droute" },\n]\n',
        remedy="Give both the same method, or remove one.",
    ),
    Explanation(
        code=Code.LEFT_OUT,
        what="A policy leaves out a backend or a service.",
        why="It is what the policy is for, so this is a note and never a failure; but a backend"
        " that stands in a file and never gets a packet is easily overlooked. A route without a"
        " method, for one, leaves out all that it matches.",
        example=_ROUTES
        + _WEB
        + 'backends = ["198.51.100.1:80", "203.0.113.1:80"]\n\n'
        + '[routes.elsewhere]\nprefix = "203.0.113.0/24"\n',
        remedy="Nothing if it is meant. Else correct the route or the policy that is named.",
    ),
    Explanation(
        code=Code.NO_DESTINATION,
        what="An entry of the table gets no destination.",
        why="Its clients are refused. The service has no backends; or its VIP has both address"
        " families and the backends only one; or a route leaves out all there are. Told only where"
        " all sources are files.",
        example="[services.web]\n"
        'frontend = { ipv4 = "192.0.2.10", ipv6 = "2001:db8::10", tcp = 80 }\n'
        'backends = ["198.51.100.1:80"]\n',
        remedy="Give it a backend that fits. With `elide = true` such an entry is left out of the"
        " kernel, and nothing is told.",
    ),
    Explanation(
        code=Code.ALL_MANAGED,
        what="`managed` has a prefix of the length 0: every address there is.",
        why="What is managed and in no source is removed. Whatever others have put into the"
        " kernel, by hand, by keepalived or by Docker Swarm, would go.",
        example='[clusterf]\nmanaged = ["0.0.0.0/0"]\n',
        remedy="Name the prefixes of the VIPs, however many.",
    ),
    Explanation(
        code=Code.OWN_BACKENDS,
        what="Backends of this host would be taken for those of another one.",
        why="They would be left out, or packets for them sent to this host itself. A policy of type"
        " local goes by the source that a backend is of, and of two sources that know it the first"
        " counts; policies are applied in the order of the file; a docker source publishes its"
        " routes on this host's own board too.",
        example='[sources.cluster]\ntype = "etcd"\n\n[sources.engine]\ntype = "docker"\n\n'
        '[[policies]]\ntype = "local"\nsources = ["engine"]\n',
        remedy="Sources of this host stand before etcd, and a policy of type local behind one of"
        " type routes. One of type routes that shall not see own routes says `sources = []`.",
    ),
)
