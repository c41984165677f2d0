"""What the library of articles promises, on every storage."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine

from storage.engine import writing
from storage.library import SqlLibrary, revise
from storage.rows_knowledge import phrasings
from tests.contract.storages import AT, Bench, minutes
from triage.errors import AlreadyHeld
from triage.knowledge import Article
from triage.model import Language
from triage.ports import Library, Replaced

FULL = Article(
    id="vpn",
    title="VPN 끊김",
    body="*Restart* it.\n",
    phrasings=("my vpn drops", "連線中斷"),
    against=("vpn price",),
    language=Language.KO,
    team="it",
    audience="team:it",
    tags=("network",),
    owner="lee",
    review=date(2027, 2, 15),
    version=3,
)


def article(id: str = "vpn", **changes: Any) -> Article:
    return replace(Article(id=id, title=id, phrasings=(f"about {id}",), team="it"), **changes)


@pytest.fixture
def library(bench: Bench) -> Library:
    return bench.storage.library


def now_in_force(library: Library) -> Sequence[Article]:
    return library.articles()[1]


def learn(engine: Engine, text: str, *, against: bool = False, id: str = "vpn") -> None:
    """What accepting a proposal leaves in the tables."""
    row = {"article": id, "language": Language.EN, "text": text, "against": against, "by": "lee", "at": AT}
    with writing(engine) as db:
        db.execute(phrasings.insert().values(row))
        revise(db)
        db.commit()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A database that several may write to."""
    bench: Bench = request.getfixturevalue(f"{request.param}_bench")
    assert bench.engine is not None
    return bench.engine


def test_a_new_library_is_empty(library: Library) -> None:
    """Revision 0, no articles."""
    assert library.articles() == (0, ())
    assert library.revision() == 0


def test_an_article_comes_back_as_it_was(library: Library) -> None:
    """Every field, in any language."""
    assert library.replace("folder", [FULL], AT) == Replaced(added=("vpn",))
    assert library.articles() == (1, (FULL,))


def test_the_same_again_changes_nothing(library: Library) -> None:
    """No new revision, so that nobody builds a matcher for it."""
    library.replace("folder", [FULL, article("printer")], AT)
    assert not library.replace("folder", [article("printer"), FULL], minutes(1))
    assert library.revision() == 1


def test_what_a_source_gives_no_more_is_retired(library: Library) -> None:
    """It is not in force; the others are."""
    library.replace("folder", [article("vpn"), article("printer")], AT)
    assert library.replace("folder", [article("vpn")], AT) == Replaced(retired=("printer",))
    assert [each.id for each in now_in_force(library)] == ["vpn"]


def test_what_is_to_be_kept_is_not_retired(library: Library) -> None:
    """A file that cannot be read now says nothing against its article."""
    library.replace("folder", [article("vpn"), article("printer"), article("phone")], AT)
    assert library.replace("folder", [], AT, keep={"vpn"}) == Replaced(retired=("phone", "printer"))
    assert not library.replace("folder", [], AT, retire=False)
    assert [each.id for each in now_in_force(library)] == ["vpn"]


def test_a_change_raises_the_version(library: Library) -> None:
    """To one more, or to what the source says if that is higher."""
    library.replace("folder", [article()], AT)
    assert library.replace("folder", [article(title="VPN")], AT) == Replaced(changed=("vpn",))
    assert now_in_force(library) == (article(title="VPN", version=2),)
    library.replace("folder", [article(title="VPN", version=9)], AT)
    library.replace("folder", [article(title="VPN!", version=1)], AT)
    assert now_in_force(library) == (article(title="VPN!", version=10),)


def test_a_retired_article_can_come_back(library: Library) -> None:
    """It counts as added, and its version goes on."""
    library.replace("folder", [article()], AT)
    library.replace("folder", [], AT)
    assert library.replace("folder", [article(title="VPN")], AT) == Replaced(added=("vpn",))
    assert now_in_force(library) == (article(title="VPN", version=2),)


def test_sources_leave_each_other_alone(library: Library) -> None:
    """Syncing one retires nothing of the other."""
    library.replace("folder", [article("vpn")], AT)
    library.replace("hr", [article("payslip")], AT)
    assert library.replace("folder", [], AT) == Replaced(retired=("vpn",))
    assert [each.id for each in now_in_force(library)] == ["payslip"]


def test_an_article_belongs_to_one_source(library: Library) -> None:
    """Taking it is refused as a whole, and the error names both."""
    library.replace("folder", [article("vpn")], AT)
    with pytest.raises(AlreadyHeld, match=r"'hr' brings.*'vpn' \(en\) belongs to 'folder'") as refused:
        library.replace("hr", [article("payslip"), article("vpn", title="VPN, for HR")], AT)
    assert refused.value.held == {("vpn", "en"): "folder"}
    assert [each.id for each in now_in_force(library)] == ["vpn"]


def test_the_same_from_two_sources_stays_with_the_first(library: Library) -> None:
    """An export that is imported again says what is there already; its version is no difference."""
    library.replace("folder", [article("vpn")], AT)
    library.replace("folder", [article("vpn", title="VPN")], AT)
    assert library.replace("export", [article("vpn", title="VPN")], AT) == Replaced()
    assert library.replace("export", [], AT) == Replaced()
    assert [each.id for each in now_in_force(library)] == ["vpn"]


def test_what_was_learned_may_be_taken_over(library: Library) -> None:
    """An article written from a ticket is exported into the folder, and belongs to it from then on."""
    library.replace("learned", [article("vpn")], AT)
    library.replace("folder", [article("vpn", title="VPN, as we tell it")], AT)
    assert library.replace("folder", [], AT) == Replaced(retired=("vpn",))


def test_what_is_retired_may_be_taken_over(library: Library) -> None:
    """A KB that moves from a folder to an import keeps counting its versions."""
    library.replace("folder", [article("vpn")], AT)
    library.replace("folder", [], AT)
    library.replace("hr", [article("vpn", title="VPN")], AT)
    assert not library.replace("folder", [], AT)
    assert now_in_force(library) == (article(title="VPN", version=2),)


def test_languages_of_one_article_are_apart(library: Library) -> None:
    """A translation is retired without its original."""
    library.replace("folder", [article(), article(language=Language.KO)], AT)
    library.replace("folder", [article()], AT)
    assert now_in_force(library) == (article(),)


def test_what_no_database_takes_is_left_out(library: Library) -> None:
    """NUL and half characters, and the second sync still sees no change."""
    odd = article(body="a\0b", phrasings=("\ud83d up",))
    library.replace("folder", [odd], AT)
    assert not library.replace("folder", [odd], AT)
    assert now_in_force(library) == (article(body="ab", phrasings=("? up",)),)


def test_learned_phrasings_survive_a_sync(engine: Engine) -> None:
    """They lie over the article, whatever its file says, and raise the revision."""
    library = SqlLibrary(engine)
    library.replace("folder", [article()], AT)
    learn(engine, "tunnel is gone")
    learn(engine, "vpn licence", against=True)
    assert library.revision() == 3
    library.replace("folder", [article(title="VPN")], AT)
    (found,) = now_in_force(library)
    assert (found.phrasings, found.against) == (("about vpn", "tunnel is gone"), ("vpn licence",))


def test_the_last_word_on_a_phrasing_counts(engine: Engine) -> None:
    """What was learned twice is there once; what turned out wrong is no phrasing any more."""
    library = SqlLibrary(engine)
    library.replace("folder", [article()], AT)
    for text, against in (("tunnel", False), ("tunnel", False), ("about vpn", True)):
        learn(engine, text, against=against)
    (found,) = now_in_force(library)
    assert (found.phrasings, found.against) == (("tunnel",), ("about vpn",))


def test_a_phrasing_of_a_retired_article_waits(engine: Engine) -> None:
    """It is in force again when the article is."""
    library = SqlLibrary(engine)
    library.replace("folder", [article()], AT)
    learn(engine, "tunnel")
    library.replace("folder", [], AT)
    assert now_in_force(library) == ()
    library.replace("folder", [article()], AT)
    assert now_in_force(library)[0].phrasings == ("about vpn", "tunnel")


def test_two_processes_may_sync_the_same_at_once(engine: Engine) -> None:
    """One of them adds, the other finds it done; nobody fails."""
    together = Barrier(2)

    def sync(_: int) -> Replaced:
        together.wait(10)
        return SqlLibrary(engine).replace("folder", [article(f"a{number}") for number in range(200)], AT)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(sync, range(2)))
    assert sorted(len(each.added) for each in done) in ([0, 200],)
    assert SqlLibrary(engine).revision() == 1


def test_a_hundred_thousand_phrasings_load(engine: Engine) -> None:
    """In two statements, whatever their number; seconds are for the benchmark, wholeness is tested here."""
    many = [article(f"a{n}", phrasings=tuple(f"way {n} {i}" for i in range(100))) for n in range(1_000)]
    library = SqlLibrary(engine)
    library.replace("import", many, AT)
    assert sum(len(each.phrasings) for each in now_in_force(library)) == 100_000


def test_a_rehearsal_changes_nothing(engine: Engine) -> None:
    """It tells what a sync would do, also that it would be refused."""
    library = SqlLibrary(engine)
    library.replace("folder", [article("vpn")], AT)
    assert library.rehearse("folder", [article("phone")], AT) == Replaced(added=("phone",), retired=("vpn",))
    with pytest.raises(AlreadyHeld):
        library.rehearse("hr", [article("vpn", title="VPN, for HR")], AT, retire=False)
    assert library.articles() == (1, (article("vpn"),))


def test_how_the_last_pull_ended_is_kept(engine: Engine) -> None:
    """The newest outcome of each folder."""
    library = SqlLibrary(engine)
    library.pulled("kb", AT, "no network")
    assert library.pulls() == {"kb": (AT, "no network")}
    library.pulled("kb", minutes(1), None)
    assert library.pulls() == {"kb": (minutes(1), None)}
