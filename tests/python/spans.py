"""What a collector passes on: reads OTLP/HTTP with OpenTelemetry's compiled messages, prints its port, then a line for each span."""
import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def plain(value):
    kind = value.WhichOneof("value")
    held = getattr(value, kind)
    return [plain(item) for item in held.values] if kind == "array_value" else held


def pairs(attributes):
    return {pair.key: plain(pair.value) for pair in attributes}


class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            for scope in group.scope_spans:
                for span in scope.spans:
                    print(json.dumps({
                        "resource": pairs(group.resource.attributes), "scope": scope.scope.name, "schema": scope.schema_url,
                        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(), "state": span.trace_state,
                        "flags": span.flags, "name": span.name, "kind": span.kind, "status": span.status.code,
                        "start": span.start_time_unix_nano // 1_000_000, "end": span.end_time_unix_nano // 1_000_000,
                        "attributes": pairs(span.attributes),
                        "events": {event.name: event.time_unix_nano // 1_000_000 for event in span.events},
                    }), flush=True)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
