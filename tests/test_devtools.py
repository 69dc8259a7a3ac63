"""The tooling: what decides whether people get a fresh database, the right packages, the truth."""

import os
import subprocess
import sys

import pytest

from devtools import addons, cache, debian, odoo_source, server, testing

DEB822 = """\
Types: deb deb-src
# a snapshot
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xyz

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# comment
deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb http://security.example bookworm-security main # why
deb [trusted=yes] https://shop.example/apt nodistro main
deb https://docker.example/debian bookworm stable
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Debian 12 whose /etc/apt the test fills."""
    monkeypatch.setattr(debian, "ETC", tmp_path)
    monkeypatch.setattr(debian, "codename", lambda: "bookworm")
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_sources_are_read(machine):
    """Comments, continued fields and source packages in the format of Debian 12 and later."""
    (machine / "sources.list.d" / "debian.sources").write_text(DEB822)
    (source,) = debian.debian_sources()
    assert source["Suites"] == "bookworm bookworm-updates"
    assert source["Components"] == "main"
    assert source["Signed-By"].endswith("\n .\n xyz")


def test_one_line_sources_are_read_and_third_parties_left_out(machine):
    """Options become fields; what is not Debian's is recognised by suite or component."""
    (machine / "sources.list").write_text(ONE_LINE)
    own, security = debian.debian_sources()
    assert (own["URIs"], own["Signed-By"]) == ("http://mirror.example/debian", "/keys/a.gpg")
    assert security["Suites"] == "bookworm-security"
    (unstable,) = debian.debian_sources("unstable")
    assert (unstable["URIs"], unstable["Suites"]) == ("http://mirror.example/debian", "unstable")


def test_no_debian_source_is_a_problem_with_a_reason(machine):
    """A machine without Debian's archive is told so."""
    with pytest.raises(debian.Problem, match="no Debian"):
        debian.PrivateApt("unstable")


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A repository with four addons; each manifest is written by the test's table."""
    manifests = {
        "base_sms": {"depends": ["mail"]},
        "inbox": {"depends": ["base_sms", "crm"]},
        "glue": {"depends": ["inbox", "survey"], "auto_install": True},
        "glue_core": {"depends": ["base_sms", "mail"], "auto_install": True},
    }
    for name, manifest in manifests.items():
        (tmp_path / name / "models").mkdir(parents=True)
        (tmp_path / name / "tests").mkdir()
        (tmp_path / name / "__manifest__.py").write_text(repr(manifest))
    monkeypatch.setattr(addons, "ROOT", tmp_path)
    addons.all_addons.cache_clear()
    yield tmp_path
    addons.all_addons.cache_clear()


def test_closure_follows_dependencies_and_what_installs_itself(house):
    """Odoo installs a glue addon once all that it waits for is there; so must the template."""
    assert addons.closure(["base_sms"]) == ["base_sms", "glue_core"]
    assert addons.closure(["inbox"]) == ["base_sms", "glue_core", "inbox"]
    assert addons.closure([]) == ["base_sms", "glue", "glue_core", "inbox"]
    assert addons.core_modules(["inbox", "base_sms"]) == ["crm", "mail"]
    with pytest.raises(addons.Problem, match="no addon 'inbx'"):
        addons.closure(["inbx"])


MODEL = """
class Message(models.Model):
    '''A text.'''
    state = fields.Selection([("queued", "Queued")])

    @api.depends("state")
    def _compute_icon(self):
        return 1

    def init(self):
        self.env.cr.execute("CREATE INDEX a")
"""


@pytest.mark.parametrize(
    ("change", "rebuilds"),
    [
        (("return 1", "return 2"), False),
        (("'''A text.'''", "'''A text message.'''"), False),
        (("queued", "waiting"), True),
        (('depends("state")', 'depends("state", "icon")'), True),
        (("INDEX a", "INDEX b"), True),
    ],
)
def test_only_what_an_installation_depends_on_makes_a_new_template(house, change, rebuilds):
    """The body of a method is read afresh by every run; a field, a decorator, an index is not."""
    model = house / "inbox" / "models" / "message.py"
    model.write_text(MODEL)
    before = addons.data_fingerprint(["inbox"])
    model.write_text(MODEL.replace(*change))
    assert (addons.data_fingerprint(["inbox"]) != before) == rebuilds


def test_tests_make_no_new_template(house):
    """Writing a test must not cost an installation."""
    before = addons.data_fingerprint(["inbox"])
    (house / "inbox" / "tests" / "test_inbox.py").write_text("x = 1")
    (house / "inbox" / "README.md").write_text("Inbox")
    assert addons.data_fingerprint(["inbox"]) == before


def test_links_are_healed(tmp_path):
    """An absolute link is turned into the unpacked tree, one to nothing into an empty file."""
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "font").write_text("font")
    (tmp_path / "usr" / "absolute").symlink_to("/usr/font")
    (tmp_path / "usr" / "dangling").symlink_to("nothing")
    odoo_source._heal(tmp_path)
    assert (tmp_path / "usr" / "absolute").read_text() == "font"
    assert (tmp_path / "usr" / "dangling").read_text() == ""
    assert (tmp_path / "usr/lib/python3/dist-packages/odoo" / odoo_source.MISSING_FILE).exists()


def test_source_checkout_is_recognised_by_its_series(tmp_path):
    """ODOO_SRC may point at a checkout of 19.0 and at nothing else."""
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo-bin").touch()
    release = tmp_path / "odoo" / "release.py"
    release.write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    found = odoo_source._from_environment(tmp_path)
    assert found.addons_paths == (tmp_path / "odoo" / "addons", tmp_path / "addons")
    release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    with pytest.raises(odoo_source.Problem, match="no source checkout"):
        odoo_source._from_environment(tmp_path)


def test_a_killed_set_up_leaves_nothing_half_made(tmp_path):
    """A folder has its name only once it is whole; the next try starts clean."""
    target = tmp_path / "odoo"
    with pytest.raises(KeyboardInterrupt), cache.complete_folder(target) as folder:
        (folder / "half").touch()
        raise KeyboardInterrupt
    assert not target.exists()
    with cache.complete_folder(target) as folder:
        (folder / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_a_skipped_test_counts_as_failed(tmp_path, capsys):
    """Nothing is skipped silently: the closing line and the exit status say so."""
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        "<testcase classname='a' name='good'/>"
        "<testcase classname='a' name='bad'><failure/></testcase>"
        "<testcase classname='a' name='lazy'><skipped message='no Chrome'/></testcase>"
        "</testsuite></testsuites>"
    )
    totals = testing.Totals()
    totals.add(report)
    assert totals.show() == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["SKIPPED, which counts as failed: a::lazy: no Chrome", "1 passed, 2 failed"]


def test_what_runs_aside_is_shown_and_counted_when_it_is_done(tmp_path, capfd):
    """The stories run beside the other tests: what they say must neither mix nor be lost."""
    file = tmp_path / "test_aside.py"
    file.write_text("def test_good(): pass\ndef test_bad(): raise ValueError('why')\n")
    totals = testing.Totals()
    with testing.PytestRun("aside", ["-p", "no:odoo", file], dict(os.environ), aside=True) as tests:
        tests._process.wait()
        assert not capfd.readouterr().out
        tests.finish(totals)
    assert (totals.passed, totals.failed) == (1, 1)
    assert "ValueError: why" in capfd.readouterr().out


def test_stop_spares_a_stranger_with_the_same_number():
    """A recorded process id may belong to somebody else by now."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        assert not server._is_ours(stranger.pid)
        stranger.stdin.close()


def test_the_list_of_commands_needs_nothing_installed():
    """``./dev`` alone answers at once under the machine's own Python."""
    result = subprocess.run(
        ["python3", "-I", "-c", f"import sys; sys.path.insert(0, {str(cache.ROOT)!r}); "
         "from devtools.main import main; sys.exit(main([]))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "./dev <command>" in result.stdout
