"""As much of PromQL as the alerts and the dashboard use, read strictly and evaluated over a few scrapes.

It is no Prometheus: a rate is the rise between the first and the last scrape of its window, not extrapolated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
_TOKEN = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])|(?P<name>[a-zA-Z_:][\w:]*)|(?P<text>"[^"]*")'
    r"|(?P<window>\[\d+[smhd]\])|(?P<sign>=~|!~|!=|==|>=|<=|[(){},=<>/*+-]))"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OVER_TIME = ("rate", "increase", "deriv")
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": max,
    "min": min,
    "count": len,
}
_BINARY = (("or",), ("and",), (">", "<", "==", "!=", ">=", "<="), ("+", "-"), ("/", "*"))


class NotPromQL(ValueError):
    """The expression cannot be read; the text says where."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What a process told at one moment (seconds)."""

    at: float
    samples: Mapping[str, Vector]

    @classmethod
    def of(cls, at: float, told: str, **target: str) -> "Scrape":
        """Read an exposition; `target` are the labels that Prometheus adds (instance, job)."""
        samples: dict[str, Vector] = {"up": {frozenset(target.items()): 1.0}}
        for family in text_string_to_metric_families(told):
            for one in family.samples:
                samples.setdefault(one.name, {})[frozenset((one.labels | target).items())] = one.value
        return cls(at, samples)


@dataclass(frozen=True, slots=True)
class Node:
    """One step of an expression: what it does and on what."""

    kind: str
    name: str = ""
    parts: tuple["Node", ...] = ()
    labels: tuple[tuple[str, str, str], ...] = ()
    by: tuple[str, ...] = ()
    number: float = 0.0

    def names(self) -> set[str]:
        """Name every metric that is asked for."""
        own = {self.name} if self.kind == "metric" else set()
        return own.union(*(part.names() for part in self.parts))


def parse(text: str) -> Node:
    """Read an expression; raises NotPromQL."""
    reader = _Reader(text)
    node = reader.binary(0)
    if reader.tokens:
        raise NotPromQL(f"{text}: did not expect {reader.tokens[0][1]}")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place, text = 0, text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise NotPromQL(f"cannot read {text[place:]!r}")
            self.tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            place = found.end()

    def peek(self) -> str:
        return self.tokens[0][1] if self.tokens else ""

    def take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.peek() not in wanted):
            raise NotPromQL(f"expected {wanted or 'more'}, found {self.peek()!r}")
        return self.tokens.pop(0)[1]

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.one()
        left = self.binary(level + 1)
        while self.peek() in _BINARY[level]:
            sign = self.take()
            left = Node("binary", sign, (left, self.binary(level + 1)))
        return left

    def one(self) -> Node:
        kind = self.tokens[0][0] if self.tokens else ""
        if self.peek() == "(":
            self.take()
            inner = self.binary(0)
            self.take(")")
            return inner
        if kind == "number":
            return Node("number", number=float(self.take()))
        if kind != "name":
            raise NotPromQL(f"did not expect {self.peek()!r}")
        name = self.take()
        if name in _AGGREGATES:
            return self.aggregate(name)
        if name in (*_OVER_TIME, "absent", "histogram_quantile"):
            return Node("call", name, self.arguments())
        return self.metric(name)

    def aggregate(self, name: str) -> Node:
        by: list[str] = []
        if self.peek() == "by":
            self.take()
            self.take("(")
            by.append(self.take())
            while self.take(",", ")") == ",":
                by.append(self.take())
        return Node("aggregate", name, self.arguments(), by=tuple(by))

    def arguments(self) -> tuple[Node, ...]:
        self.take("(")
        found = [self.binary(0)]
        while self.take(",", ")") == ",":
            found.append(self.binary(0))
        return tuple(found)

    def metric(self, name: str) -> Node:
        labels, window = [], 0.0
        if self.peek() == "{":
            self.take()
            while True:
                labels.append((self.take(), self.take("=", "!=", "=~", "!~"), self.take().strip('"')))
                if self.take(",", "}") == "}":
                    break
        if self.tokens and self.tokens[0][0] == "window":
            text = self.take().strip("[]")
            window = float(text[:-1]) * _SECONDS[text[-1]]
        return Node("metric", name, labels=tuple(labels), number=window)


def evaluate(node: Node, scrapes: Sequence[Scrape]) -> Vector | float:
    """Evaluate an expression at the last of these scrapes."""
    if node.kind == "number":
        return node.number
    if node.kind == "metric":
        return _select(node, scrapes[-1])
    if node.kind == "aggregate":
        return _aggregate(node, _vector(node.parts[0], scrapes))
    if node.kind == "binary":
        return _binary(node.name, evaluate(node.parts[0], scrapes), evaluate(node.parts[1], scrapes))
    if node.name == "absent":
        return {} if _vector(node.parts[0], scrapes) else {frozenset(): 1.0}
    if node.name == "histogram_quantile":
        return _quantile(node.parts[0].number, _vector(node.parts[1], scrapes))
    return _over_time(node.name, node.parts[0], scrapes)


def _vector(node: Node, scrapes: Sequence[Scrape]) -> Vector:
    found = evaluate(node, scrapes)
    assert isinstance(found, dict)
    return found


def _select(node: Node, scrape: Scrape) -> Vector:
    def fits(labels: Labels) -> bool:
        has = dict(labels)
        tests = {
            "=": lambda value, wanted: value == wanted,
            "!=": lambda value, wanted: value != wanted,
            "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
            "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
        }
        return all(tests[sign](has.get(name, ""), wanted) for name, sign, wanted in node.labels)

    return {labels: value for labels, value in scrape.samples.get(node.name, {}).items() if fits(labels)}


def _over_time(name: str, metric: Node, scrapes: Sequence[Scrape]) -> Vector:
    within = [one for one in scrapes if one.at >= scrapes[-1].at - metric.number]
    first, last = _select(metric, within[0]), _select(metric, within[-1])
    seconds = within[-1].at - within[0].at
    if seconds <= 0:
        return {}
    rises = {labels: value - first[labels] for labels, value in last.items() if labels in first}
    return {labels: rise if name == "increase" else rise / seconds for labels, rise in rises.items()}


def _aggregate(node: Node, vector: Vector) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        kept = frozenset((name, text) for name, text in labels if name in node.by)
        groups.setdefault(kept, []).append(value)
    return {labels: float(_AGGREGATES[node.name](values)) for labels, values in groups.items()}


def _binary(sign: str, left: Vector | float, right: Vector | float) -> Vector | float:
    assert isinstance(left, dict)
    if sign == "or":
        assert isinstance(right, dict)
        return right | left
    pairs = {
        labels: (value, right if isinstance(right, float) else right[labels])
        for labels, value in left.items()
        if isinstance(right, float) or labels in right
    }
    if sign == "and":
        return {labels: value for labels, (value, _) in pairs.items()}
    if sign == "/":
        return {labels: value / other for labels, (value, other) in pairs.items() if other}
    compare: dict[str, Callable[[float, float], bool]] = {
        ">": lambda value, other: value > other,
        "<": lambda value, other: value < other,
        "==": lambda value, other: value == other,
    }
    return {labels: value for labels, (value, other) in pairs.items() if compare[sign](value, other)}


def _quantile(part: float, buckets: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        end = float(dict(labels)["le"])
        groups.setdefault(frozenset(one for one in labels if one[0] != "le"), []).append((end, count))
    found: Vector = {}
    for labels, counts in groups.items():
        counts.sort()
        total = counts[-1][1]
        if total > 0:
            found[labels] = next(end for end, count in counts if count >= part * total)
    return found
