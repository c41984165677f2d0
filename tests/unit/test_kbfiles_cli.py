"""`deskbell kb import, export, lint` from outside: what is printed where, exit codes, and what is in force after."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bot.cli_kb import add
from bot.kbfiles.form import Defaults
from bot.kbfiles.reading import read
from storage.engine import make_engine
from storage.library import SqlLibrary
from triage.errors import Unavailable
from triage.knowledge import Article
from triage.model import Language

DESK = "kb: kb/\nteams:\n  it: {name: IT, agents: [lee], lead: lee}\npeople:\n  lee: {name: Lee}\n"
LINE = {"lang": "en", "team": "it", "audience": "company", "body": "Text.", "phrasings": ["a b", "c d", "e f"]}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a desk.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DESKBELL_DATABASE_URL", raising=False)
    monkeypatch.delenv("DESKBELL_CONFIG", raising=False)
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "kb").mkdir()
    return tmp_path


def deskbell(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    options = parser.parse_args(["kb", *arguments])
    return int(options.run(options))


def lines(*ids: str, **fields: object) -> str:
    return "".join(json.dumps({"id": id, "title": f"T {id}", **LINE, **fields}) + "\n" for id in ids)


def in_force(here: Path) -> list[str]:
    engine = make_engine(f"sqlite:///{here}/.deskbell/deskbell.db")
    _, articles = SqlLibrary(engine).articles()
    engine.dispose()
    return [article.id for article in articles]


def test_import_says_what_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Added, changed, retired, unchanged: and nothing at all the second time."""
    file = here / "kb.jsonl"
    said = []
    for text in (lines("a", "b", "c"), lines("a", "b", "c"), lines("a", "d") + lines("b", body="New.")):
        file.write_text(text)
        assert deskbell("import", "kb.jsonl") == 0
        said.append(capsys.readouterr().out)
    assert said == [
        "3 added, 0 changed, 0 retired, 0 unchanged\n",
        "0 added, 0 changed, 0 retired, 3 unchanged\n",
        "1 added, 1 changed, 1 retired, 1 unchanged\n",
    ]
    assert in_force(here) == ["a", "b", "d"]


def test_verbose_import_names_the_articles(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line."""
    (here / "kb.jsonl").write_text(lines("a", "b"))
    deskbell("import", "kb.jsonl", "--verbose")
    assert capsys.readouterr().out.splitlines()[1:] == ["added: a", "added: b"]


def test_dry_run_says_the_same_and_stores_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before there is a database, and after."""
    file = here / "kb.jsonl"
    file.write_text(lines("a"))
    assert deskbell("import", "kb.jsonl", "--dry-run") == 0
    assert not (here / ".deskbell").exists()
    deskbell("import", "kb.jsonl")
    file.write_text(lines("b"))
    capsys.readouterr()
    assert deskbell("import", "kb.jsonl", "--dry-run") == 0
    assert capsys.readouterr().out == "1 added, 0 changed, 1 retired, 0 unchanged (dry run: nothing stored)\n"
    assert in_force(here) == ["a"]


def test_broken_file_is_told_and_the_others_are_imported(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1; what the broken file brought before stays in force."""
    (here / "kb" / "a.jsonl").write_text(lines("a"))
    (here / "kb" / "b.jsonl").write_text(lines("b"))
    deskbell("import", "kb")
    (here / "kb" / "a.jsonl").write_text(lines("a", team="itt"))
    (here / "kb" / "b.jsonl").write_text(lines("b", "c"))
    capsys.readouterr()
    assert deskbell("import", "kb") == 2
    out, err = capsys.readouterr()
    assert out == "1 added, 0 changed, 0 retired, 1 unchanged\n"
    assert "kb/a.jsonl:1: team: 'itt' is not a team: did you mean 'it'?\n" in err
    assert in_force(here) == ["a", "b", "c"]


def test_article_of_another_source_names_both(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is taken away from anybody unasked."""
    for name in ("one", "two"):
        (here / f"{name}.jsonl").write_text(lines("a", body=name))
    deskbell("import", "one.jsonl")
    assert deskbell("import", "two.jsonl") == 2
    assert "'two' brings 'a' (en), which belongs to 'one'" in capsys.readouterr().err
    assert deskbell("import", "two.jsonl", "--source", "one") == 0


def test_files_of_one_name_in_two_folders_are_two_sources(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The Korean page of an article does not retire the English one."""
    for language in ("en", "ko"):
        (here / language).mkdir()
        (here / language / "vpn.jsonl").write_text(lines("vpn", lang=language))
        assert deskbell("import", f"{language}/vpn.jsonl") == 0
    assert in_force(here) == ["vpn", "vpn"]


def test_what_another_source_has_word_for_word_is_no_quarrel(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export is imported again where it came from: nothing changes, and nothing changes hands."""
    (here / "kb.jsonl").write_text(lines("a", "b"))
    deskbell("import", "kb.jsonl")
    deskbell("export", "out")
    capsys.readouterr()
    assert deskbell("import", "out") == 0
    assert capsys.readouterr().out == "0 added, 0 changed, 0 retired, 2 unchanged\n"
    (here / "kb.jsonl").write_text(lines("a"))
    deskbell("import", "kb.jsonl")
    assert in_force(here) == ["a"]


def test_one_file_of_the_folder_retires_nothing_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest of the folder was not looked at."""
    for id in ("a", "b"):
        (here / "kb" / f"{id}.jsonl").write_text(lines(id))
    deskbell("import", "kb")
    (here / "kb" / "a.jsonl").write_text(lines("a", body="New."))
    capsys.readouterr()
    assert deskbell("import", "kb/a.jsonl") == 0
    assert capsys.readouterr().out == "0 added, 1 changed, 0 retired, 0 unchanged\n"
    assert in_force(here) == ["a", "b"]


def test_the_form_of_eval_is_imported_for_the_first_team(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It knows no teams; whose articles they became is told, once a file."""
    line = {"id": "a", "title": "A", "body": "Text.", "phrasings": ["a b", "c d", "e f"], "lang": "en"}
    (here / "desk.yaml").write_text(DESK.replace("teams:", "teams:\n  hr: {name: HR, lead: lee, restricted: true}"))
    (here / "kb.jsonl").write_text(json.dumps(line) + "\n" + json.dumps({**line, "id": "b"}))
    assert deskbell("import", "kb.jsonl") == 0
    said = (
        "kb.jsonl:1: warning: team: 2 articles from here on have none: they belong to 'it', unless --team names another"
    )
    assert said in capsys.readouterr().err
    deskbell("export", "out.jsonl")
    written = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert [(each["team"], each["audience"]) for each in written] == [("it", "company")] * 2


def test_folder_of_the_desk_is_its_own_source(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand and by the running desk, it is the same import."""
    (here / "kb" / "a.jsonl").write_text(lines("a"))
    deskbell("import", "kb")
    assert deskbell("import", "kb", "--source", "folder") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 added, 0 changed, 0 retired, 1 unchanged"


@pytest.mark.parametrize(
    "arguments", [["import", "none.csv"], ["lint", "none"], ["import", "kb"], ["export", "a.xlsx"]]
)
def test_wrong_path_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and a reason."""
    assert deskbell(*arguments) == 2
    assert arguments[1] in capsys.readouterr().err


def test_database_out_of_reach_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3."""
    (here / "kb.jsonl").write_text(lines("a"))
    monkeypatch.setenv("DESKBELL_DATABASE_URL", f"sqlite:///{here}/none/desk.db")
    with pytest.raises(Unavailable):
        deskbell("import", "kb.jsonl")


def test_progress_goes_to_stderr(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines where it is no terminal; stdout holds the result alone."""
    (here / "kb.jsonl").write_text(lines("a"))
    deskbell("import", "kb.jsonl")
    assert capsys.readouterr().err == "1 of 1 files read, 1 articles and translations\n"


@pytest.mark.parametrize("target", ["out.csv", "out.jsonl", "out"])
def test_export_brings_back_what_was_imported(here: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Imported again, nothing changes."""
    (here / "kb.jsonl").write_text(lines("a", "b", against=["no | way"], tags=["x"]))
    deskbell("import", "kb.jsonl")
    assert deskbell("export", target) == 0
    capsys.readouterr()
    assert deskbell("import", target, "--source", "kb") == 0
    assert capsys.readouterr().out == "0 added, 0 changed, 0 retired, 2 unchanged\n"


def test_export_before_the_first_import_gives_the_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the desk would start with, and says so."""
    (here / "kb" / "a.jsonl").write_text(lines("a"))
    assert deskbell("export", "out.csv") == 0
    assert "The database holds no article yet" in capsys.readouterr().err


def test_export_gives_the_folder_and_the_imports_together(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the desk would have in force, also before its first start; the database stays as it is."""
    (here / "kb" / "a.jsonl").write_text(lines("a"))
    (here / "more.jsonl").write_text(lines("b"))
    deskbell("import", "more.jsonl")
    assert deskbell("export", "out.jsonl") == 0
    assert [json.loads(line)["id"] for line in (here / "out.jsonl").read_text().splitlines()] == ["a", "b"]
    assert in_force(here) == ["b"]


def test_export_leaves_out_what_the_folder_has_no_more(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder is read anew; of an id that an import has, the import's article stays, and that is told."""
    (here / "more.jsonl").write_text(lines("b"))
    deskbell("import", "more.jsonl")
    (here / "old.jsonl").write_text(lines("a"))
    deskbell("import", "old.jsonl", "--source", "folder")
    (here / "kb" / "b.jsonl").write_text(lines("b", "c", body="Other."))
    assert deskbell("export", "out.jsonl") == 0
    written = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert [(each["id"], each["body"]) for each in written] == [("b", "Text."), ("c", "Other.")]
    assert "'b' (en)" in capsys.readouterr().err


def test_export_without_a_desk_gives_the_database(here: Path) -> None:
    """The sample's folder is nobody's."""
    (here / "more.jsonl").write_text(lines("b"))
    deskbell("import", "more.jsonl")
    (here / "desk.yaml").unlink()
    assert deskbell("export", "out.jsonl") == 0
    assert len((here / "out.jsonl").read_text().splitlines()) == 1


def test_lint_warns_with_exit_0_and_errs_with_exit_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What could be better does not fail a pipeline."""
    file = here / "kb" / "a.jsonl"
    file.write_text(lines("a", phrasings=["only one"]))
    assert deskbell("lint") == 0
    assert "kb/a.jsonl:1: warning: phrasings: 1 of at least 3" in capsys.readouterr().out
    file.write_text(lines("a", lang="de"))
    assert deskbell("lint") == 1
    assert "kb/a.jsonl:1: lang: must be" in capsys.readouterr().out


def test_lint_reads_the_form_of_eval(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A team is not missed in a file that has none."""
    (here / "desk.yaml").unlink()
    line = {"id": "a", "title": "", "body": "", "phrasings": ["a b", "c d", "e f"], "lang": "en"}
    (here / "kb.jsonl").write_text(json.dumps(line))
    assert deskbell("lint", "kb.jsonl") == 0
    assert "team" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "---\nid: a\ntitle: A\n---\nText."),
        ("a.csv", "id,title,body\na,A,Text."),
        ("a.jsonl", '{"id": "a", "title": "A", "body": "Text."}'),
        ("a.html", "<title>A</title><p>Text.</p>"),
    ],
)
def test_what_a_file_does_not_name_comes_from_the_command_line(tmp_path: Path, name: str, text: str) -> None:
    """Team, audience and language, in every format."""
    given = Defaults(team="hr", audience="public", lang="ko")
    expected = Article(id="a", title="A", body="Text.", team="hr", audience="public", language=Language.KO)
    (tmp_path / name).write_text(text)
    assert list(read(tmp_path / name, defaults=given).articles) == [expected]
