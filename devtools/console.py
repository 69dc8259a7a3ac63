"""Bootstrap: say what is going on, and what to do when it goes wrong."""

import contextlib
import sys
import threading
import time

HEARTBEAT_SECONDS = 10


class Problem(Exception):
    """A failure the person at the terminal can act on; shown without a traceback."""


def say(text=""):
    """Print one line at once, also when the output is a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(label):
    """Show that a long step has begun, that it still runs, and how long it took."""
    started = time.monotonic()
    done = threading.Event()
    say(f"… {label}")
    threading.Thread(target=_heartbeat, args=(label, started, done), daemon=True).start()
    try:
        yield
    except BaseException:
        say(f"✗ {label} ({_elapsed(started)})")
        raise
    finally:
        done.set()
    say(f"✓ {label} ({_elapsed(started)})")


def _heartbeat(label, started, done):
    while not done.wait(HEARTBEAT_SECONDS):
        say(f"  {label}: {_elapsed(started)}")


def _elapsed(started):
    return f"{time.monotonic() - started:.0f} s"


def warn(text):
    """Print one line to the error stream."""
    print(text, file=sys.stderr, flush=True)
