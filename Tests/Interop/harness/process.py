"""A program under test: started, listened to, ended, and its descendants counted."""

import os
import re
import signal
import subprocess
import sys
import threading
import uuid

from .deadline import PATIENCE, eventually

# The gateway hands only some of its environment to the servers that it starts; what begins with XDG_ is among it.
MARK = "XDG_INTEROP_MARK"


def marked(mark):
    """The processes that carry a mark in their environment, as `{pid: command}`."""
    found = {}
    if sys.platform == "darwin":
        listing = subprocess.run(["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True).stdout
        for line in listing.splitlines():
            if f"{MARK}={mark}" in line:
                pid, command = line.split(None, 1)
                found[int(pid)] = command
        return found
    needle = f"{MARK}={mark}".encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if needle not in file.read():
                    continue
            with open(f"/proc/{entry}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                found[int(entry)] = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


class Process:
    """A child whose standard error is collected line by line; standard output and input are pipes when asked for."""

    def __init__(self, command, environment=None, folder=None, pipes=False):
        self.mark = uuid.uuid4().hex
        self.lines = []
        self.news = threading.Condition()
        self.command = [str(part) for part in command]
        self.child = subprocess.Popen(
            self.command, cwd=folder, start_new_session=True,
            env={**os.environ, **(environment or {}), MARK: self.mark},
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stderr:
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    @property
    def stderr(self):
        return "\n".join(line for line in self.lines if line is not None)

    @property
    def pid(self):
        return self.child.pid

    @property
    def is_running(self):
        return self.child.poll() is None

    def wait_for(self, pattern, within=PATIENCE):
        """Waits for a line on standard error and returns the match."""
        seen = 0
        with self.news:
            while True:
                while seen < len(self.lines):
                    if self.lines[seen] is None:
                        raise AssertionError(f"{self.command} ended without saying {pattern!r}:\n{self.stderr}")
                    match = re.search(pattern, self.lines[seen])
                    if match:
                        return match
                    seen += 1
                if not self.news.wait(within):
                    raise AssertionError(f"{self.command} does not say {pattern!r}:\n{self.stderr}")

    def descendants(self):
        return {pid: command for pid, command in marked(self.mark).items() if pid != self.pid}

    def kill(self):
        """Ends it and all that it started, at once; for clearing up."""
        for pid in [self.pid, *self.descendants()] if self.is_running else self.descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.child.wait(PATIENCE)

    def stop(self, expected=0):
        """SIGTERM; asserts the exit status and that nothing is left behind."""
        try:
            if self.is_running:
                self.child.send_signal(signal.SIGTERM)
            status = self.child.wait(PATIENCE)
            assert status == expected, f"exit status {status}, expected {expected}:\n{self.stderr[-3000:]}"
            eventually(lambda: not self.descendants(), within=5, what=f"no child left, but: {self.descendants()}")
        finally:
            self.kill()
