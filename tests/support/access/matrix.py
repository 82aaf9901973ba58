"""The cells of one moment: every party at every route of the four apps with every kind of row."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from services.referral.fhir.submission import ACCEPTED_TYPES
from tests.support.access.cells import READS, Cell, Route, routes
from tests.support.access.decisions import ACTS, PARAMETERS, PARTIES, REFERS_TO, Decisions
from tests.support.access.stored import Stored
from tests.support.access.world import World

TAKEN = (200, 201, 400, 409, 412, 422, 428)
# A stream has no end; it is read by itself.
FEED = "notifications GET /feed"
# What is asked here about a patient is decided by the teams of the patient.
BY_TEAM = "careteam GET /fhir/Patient/{id}/$summary"
ENCLOSED = {*ACCEPTED_TYPES, "Composition"} - {"Patient", "ServiceRequest"}
_STAND_FOR = {"Communication", "Condition", "Provenance", "Coverage"}


def _body(route: Route, target: Stored, *, full: bool) -> dict[str, Any]:
    """Send what would do, where nothing may be done; what changes nothing, where something may."""
    if route.method == "PUT":
        return target.body
    about = {"name": "case", "valueReference": {"reference": f"Task/{uuid4()}"}}
    said = [{"name": name, "valueString": "Because"} for name in ("reason", "decision", "text")]
    into = {"name": "into", "valueReference": {"reference": f"ServiceRequest/{uuid4()}"}}
    has = PARAMETERS.get(route.name, set())
    given = [parameter for parameter in (about, *said, into) if parameter["name"] in has]
    return {"resourceType": "Parameters"} | ({"parameter": given} if full and given else {})


def _refers(one: Stored, other: Stored) -> bool:
    """Tell whether a resource refers to another of its service."""
    if other.type == "Patient":
        return one.patient == other.id
    return any(one.names(f"'{other.type}/{other.id}{end}") for end in ("'", "/"))


def _targets(include: str) -> set[str]:
    """Name the types that an include refers to."""
    return REFERS_TO[include.partition(":")[2]]


class Matrix:
    """The cells of one moment."""

    def __init__(self, world: World, decisions: Decisions) -> None:
        self.world = world
        self.right = decisions
        self.routes = [route for route in routes(world) if route.name != FEED]

    def cells(self, *parties: str) -> Iterator[Cell]:
        """Give every cell of these parties."""
        for party in parties:
            for route in self.routes:
                if self._of_its_own(party, route):
                    yield from self._of(party, route)

    def _of_its_own(self, party: str, route: Route) -> bool:
        """Ask what depends on the scopes alone, which parties of a kind share, by one party of the kind."""
        if list(PARTIES.values()).index(PARTIES[party]) == list(PARTIES).index(party):
            return True
        once = route.path.endswith("/_search") or not self._examples(route)
        return not once and (self.right.reads(party, route.type) or self.right.acts(party, route.name))

    def _of(self, party: str, route: Route) -> Iterator[Cell]:
        tail = route.path.removeprefix(f"/fhir/{route.type}").replace("/{id}", "", 1)
        one = f"/fhir/{route.type}/{{id}}" in route.path
        if route.name not in ACTS and not one and tail in ("", "/_search"):
            yield from self._searches(party, route)
        elif route.name not in ACTS and one and tail in READS and route.method in ("GET", "HEAD"):
            yield from self._reads(party, route)
        else:
            yield from self._does(party, route, one=one)

    def _searches(self, party: str, route: Route) -> Iterator[Cell]:
        path, params = route.at(), getattr(route.endpoint, "search_params", None)
        if not self.right.reads(party, route.type):
            yield self._cell(party, route, path, (403,))
        elif params is None or route.type == "AuditEvent":
            yield self._cell(party, route, path, (200,))
        else:
            rows = self.right.rows(party, route.service, route.type)
            asked: list[tuple[dict[str, str], list[Stored]]] = [({}, rows)]
            there = self._few(party, route) if route.method == "GET" else []
            asked += [({"_id": one.id}, [one] if one in rows else []) for one in there]
            if "patient" in params and there:
                asked += [
                    ({"patient": f"Patient/{patient}"}, [one for one in rows if one.patient == patient])
                    for patient in sorted({*self.world.patients.values()})
                ]
            for query, found in asked:
                yield self._search(party, route, query, found)
            includes = getattr(route.endpoint, "search_includes", ()) if route.method == "GET" else ()
            for include in includes:
                found = self._referred(party, route.service, include, rows)
                yield self._search(party, route, {"_include": include}, rows + found)
            for include in self._references_to(route) if route.method == "GET" else ():
                found = self._referring(party, route, include, rows)
                yield self._search(party, route, {"_revinclude": include}, rows + found)

    def _search(self, party: str, route: Route, query: dict[str, str], found: list[Stored]) -> Cell:
        ids = {f"{one.type}/{one.id}" for one in found}
        words = query | {"_count": "200"}
        if route.method == "POST":
            return Cell(party=party, method="POST", path=route.at(), statuses=(200,), form=words, ids=ids)
        path = f"{route.at()}?{'&'.join(f'{name}={value}' for name, value in words.items())}"
        patient = query.get("patient", "").rpartition("/")[2] or None
        return Cell(party=party, method="GET", path=path, statuses=(200,), ids=ids, patient=patient)

    def _referred(self, party: str, service: str, include: str, rows: list[Stored]) -> list[Stored]:
        """Name what a party may see of what rows refer to."""
        kinds = [kind for kind in _targets(include) if self.right.reads(party, kind)]
        there = [one for kind in kinds for one in self.right.rows(party, service, kind)]
        return [one for one in there if any(_refers(row, one) for row in rows)]

    def _references_to(self, route: Route) -> list[str]:
        """Name the references to a type; of what a referral encloses, one type stands for all."""
        named = {
            include
            for other in self.routes
            if other.service == route.service and (other.type not in ENCLOSED or other.type in _STAND_FOR)
            for include in getattr(other.endpoint, "search_includes", ())
        }
        return sorted(name for name in named if route.type in _targets(name))

    def _referring(self, party: str, route: Route, include: str, rows: list[Stored]) -> list[Stored]:
        """Name what a party may see of what refers to rows."""
        kind = include.partition(":")[0]
        there = self.right.rows(party, route.service, kind) if self.right.reads(party, kind) else []
        return [one for one in there if any(_refers(one, row) for row in rows)]

    def _reads(self, party: str, route: Route) -> Iterator[Cell]:
        if not self.right.reads(party, route.type):
            yield self._cell(party, route, route.at(id=uuid4(), version=1), (403,))
            return
        for one in self._few(party, route):
            there = self.right.may_see(party, one)
            path, nobody = (route.at(id=key, version=1) for key in (one.id, uuid4()))
            twin = None if there else self._cell(party, route, nobody, (404,))
            patient = one.id if one.type == "Patient" else one.patient
            yield Cell(
                party=party,
                method=route.method,
                path=path,
                statuses=(200,) if there else (404,),
                twin=twin,
                patient=patient if there else None,
            )

    def _does(self, party: str, route: Route, *, one: bool) -> Iterator[Cell]:
        if not self.right.acts(party, route.name):
            yield self._cell(party, route, route.at(id=uuid4()), (403,))
        elif one:
            for target in self._examples(route):
                there = self.right.may_see(party, target)
                body = _body(route, target, full=not there)
                nobody = str(uuid4())
                other = body | {"id": nobody} if "id" in body else body
                named = target.patient if route.name == BY_TEAM else target.id
                path, elsewhere = route.at(id=named), route.at(id=nobody)
                twin = Cell(party=party, method=route.method, path=elsewhere, statuses=(404,), body=other)
                yield Cell(
                    party=party,
                    method=route.method,
                    path=path,
                    statuses=(*TAKEN, 403) if there else (404,),
                    body=body,
                    twin=None if there else twin,
                    patient=target.patient if there and route.name == BY_TEAM else None,
                )
        else:
            yield from self._creates(party, route)

    def _creates(self, party: str, route: Route) -> Iterator[Cell]:
        # A key under which nothing is held, or a link that nobody made, is not there.
        of_none = "{key:path}" in route.path or "/calendar-links/{id}" in route.path
        statuses = (404,) if of_none else (200, 201, 400, 422)
        yield self._cell(party, route, route.at(), statuses)

    def _examples(self, route: Route) -> list[Stored]:
        """Give one resource for each way in which the parties' decisions differ."""
        wanted = "CareTeam" if route.name == BY_TEAM else route.type
        of_type = [one for one in self.right.stored if (one.service, one.type) == (route.service, wanted)]
        return list(
            {tuple(self.right.may_see(party, one) for party in PARTIES): one for one in of_type}.values()
        )

    def _few(self, party: str, route: Route) -> list[Stored]:
        """Give one resource that a party may see and two that it may not; the search holds all the others."""
        there = self._examples(route)
        mine = [one for one in there if self.right.may_see(party, one)]
        others = [one for one in there if one not in mine]
        return [*mine[:1], *others[:1], *others[1:][-1:]]

    def _cell(self, party: str, route: Route, path: str, statuses: tuple[int, ...]) -> Cell:
        body = None if route.method in ("GET", "HEAD") else {"resourceType": "Parameters"}
        form = None if route.method in ("GET", "HEAD") or not path.endswith("_search") else {"_count": "1"}
        return Cell(
            party=party,
            method=route.method,
            path=path,
            statuses=statuses,
            body=None if form else body,
            form=form,
        )
