"""The words of templates, as templates use them."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template

from dayops.observing_day import ObservingDay
from tests.people import person

OPERATE = "dayops.operate_run"


def written(text: str, **context) -> str:
    return Template(text).render(Context(context)).strip()


def as_seen_by(rf, user, text: str) -> str:
    request = rf.get("/?sort=name&page=3")
    request.user = user
    return Template(text).render(RequestContext(request))


@pytest.mark.parametrize("value", [20261122, ObservingDay(20261122)])
def test_dayobs_is_a_word_and_a_filter(value):
    assert written("{% dayobs d %} {{ d|dayobs }}", d=value) == "2026-11-22 2026-11-22"


def test_what_is_not_known_is_a_dash():
    text = "{% dayobs x %}{% number x 'ADU' %}{% instant x %}{% duration x %}"
    assert written(text, x=None) == "––––"


def test_text_in_a_status_is_escaped():
    assert "<script>" not in written("{% status word title %}", word="<script>", title='"><script>')


@pytest.mark.django_db
def test_a_query_changes_one_parameter_and_keeps_the_others(rf):
    assert as_seen_by(rf, AnonymousUser(), "{% query page=None x='1&2' %}") == "?sort=name&amp;x=1%262"


@pytest.mark.django_db
def test_a_button_for_whoever_may_is_a_form_that_asks_for_the_reason(rf):
    html = as_seen_by(rf, person("operator"), f'{{% action "Abort" "/abort/" "{OPERATE}" reason=True %}}')
    assert '<form class="action" method="post" action="/abort/">' in html
    assert 'name="reason" required' in html
    assert 'name="csrfmiddlewaretoken" value="' in html


@pytest.mark.django_db
def test_a_button_for_whoever_may_not_says_why(rf):
    html = as_seen_by(rf, person("observer"), f'{{% action "Abort" "/abort/" "{OPERATE}" %}}')
    assert "<form" not in html
    assert "disabled" in html
    assert "the group “operator”" in html


@pytest.mark.django_db
def test_a_button_that_is_blocked_says_what_blocks_it(rf):
    html = as_seen_by(
        rf, person("operator"), f'{{% action "Abort" "/abort/" "{OPERATE}" blocked="The run is over." %}}'
    )
    assert "The run is over." in html
    assert "<form" not in html


@pytest.mark.django_db
def test_templates_can_ask_who_may(rf):
    text = f'{{% may "{OPERATE}" as yes %}}{{{{ yes }}}}'
    assert as_seen_by(rf, person("operator"), text) == "True"
    assert as_seen_by(rf, AnonymousUser(), text) == "False"
