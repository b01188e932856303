"""Every address, every role, every method: what each may do is written down here, and a new address must be too."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.calib.exposures import archived, assessed, exposure
from tests.people import ROLES, client_of
from tests.work import run_of, task

pytestmark = pytest.mark.django_db

ANYONE, SIGNED_IN, MAINTAINER = "anyone", "whoever is signed in", "maintainers"
UNSAFE = ("post", "put", "patch", "delete")


@dataclass(frozen=True)
class Rule:
    """Who may read an address, and which roles may post to it or delete it (no other method changes anything)."""

    read: str = SIGNED_IN
    post: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


OPERATES = ("operator", "maintainer")
JUDGES = ("scientist", "maintainer")
RULES = {
    "healthz": Rule(ANYONE),
    "readyz": Rule(ANYONE),
    "sign-in": Rule(ANYONE, ("anonymous", *ROLES)),
    "sign-out": Rule("nobody", ("anonymous", *ROLES)),
    "pulse": Rule(),
    "today": Rule(),
    "tokens": Rule(post=ROLES),
    "token-revoke": Rule("nobody", ROLES),
    **{name: Rule(MAINTAINER) for name in ("style", "style-figure", "style-image", "style-pixel", "style-tile")},
    **{name: Rule() for name in ("board", "runs", "run", "task", "workers", "events")},
    **{name: Rule() for name in ("alarms", "day-alarms", "alarm", "alarm-badge", "search")},
    "notes": Rule(post=ROLES),
    "note-retract": Rule("nobody", ROLES),
    "alarm-operate": Rule("nobody", OPERATES),
    "run-operate": Rule("nobody", OPERATES),
    **{name: Rule() for name in ("api-description", "api-day", "api-runs", "api-events", "api-run")},
    "api-alarms": Rule(),
    **{f"api-alarm-{deed}": Rule("nobody", OPERATES) for deed in ("acknowledge", "snooze")},
    **{f"api-run-{deed}": Rule("nobody", OPERATES) for deed in ("retry", "rerun", "abort")},
    **{f"calib:{name}": Rule() for name in ("day", "exposure", "focal-plane", "metric-histogram", "amplifiers")},
    **{f"calib-camera:{name}": Rule() for name in ("thresholds", "threshold", "threshold-edit")},
    **{name: Rule() for name in ("calib-camera:threshold-preview-figure", "calib:threshold")},
    **{f"calib-camera:threshold-{deed}": Rule("nobody", JUDGES) for deed in ("activate", "retire")},
    **{f"calib:{deed}": Rule("nobody", JUDGES) for deed in ("review", "review-frame", "rejudge")},
    "calib:reviews": Rule(post=JUDGES),
    **{name: Rule() for name in ("devices", "device", "ocs-description", "ocs-devices", "ocs-device", "ocs-events")},
    **{name: Rule("nobody", OPERATES) for name in ("device-command", "ocs-commands")},
    "ocs-command": Rule(delete=OPERATES),
    **{f"api-calib-{name}": Rule() for name in ("description", "reviews", "thresholds")},
    **{f"api-calib-{deed}": Rule("nobody", JUDGES) for deed in ("accept", "reject", "withdraw", "activate", "retire")},
    **{f"calib:{name}": Rule() for name in ("products", "productset", "product", "certification", "tonight")},
    **{f"calib-camera:product{part}": Rule() for part in ("", "set", "-trends", "-trend-figure", "-figure", "-file")},
    **{f"calib-camera:product-{part}": Rule() for part in ("image", "pixel", "histogram", "tile")},
    **{name: Rule("nobody", OPERATES) for name in ("calib:products-start", "calib-camera:productset-rebuild")},
    **{name: Rule("nobody", OPERATES) for name in ("calib-camera:productset-rollback", "api-calib-rollback")},
    **{name: Rule("nobody", JUDGES) for name in ("calib-camera:productset-override", "api-calib-override")},
    **{name: Rule("nobody", JUDGES) for name in ("calib-camera:product-flag", "api-calib-flag")},
    **{f"api-calib-{name}": Rule() for name in ("sets", "set", "product", "provenance", "tonight")},
    "api-calib-preview": Rule("nobody", ROLES),
    **{f"calib-camera:{name}": Rule() for name in ("trends", "trend-figure", "coverage")},
    **{f"calib:compare{which}": Rule() for which in ("", "-a", "-b", "-change", "-histogram")},
    **{f"mops:{name}": Rule() for name in ("summary", "night", "night-figure", "debt-figure", "candidates", "objects")},
    **{f"mops:{name}{part}": Rule() for name in ("linkage", "ssobject") for part in ("", "-figure")},
    **{f"mops:{name}{part}": Rule() for name in ("coverage", "compare", "tonight") for part in ("", "-figure")},
    **{f"mops:{name}": Rule() for name in ("submissions", "submission", "submission-file")},
    "mops:start": Rule("nobody", OPERATES),
    **{f"api-mops-{name}": Rule() for name in ("description", "nights", "night", "linkages", "linkage", "submissions")},
    **{f"api-mops-{deed}": Rule("nobody", JUDGES) for deed in ("approve", "reject", "reopen")},
    **{f"mops:{name}": Rule("nobody", JUDGES) for name in ("review", "submission-decide", "submissions-decide")},
    **{
        f"calib:{name}": Rule()
        for name in ("findings", "detector", "file", "image", "pixel", "pixel-histogram", "tile")
    },
}


def addresses(resolver: URLResolver, path: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """(name, pattern) of every address but the admin's own, which Django guards and tests."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", f"{path}{entry.pattern}"
        elif entry.app_name != "admin":
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry, f"{path}{entry.pattern}", inner)


ALL = dict(addresses(get_resolver()))


@pytest.fixture
def filled() -> dict[str, str]:
    """An example of every address, about things that exist."""
    run = run_of(task("one"))
    frame = archived(exposure())
    assessed(frame)
    values = {
        "<dayobs:day>": "2026-11-22",
        "<slug:operation>": "abort",
        "<slug:deed>": "acknowledge",
        "<str:device>": "Archiver",
        "<slug:command>": "enterControl",
        "<str:name>": frame.exposure.name,
        "<str:detector>": frame.detector_name,
        "<sha256:sha256>": frame.sha256,
        "<str:overscan>": "subtracted",
        "<slug:plane>": "new",
        "<int:beside>": "0",
        "<slug:figure>": "curve",
        "<slug:kind>": "psv",
        "<int:z>": "0",
        "<int:x>": "0",
        "<int:y>": "0",
    }
    found = {}
    for name, pattern in ALL.items():
        key = str(run.tasks.get().pk if name == "task" else run.pk)
        path = pattern.replace("<int:pk>", key)
        for converter, value in values.items():
            path = path.replace(converter, value)
        assert "<" not in path, f"say in this test what {pattern} may look like"
        found[name] = path
    return found


def refused(status: int) -> bool:
    return status in {302, 401, 403}


def test_every_address_has_a_rule_and_every_rule_an_address() -> None:
    assert set(RULES) == set(ALL)


@pytest.mark.parametrize("role", ["anonymous", *ROLES])
def test_reading(filled: dict[str, str], role: str) -> None:
    client = client_of(role)
    client.raise_request_exception = False
    for name, path in filled.items():
        wanted = RULES[name].read
        may = wanted == ANYONE or (role != "anonymous" and (wanted == SIGNED_IN or role == "maintainer"))
        response = client.get(path)
        if wanted == "nobody":
            assert refused(response.status_code) or response.status_code == 405, (name, response.status_code)
        elif not may:
            assert refused(response.status_code), (name, response.status_code)
        elif name in {"today", "sign-in", "calib:threshold", "calib:productset", "calib:product"}:
            assert response.status_code in {200, 302}, (name, response.status_code)
        else:
            assert response.status_code in {200, 404, 503}, (name, response.status_code)


@pytest.mark.parametrize("role", ["anonymous", *ROLES])
@pytest.mark.parametrize("method", UNSAFE)
def test_changing(filled: dict[str, str], role: str, method: str) -> None:
    client = client_of(role)
    client.raise_request_exception = False
    for name, path in filled.items():
        may = role in getattr(RULES[name], method, ())
        response = getattr(client, method)(path)
        if may:
            assert response.status_code in {200, 302, 303, 400, 404, 409}, (name, response.status_code)
        else:
            assert refused(response.status_code) or response.status_code == 405, (name, response.status_code)
        if may:  # signing out, or a changed run, must not decide about the next address
            client = client_of(role)
            client.raise_request_exception = False


@pytest.mark.parametrize("role", ROLES)
def test_a_form_without_its_token_changes_nothing(filled: dict[str, str], role: str) -> None:
    for name, path in filled.items():
        if not RULES[name].post or name == "sign-in":
            continue
        client = client_of(role)
        client.handler.enforce_csrf_checks = True
        assert client.post(path).status_code == 403, name


@pytest.mark.parametrize("role", ["anonymous", "observer", "operator", "scientist"])
def test_the_admin_is_for_maintainers(role: str) -> None:
    for path in ("/admin/", "/admin/dayops/event/", "/admin/auth/user/"):
        assert refused(client_of(role).get(path).status_code), path
    assert client_of("maintainer").get("/admin/").status_code == 200
