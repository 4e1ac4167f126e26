"""Asking the client in the middle of a request, in the way of either era, behind one verb: `await context.ask(questions)`.

A legacy server sends requests and waits. A modern one ends the request with `input_required` and is asked again from the start; what it
learned before is in `requestState`, which is signed because it comes back by way of the client.
"""

import asyncio
import base64
import hashlib
import hmac
import json

SECRET = b"known to this upstream only"


class ProtocolError(Exception):
    """A JSON-RPC error that the adapter sends as it is."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class ToolFailure(Exception):
    """Something that a tool says with `isError`."""


class InputRequired(Exception):
    """The modern way to ask; `result` is what the request ends with."""

    def __init__(self, questions, state):
        super().__init__("input required")
        self.result = {"resultType": "input_required", "inputRequests": questions, **({"requestState": state} if state else {})}


def needed(question):
    """The client capability that a question needs, as the era's capabilities object has it."""
    method, params = question["method"], question.get("params", {})
    if method == "elicitation/create":
        return {"elicitation": {"url": {}} if params.get("mode") == "url" else {}}
    if method == "sampling/createMessage":
        return {"sampling": {"tools": {}} if "tools" in params else {}}
    return {"roots": {}}


def offers(capabilities, wanted):
    for name, parts in wanted.items():
        if capabilities.get(name) is None or any(capabilities[name].get(part) is None for part in parts):
            return False
        # An empty elicitation capability means forms; one that names its modes means those.
        if name == "elicitation" and not parts and capabilities[name] and capabilities[name].get("form") is None:
            return False
    return True


def sealed(state):
    body = base64.urlsafe_b64encode(json.dumps(state).encode()).decode()
    return body + "." + hmac.new(SECRET, body.encode(), hashlib.sha256).hexdigest()


def opened(text):
    body, _, proof = text.partition(".")
    if not hmac.compare_digest(proof, hmac.new(SECRET, body.encode(), hashlib.sha256).hexdigest()):
        raise ProtocolError(-32602, "requestState is not one of ours")
    return json.loads(base64.urlsafe_b64decode(body))


class Rounds:
    """Mixed into both adapters' contexts. They have `modern`, `capabilities()`, `responses()`, `state()` and, for legacy, `send(question)`."""

    known = None

    def require(self, *questions):
        for question in questions:
            wanted = needed(question)
            if not offers(self.capabilities(), wanted):
                if self.modern:
                    raise ProtocolError(-32021, f"This needs the client to offer {', '.join(wanted)}", {"requiredCapabilities": wanted})
                raise ToolFailure(f"The client does not offer {', '.join(wanted)}")

    async def ask(self, questions, keeps_state=True):
        """`{key: question}` to `{key: answer}`; keys are not used twice in one request."""
        self.require(*questions.values())
        if not self.modern:
            answers = await asyncio.gather(*(self.send(question) for question in questions.values()))
            return dict(zip(questions, answers, strict=True))
        if self.known is None:
            self.known = opened(self.state()) if keeps_state and self.state() else {}
        # Answers count only with the state that they belong to, where there is one.
        responses = (self.responses() or {}) if self.state() or not keeps_state else {}
        if not set(questions) <= set(self.known):
            if not set(questions) <= set(responses):
                raise InputRequired(questions, sealed(self.known) if keeps_state else None)
            self.known |= {key: responses[key] for key in questions}
        return {key: self.known[key] for key in questions}
