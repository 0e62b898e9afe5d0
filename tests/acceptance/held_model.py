"""An OpenAI-compatible server that answers only when a test lets it, to stop a run in mid-call."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERS: dict[str, Any] = {
    "Classification": {
        "intents": ["billing"],
        "questions": [],
        "urgency": "normal",
        "anger": 0.1,
        "language": "en",
        "wants_human": False,
        "confidence": 0.9,
        "nothing_asked": False,
    },
    "Proposal": {
        "refunds": [
            {
                "payment_id": "pay_1002",
                "amount_minor": 4900,
                "reason": "duplicate",
                "wish": "please refund one of them",
            }
        ],
        "cancellations": [],
        "candidates": [],
        "unsure": False,
    },
    # Code says what was done.
    "Reply": {"claims": [], "unanswered": []},
}


class HeldModel:
    """`hold` the calls of one question; `arrived` tells when one waits; `release` lets all go."""

    def __init__(self) -> None:
        self.held: str | None = None
        self.arrived = threading.Event()
        self.released = threading.Event()
        self.calls: list[str] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                model.answer(self, json.loads(self.rfile.read(size)))

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        """The settings that bring the service here."""
        return {
            "DESKGRAPH_OPENAI_API_KEY": "test",
            "DESKGRAPH_OPENAI_BASE_URL": f"http://127.0.0.1:{self.server.server_port}/v1",
        }

    def hold(self, question: str) -> None:
        """From now on, calls with this schema wait."""
        self.held = question
        self.arrived.clear()
        self.released.clear()

    def release(self) -> None:
        """Answer what waits, and everything after it."""
        self.held = None
        self.released.set()

    def answer(self, request: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer one call, late if its question is held."""
        question = body["response_format"]["json_schema"]["name"]
        self.calls.append(question)
        if question == self.held:
            self.arrived.set()
            self.released.wait(60)
        content = json.dumps(ANSWERS[question])
        payload = json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": content},
                    }
                ],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
        ).encode()
        try:
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(payload)))
            request.end_headers()
            request.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            self.calls.append(f"{question} gave up")

    def close(self) -> None:
        """Stop serving."""
        self.release()
        self.server.shutdown()
        self.server.server_close()
