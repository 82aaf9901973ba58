"""A collector that takes traces by OTLP over HTTP on a free port, and can be told to refuse."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What arrived, decoded; `status` is what the next ones are answered."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.asked = 0
        self.raw: list[bytes] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.paths: set[str] = set()

    def take(self, path: str, body: bytes) -> None:
        """Keep what was sent, if it is not to be refused."""
        self.asked += 1
        if self.status != 200:
            return
        self.raw.append(body)
        self.paths.add(path)
        if path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))

    def spans(self) -> list[Any]:
        """Give every span that arrived."""
        return [
            span
            for sent in self.traces
            for resource in sent.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def senders(self) -> list[dict[str, str]]:
        """Give the attributes of every resource that sent anything."""
        sent = [one.resource for request in self.traces for one in request.resource_spans]
        return [{pair.key: pair.value.string_value for pair in one.attributes} for one in sent]


@contextmanager
def open_collector() -> Iterator[Collector]:
    """Run a collector for the length of the block."""
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        serving.join(10)
