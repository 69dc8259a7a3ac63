"""Bootstrap: packages of Debian's archive, without touching the system.

A private apt configuration is made from the machine's own sources, so that the same mirror
and the same keys serve; apt checks every signature and every hash.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .cache import cached, complete_folder, fingerprint, lock, write_whole
from .console import Problem, step

ETC = Path("/etc/apt")


# Sources ----------------------------------------------------------------------------------


def codename():
    """Return the code name of the machine's Debian, e.g. ``bookworm``; empty elsewhere."""
    lines = Path("/etc/os-release").read_text().splitlines()
    release = dict(line.split("=", 1) for line in lines if "=" in line)
    if release.get("ID") != "debian":
        return ""
    return release.get("VERSION_CODENAME", "").strip('"')


def machine_sources():
    """Return every binary package source of the machine as a dictionary of deb822 fields."""
    sources = []
    for path in [ETC / "sources.list", *sorted(ETC.glob("sources.list.d/*"))]:
        if path.is_file():
            read = {".sources": _read_deb822, ".list": _read_one_line}.get(path.suffix)
            sources += read(path.read_text()) if read else []
    return sources


def _read_one_line(text):
    """Read ``deb [options] uri suite component ...`` lines."""
    return [_parse_line(line) for line in text.splitlines() if line.split()[:1] == ["deb"]]


def _parse_line(line):
    words = line.split("#")[0].split()[1:]
    source = {}
    if words[0].startswith("["):
        options, _, rest = " ".join(words)[1:].partition("]")
        words = rest.split()
        pairs = (option.split("=", 1) for option in options.split() if "=" in option)
        source = {key.title(): value.replace(",", " ") for key, value in pairs}
    uri, suite, *components = words
    return {**source, "URIs": uri, "Suites": suite, "Components": " ".join(components)}


def _read_deb822(text):
    """Read paragraphs of ``Field: value``; a continuation line belongs to the field above."""
    sources, source, field = [], {}, None
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            sources.append(source)
            source = {}
        elif line[0].isspace():
            source[field] += f"\n{line}"
        else:
            field, value = line.split(":", 1)
            source[field] = value.strip()
    return [source for source in sources if "deb" in source.get("Types", "").split()]


def debian_sources(suite=None):
    """Return the sources of Debian itself, with another suite in place of the machine's.

    Without ``suite`` they are the machine's own, security updates included. Third-party
    sources are recognised by their suite or component and left out.
    """
    own = codename()
    chosen = []
    for source in machine_sources():
        suites = source["Suites"].split()
        ours = [name for name in suites if name.split("-")[0] in (own, "stable")]
        if "main" not in source.get("Components", "").split() or not ours or not own:
            continue
        if suite is None:
            chosen.append({**source, "Suites": " ".join(ours)})
        elif own in ours or "stable" in ours:
            chosen.append({**source, "Suites": suite})
    return [{**source, "Types": "deb", "Components": "main"} for source in chosen]


# A private apt ----------------------------------------------------------------------------


class PrivateApt:
    """An apt that reads the machine's keys and nothing else, and writes to the cache only."""

    def __init__(self, suite=None):
        sources = debian_sources(suite)
        if not sources or not shutil.which("apt-get"):
            raise Problem("This is no Debian with a Debian source in /etc/apt.")
        self.home = cached("apt", suite or codename())
        for folder in ("lists/partial", "empty"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        write_whole(self.home / "debian.sources", "\n\n".join(map(_format_source, sources)) + "\n")
        self.config = write_whole(self.home / "apt.conf", self._configuration())

    def _configuration(self):
        options = {
            "Dir::Etc::sourcelist": self.home / "debian.sources",
            "Dir::Etc::sourceparts": self.home / "empty",
            "Dir::State::lists": self.home / "lists",
            "Dir::Cache": self.home,
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            # A mirror frozen at a date serves an index that is signed, but past its term.
            "Acquire::Check-Valid-Until": "false",
            "Debug::NoLocking": "true",
        }
        return "".join(f'{name} "{value}";\n' for name, value in options.items())

    def fetch(self, packages, dependencies=False):
        """Download packages, with ``dependencies`` also what the machine lacks for them."""
        archives = self.home / "archives" / fingerprint(*packages, dependencies)
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        with lock(f"apt-{self.home.name}"):
            self._call(archives, "update")
            if dependencies:
                self._call(archives, "install", "--yes", "--download-only", *packages)
            else:
                self._call(archives, "download", *packages)
        return sorted(archives.glob("*.deb"))

    def _call(self, archives, *arguments):
        command = ["apt-get", "--quiet=2", f"--config-file={self.config}"]
        command += [f"--option=Dir::Cache::archives={archives}", *arguments]
        result = subprocess.run(command, cwd=archives, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Problem(f"`{' '.join(command)}` failed:\n{result.stderr or result.stdout}")


def _format_source(source):
    return "\n".join(f"{field}: {value}" for field, value in source.items())


def unpack(archives, folder):
    """Unpack packages over each other into ``folder``."""
    for archive in archives:
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(folder)], check=True)


def unpacked(name, packages, hint, dependencies=False):
    """Return a cached folder holding the packages of the machine's own suite, unpacked."""
    home = cached("debian", f"{name}-{codename()}-{fingerprint(*packages)}")
    with lock(home.name):
        if not home.exists():
            _fetch_and_unpack(home, packages, hint, dependencies)
    return home


def _fetch_and_unpack(home, packages, hint, dependencies):
    with step(f"Debian packages: {' '.join(packages)}"), complete_folder(home) as folder:
        try:
            unpack(PrivateApt().fetch(packages, dependencies), folder)
        except Problem as problem:
            raise Problem(f"{problem}\nAs root this gives it too: {hint}") from problem


# The system itself ------------------------------------------------------------------------


def install(packages):
    """Install packages on the machine; only root can."""
    words = " ".join(packages)
    if os.getuid() or not shutil.which("apt-get"):
        raise Problem(f"Missing: {words}. As root: apt-get install {words}")
    with step(f"apt-get install {words}"):
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *packages)


def _apt_get(*arguments):
    command = ["apt-get", "--quiet=2", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Problem(f"`{' '.join(command)}` failed:\n{result.stderr}")
