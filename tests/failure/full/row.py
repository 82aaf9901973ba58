"""One line of the table: a fault on a transport, what was asked meanwhile, and what the auditor found."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_LOST = ("I1", "I10")
_DOUBLED = ("I3", "I8")
_INVERTED = ("I4",)
_OVERLAPPING = ("I5",)
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


@dataclass(kw_only=True)
class Row:
    """What happened under one fault; times in seconds, `availability` of ingest while the fault lasted."""

    transport: str
    fault: str
    injected: int
    seconds: float = 0.0
    operations: int = 0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    unanswered: int = 0
    absorbed: int = 0
    backlog: int = 0
    recoveries: list[float] = field(default_factory=list)
    availability: float = 1.0
    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def found(self, *invariants: str) -> int:
        """Count the findings of some invariants."""
        return sum(finding.partition(":")[0] in invariants for finding in self.findings)

    @property
    def others(self) -> int:
        """Count the findings that have no column of their own."""
        return len(self.findings) - self.found(*_LOST, *_DOUBLED, *_INVERTED, *_OVERLAPPING)

    def quantile(self, share: float) -> float:
        """Give a quantile of the recoveries; 0 where there are none."""
        ordered = sorted(self.recoveries)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0

    def cells(self) -> Sequence[str]:
        """Write the line's cells."""
        return (
            self.transport,
            self.fault,
            *(f"{number:,}" for number in (self.injected, self.operations, self.acknowledged, self.failed)),
            f"{self.unknown:,} ({self.unanswered:,})",
            *(str(self.found(*kinds)) for kinds in (_LOST, _DOUBLED, _INVERTED, _OVERLAPPING)),
            str(self.others),
            f"{self.absorbed:,}",
            f"{self.backlog:,}",
            f"{self.quantile(0.5):.1f} / {self.quantile(0.99):.1f}",
            f"{self.availability:.1%}",
            f"{self.seconds:.0f}",
        )


HEADER = (
    "transport",
    "fault",
    "injected",
    "operations",
    "acknowledged",
    "failed",
    "unknown (askings without an answer)",
    "acknowledged lost",
    "duplicate effects",
    "order inversions",
    "double bookings",
    "other findings",
    "duplicates absorbed",
    "max backlog",
    "recovery p50 / p99 (s)",
    "ingest available",
    "seconds",
)


def table(rows: Iterable[Row]) -> str:
    """Write the rows as a Markdown table, their remarks below it."""
    rows = list(rows)
    lines = [HEADER, tuple("---" for _ in HEADER), *(row.cells() for row in rows)]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    remarks = [f"- {row.transport}, {row.fault}: {remark}" for row in rows for remark in row.remarks]
    return "\n".join((text, "", *remarks)) if remarks else text


def kinds(findings: Iterable[str]) -> str:
    """Count findings by invariant, for one line on the terminal."""
    found = Counter(finding.partition(":")[0] for finding in findings)
    return ", ".join(f"{name}: {times}" for name, times in sorted(found.items())) or "no findings"
