"""The repository as a whole: what is said in several places is the same everywhere."""

import re

import pytest

from devtools import addons
from devtools.cache import ROOT

FOREIGN = {"queue_job"}
ADDONS = addons.all_addons()


@pytest.mark.parametrize("name", ADDONS)
def test_an_addon_introduces_itself(name):
    """A newcomer finds it in the table of README.md, with a text and a picture of its own."""
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()
    assert (ROOT / name / "README.md").is_file()
    assert (ROOT / name / "static" / "description" / "icon.png").is_file()


@pytest.mark.parametrize("name", ADDONS)
def test_a_manifest_is_complete(name):
    """Series, licence and a summary for the list of apps."""
    manifest = ADDONS[name]
    assert manifest["version"].startswith("19.0.")
    assert manifest["license"] == "LGPL-3"
    assert manifest["summary"]


def test_docker_installs_every_addon():
    """All of them, but those for what the official image does not have."""
    (listed,) = re.findall(r"--init=(\S+)", (ROOT / "docker-compose.yml").read_text())
    ours = {
        name
        for name, manifest in ADDONS.items()
        if not FOREIGN & set(manifest["depends"]) and "external_dependencies" not in manifest
    }
    assert set(listed.split(",")) == ours
