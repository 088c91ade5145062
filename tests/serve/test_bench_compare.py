"""Another revision is built beside the working tree, and both are measured in turns."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import run as bench
from tests.bench.compare import Side, build_commit, commit_of, in_turns, lay_out
from tests.bench.errors import RevisionError
from tests.bench.paired import ratio

# What the build of a project needs to have, at least.
BUILDING = "def build(out):\n    out.mkdir()\n    (out / 'index.html').write_text('{said}')\n"


@pytest.fixture
def repository(tmp_path):
    """Two commits of a project with a build, and something that is not committed."""
    root = tmp_path / "project"
    (root / "site/assembly").mkdir(parents=True)

    def git(*arguments):
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for said in ("first", "second"):
        (root / "site/assembly/build.py").write_text(BUILDING.format(said=said))
        git("add", "-A")
        git("commit", "-qm", said)
        git("tag", said)
    (root / "site/assembly/build.py").write_text(BUILDING.format(said="in the working tree"))
    (root / "new.txt").write_text("new")
    return root


def everything(root: Path) -> dict[str, bytes]:
    """All files of a folder with their contents, git's own among them."""
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_a_revision_is_built_and_nothing_else_is_touched(repository, tmp_path):
    before = everything(repository)
    for name in ("first", "second"):
        dist = build_commit(commit_of(name, repository), tmp_path / name, repository)
        assert (dist / "index.html").read_text() == name
        assert not (tmp_path / name / "files/new.txt").exists()
    assert everything(repository) == before


def test_a_revision_may_be_said_in_any_way(repository):
    assert commit_of("main~1", repository) == commit_of("first", repository)
    assert commit_of(commit_of("second", repository)[:8], repository) == commit_of(
        "main", repository
    )


@pytest.mark.parametrize("revision", ["nothing", "--help", "main:site", ""])
def test_what_is_no_revision_is_refused_in_a_sentence(repository, revision):
    with pytest.raises(RevisionError, match=r"^There is no revision .*, as git log shows them\.$"):
        commit_of(revision, repository)


def test_a_revision_that_does_not_build_is_refused_in_a_sentence(repository, tmp_path):
    build = repository / "site/assembly/build.py"
    build.write_text("def build(out):\n    raise OSError('no space left')\n")
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qam", "bad"],
        cwd=repository, check=True,
    )  # fmt: skip
    with pytest.raises(RevisionError, match=r"^The page of \w{10} can't be built: OSError: no spa"):
        build_commit(commit_of("main", repository), tmp_path / "bad", repository)


def test_the_real_revision_lies_there_as_it_was_committed(tmp_path):
    lay_out(commit_of("HEAD"), tmp_path)
    assert (tmp_path / "site/assembly/build.py").exists()
    assert not (tmp_path / ".git").exists()


def test_a_wrong_revision_ends_the_command_with_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "--compare", "nothing", "--anyway"])
    assert bench.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "There is no revision 'nothing' here" in said.err


def test_a_comparison_is_not_written_down(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "--compare", "HEAD", "--write"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "only these are written down" in capsys.readouterr().err


def test_both_have_their_turns_and_neither_is_always_first():
    sides = Side("new", "a", Path()), Side("old", "b", Path())
    asked = []

    def measure(side, turn):
        asked.append(side.name)
        return {"ms": 10.0 * turn + (side.name == "old")}

    assert in_turns(sides, 3, measure) == {"ms": ([0, 10, 20], [1, 11, 21])}
    assert asked == ["new", "old", "old", "new", "new", "old"]


def test_a_machine_that_gets_slower_does_not_change_a_ratio():
    old = [1.0, 2.0, 4.0, 8.0, 16.0]
    found = ratio([each * 0.9 for each in old], old)
    assert found[:3] == pytest.approx((0.9, 0.9, 0.9))
    assert found.told(less_is_better=True) == "0.900 (0.900 to 0.900), better"
    assert found.told(less_is_better=False) == "0.900 (0.900 to 0.900), **worse**"


def test_noise_is_seen_as_noise():
    found = ratio([0.8, 1.3, 0.9, 1.1, 1.0], [1.0] * 5)
    assert found.told(less_is_better=True) == "1.000 (0.800 to 1.300), no difference seen"
    assert found.sure == pytest.approx(1 - 2 / 32)


def test_of_many_turns_the_extremes_don_t_count():
    """From a table of the binomial distribution: of 10, the second and the ninth, 97.9 %."""
    found = ratio([*range(1, 11)], [1] * 10)
    assert found == pytest.approx((5.5, 2, 9, 0.9785), abs=1e-4)
    assert ratio([*range(1, 41)], [1] * 40).sure >= 0.9


def test_one_turn_promises_nothing():
    found = ratio([2.0], [1.0])
    assert found == (2.0, 2.0, 2.0, 0.0)
    assert found.told(less_is_better=True).endswith("too few turns to tell")
