"""A client by hand that can be asked: each message that it sends or receives is held against the schema of its revision."""

from . import schemas
from .answers import ANSWERS
from .wire import META, Wire, meta, request, standard_headers

# What the official suite's client declares.
CAPABILITIES = {"sampling": {}, "elicitation": {}, "roots": {"listChanged": True}}

class Answer:
    """The end of a request, what came before it, and the questions that a legacy server asked."""

    def __init__(self, reply, message, questions):
        self.status, self.headers, self.message = reply.status, reply.headers, message
        self.notifications, self.questions = reply.notifications, questions

    @property
    def result(self):
        assert "result" in self.message, self.message
        return self.message["result"]

    @property
    def error(self):
        assert "error" in self.message, self.message
        return self.message["error"]

    @property
    def asks(self):
        """`inputRequests`, where this is an `input_required` result."""
        return self.result.get("inputRequests") or {} if self.result.get("resultType") == "input_required" else {}


class Peer:
    """`capabilities`: what it declares; `answers`: method of a question to the result, or a function of the question."""

    def __init__(self, url, revision, capabilities=None, answers=None):
        self.wire = Wire(url, revision)
        self.revision = revision
        self.modern = revision == schemas.MODERN
        self.capabilities = CAPABILITIES if capabilities is None else capabilities
        self.answers = {**ANSWERS, **(answers or {})}
        self.last = 0
        self.opening = None
        if not self.modern:
            self.open()

    def open(self):
        message = request("initialize", {
            "protocolVersion": self.revision, "capabilities": self.capabilities, "clientInfo": {"name": "interop", "version": "1.0.0"}}, "open")
        schemas.check_sent(message, self.revision)
        reply = self.wire.post(message)
        self.opening = reply.result
        self.wire.session = reply.headers.get("mcp-session-id")
        self.notify("notifications/initialized")

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})}
        schemas.check_sent(message, self.revision)
        reply = self.wire.post(message)
        assert 200 <= reply.status < 300, reply.status

    def start(self, method, params=None, capabilities=None, valid=True, id=None, **more):
        """Sends a request and returns the reply as it is; `more` goes into `_meta`, `valid`: it shall pass the schema."""
        params = dict(params or {})
        self.last += 1
        if self.modern:
            params["_meta"] = meta(capabilities=self.capabilities if capabilities is None else capabilities, **more)
        elif more:
            params["_meta"] = more
        message = request(method, params, self.last if id is None else id)
        if valid:
            schemas.check_sent(message, self.revision)
        return self.wire.post(message, standard_headers(message) if self.modern else None)

    def ask(self, method, params=None, **how):
        """Sends a request and answers what is asked on its stream, until it ends."""
        reply = self.start(method, params, **how)
        questions = []
        if not reply.is_stream:
            return Answer(reply, reply.answer(), questions)
        while True:
            message = reply.next()
            assert message is not None, f"the stream ended after {reply.messages}"
            if "method" in message and "id" in message:
                questions.append(message)
                self.respond(message)
            elif "method" not in message:
                reply.close()
                return Answer(reply, message, questions)

    def answer(self, question):
        answer = self.answers[question["method"]]
        return answer(question) if callable(answer) else answer

    def respond(self, question):
        answer = self.answer(question)
        message = {"jsonrpc": "2.0", "id": question["id"], **({"error": answer} if "code" in answer else {"result": answer})}
        schemas.check_sent(message, self.revision, question["method"])
        reply = self.wire.post(message)
        assert reply.status == 202, (reply.status, reply.body)

    def call(self, name, arguments=None, **how):
        return self.ask("tools/call", {"name": name, "arguments": arguments or {}}, **how)

    def retry(self, before, method, params, answers=None, **how):
        """The request again, with answers to what the `input_required` result asked, and its state."""
        params = {**params, "inputResponses": {key: self.answer(question) for key, question in before.asks.items()} if answers is None else answers}
        if "requestState" in before.result:
            params["requestState"] = before.result["requestState"]
        return self.ask(method, params, **how)

    def finish(self, method, params=None, rounds=10, **how):
        """A request with all its rounds, in either era: the last answer, and all the questions as `{method, params}`."""
        answer = self.ask(method, params, **how)
        asked = [{"method": q["method"], "params": q.get("params", {})} for q in answer.questions]
        while answer.message.get("result", {}).get("resultType") == "input_required":
            rounds -= 1
            assert rounds, "the questions have no end"
            asked += [{"method": q["method"], "params": q.get("params", {})} for q in answer.asks.values()]
            answer = self.retry(answer, method, params or {}, **how)
        return answer, asked


def log_level(level):
    """For `_meta` of a modern request."""
    return {META + "logLevel": level}
