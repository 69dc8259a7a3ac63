"""Bootstrap: build the Python environment once, then hand over to the command inside it."""

import importlib
import os
import signal

from . import python_env
from .cache import ROOT
from .console import Problem, say, warn

COMMANDS = {
    "run": "install what is missing, start Odoo with demo data and a demo carrier",
    "stop": "stop what `./dev run` started",
    "test": "[addon ...] [-k words] run every test, or those of some addons; --core: Odoo's own",
    "lint": "[--fix] check the style of everything; --fix formats first",
    "bench": "[name] measure; one script in bench/ each",
    "shell": "a Python prompt with `env` on the demo database",
    "psql": "a SQL prompt on the demo database",
    "screenshots": "take the pictures of docs/screenshots.py",
    "matrix": "write the table of providers in README.md from the adapters",
    "i18n": "export the terms and update the translations",
}


def main(arguments):
    """Run one command; return the exit status."""
    os.umask(0o022)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return show_commands()
    if arguments[0] not in COMMANDS:
        warn(f"There is no command {arguments[0]!r}.")
        return show_commands() or 2
    try:
        python_env.enter([str(ROOT / "dev"), *arguments])
        command = importlib.import_module(f".commands.{arguments[0]}", __package__)
        return command.main(arguments[1:]) or 0
    except Problem as problem:
        warn(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        warn("\nInterrupted; the same command goes on from here.")
        return 130


def show_commands():
    """Print the list of commands; return success."""
    say("Usage: ./dev <command>; each takes --help\n")
    for name, purpose in COMMANDS.items():
        say(f"  {name:<12} {purpose}")
    return 0
