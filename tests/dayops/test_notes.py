"""Notes: anyone writes, only the author takes back, nothing is lost, and interventions need a right."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from dayops import notes
from dayops.models import Event, Note
from dayops.runs import NotPossible
from tests.pages import DAY_URL, text_of
from tests.people import ROLES, client_of
from tests.work import DAY, run_of, task

pytestmark = pytest.mark.django_db
SUBJECT = f"day:{DAY}"


def written(text: str = "The dome lamp flickers.", author: str = "operator", **changes) -> Note:
    return notes.write(changes.pop("subject", SUBJECT), text, author=author, **({"day_obs": DAY} | changes))


class TestWriting:
    def test_keeps_the_note_and_tells_it(self):
        note = written("  The dome lamp\r\nflickers. ")
        assert (note.text, note.kind, note.author) == ("The dome lamp\nflickers.", "NOTE", "operator")
        assert note.happened_at == note.written_at
        event = Event.objects.get()
        assert (event.kind, event.actor, event.subject, event.day_obs) == ("note.written", "operator", SUBJECT, DAY)
        assert event.text == f"operator wrote about {SUBJECT}: The dome lamp flickers."

    def test_an_intervention_says_when_it_happened(self):
        then = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        note = written(kind=Note.Kind.INTERVENTION, happened_at=then)
        assert note.happened_at == then < note.written_at
        assert Event.objects.get().kind == "intervention.written"

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"text": ""}, "needs text"),
            ({"text": " \n\0 "}, "needs text"),
            ({"text": "x" * 4001}, "has 4001 characters"),
            ({"subject": ""}, "nothing a note can be about"),
            ({"subject": "run"}, "nothing a note can be about"),
            ({"subject": "run:" + "1" * 200}, "nothing a note can be about"),
            ({"subject": "run:1\n"}, "nothing a note can be about"),
            ({"happened_at": datetime.now(UTC) + timedelta(days=1)}, "lies ahead"),
        ],
    )
    def test_refuses_in_words_what_is_no_note(self, changes, sentence):
        with pytest.raises(NotPossible, match=sentence):
            written(**changes)
        assert not Note.objects.exists()
        assert not Event.objects.exists()

    def test_cuts_a_long_note_in_the_event_but_not_in_the_note(self):
        assert len(written("x" * 4000).text) == 4000
        assert len(Event.objects.get().text) < 200


class TestTakingBack:
    def test_keeps_the_text_and_tells_it(self):
        note = written()
        notes.retract(note.pk, actor="operator")
        note.refresh_from_db()
        assert note.retracted_at is not None
        assert note.text == "The dome lamp flickers."
        assert Event.objects.filter(kind="note.retracted").exists()

    def test_is_for_the_author_only_and_once(self):
        note = written()
        with pytest.raises(NotPossible, match="Only operator, who wrote it"):
            notes.retract(note.pk, actor="maintainer")
        notes.retract(note.pk, actor="operator")
        with pytest.raises(NotPossible, match="taken back at"):
            notes.retract(note.pk, actor="operator")


def test_the_notes_about_one_thing_are_its_own_newest_first():
    first, second = written("one"), written("two")
    written("elsewhere", subject="run:1")
    assert list(notes.about(SUBJECT)) == [second, first]


class TestOnAPage:
    def post(self, role: str = "operator", **changes: str):
        given = {"subject": SUBJECT, "text": "Seen.", "day": "2026-11-22", "back": DAY_URL}
        return client_of(role).post("/notes/", given | changes, follow=True)

    @pytest.mark.parametrize("role", ROLES)
    def test_everyone_who_is_signed_in_writes_and_returns_to_the_page(self, role):
        response = self.post(role)
        assert response.redirect_chain == [(f"{DAY_URL}#notes", 303)]
        assert (Note.objects.get().author, Note.objects.get().day_obs) == (role, DAY)
        assert "The note is kept." in response.content.decode()

    def test_strangers_do_not(self):
        client_of("anonymous").post("/notes/", {"subject": SUBJECT, "text": "Seen."})
        assert not Note.objects.exists()

    @pytest.mark.parametrize(("role", "may"), [("scientist", 1), ("maintainer", 1), ("operator", 0), ("observer", 0)])
    def test_an_intervention_needs_a_right(self, role, may):
        response = self.post(role, kind="INTERVENTION", happened_at="2026-01-02 03:04")
        assert Note.objects.count() == may
        assert may or "may record an intervention" in response.content.decode()
        assert ("Intervention in the hardware" in text_of(DAY_URL, role)) == bool(may)
        if may:
            assert Note.objects.get().happened_at == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"text": ""}, "needs text"),
            ({"kind": "SONG"}, "is no kind of note"),
            ({"day": "yesterday"}, "is not a dayObs"),
            ({"happened_at": "noon"}, "is no date and time"),
        ],
    )
    def test_what_cannot_be_kept_is_said(self, changes, sentence):
        assert sentence in self.post(**changes).content.decode()
        assert not Note.objects.exists()

    @pytest.mark.parametrize("back", ["https://evil.example.org/", "//evil.example.org/", "javascript:alert(1)", ""])
    def test_leads_nowhere_else(self, back):
        assert self.post(back=back).redirect_chain == [("/notes/", 303)]

    def test_shows_notes_escaped_with_a_button_for_ones_own(self):
        mine = written("<b>loud</b>\nand clear", author="operator")
        text = text_of(DAY_URL, "operator")
        assert "&lt;b&gt;loud&lt;/b&gt;<br>and clear" in text
        assert f'action="/notes/{mine.pk}/retract/"' in text
        assert f'action="/notes/{mine.pk}/retract/"' not in text_of(DAY_URL, "observer")

    def test_strikes_out_what_was_taken_back(self):
        note = written()
        response = client_of("operator").post(f"/notes/{note.pk}/retract/", {"back": DAY_URL}, follow=True)
        assert "<s>The dome lamp flickers.</s>" in response.content.decode()

    def test_anothers_note_is_not_taken_back(self):
        note = written()
        response = client_of("maintainer").post(f"/notes/{note.pk}/retract/", follow=True)
        assert "Only operator, who wrote it" in response.content.decode()
        assert client_of().post("/notes/999999/retract/").status_code == 404

    def test_is_there_on_the_board_a_run_and_the_workers(self):
        run = run_of(task("one"))
        for subject, path in [
            (SUBJECT, DAY_URL),
            (f"run:{run.pk}", f"{DAY_URL}runs/{run.pk}/"),
            ("workers:all", f"{DAY_URL}workers/"),
        ]:
            written(f"about {subject}", subject=subject)
            assert f"about {subject}" in text_of(path)

    def test_shows_the_newest_of_many_and_where_all_are(self):
        for number in range(32):
            written(f"note number {number}.")
        text = text_of(DAY_URL)
        assert "note number 31." in text
        assert ">note number 1.<" not in text
        assert "all 32 notes" in text

    def test_a_visitor_who_may_read_is_told_to_sign_in(self, settings):
        settings.PUBLIC_READ = True
        text = text_of(DAY_URL, "anonymous")
        assert "to write a note" in text
        assert "Keep this note" not in text


class TestThePageOfAll:
    @pytest.mark.parametrize(
        ("query", "texts"),
        [
            ("", ["REB exchanged", "A cloud"]),
            ("kind=INTERVENTION", ["REB exchanged"]),
            ("author=olivia", ["A cloud"]),
            ("q=cloud", ["A cloud"]),
            ("q=run:7", ["REB exchanged"]),
        ],
    )
    def test_is_filtered_and_exported(self, query, texts):
        written("A cloud", author="olivia")
        written("REB exchanged", kind="INTERVENTION", subject="run:7")
        rows = json.loads(client_of().get(f"/notes/?format=json&{query}").getvalue())
        assert [row["text"] for row in rows] == texts

    def test_links_what_notes_are_about(self):
        written()
        assert f'<a href="{DAY_URL}">day {DAY}</a>' in text_of("/notes/")

    def test_without_notes_says_where_to_write(self):
        assert "Nobody has written anything yet" in text_of("/notes/")
