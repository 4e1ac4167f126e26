"""Waiting for something that will happen, with an end to the patience."""

import threading
import time

PATIENCE = 15.0


def eventually(question, within=PATIENCE, what=None):
    """Asks until the answer is true, and returns it; an AssertionError counts as "not yet"."""
    end = time.monotonic() + within
    pause = threading.Event()
    while True:
        last = None
        try:
            answer = question()
            if answer:
                return answer
        except AssertionError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what or getattr(question, '__name__', question)}") from last
        pause.wait(0.01)
