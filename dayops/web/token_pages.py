"""The page where users make and revoke their API tokens."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dayops.models import ApiToken
from dayops.web import tokens


class TokenForm(forms.Form):
    """What a new token is to be called, what it may do and how long it lives."""

    name = forms.CharField(max_length=80, label="Name", help_text="what will use it: “quick-look script on lsst-vm3”")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, label="May")
    days = forms.IntegerField(min_value=1, max_value=366, initial=90, label="Expires after", help_text="days")

    @property
    def expires_at(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.cleaned_data["days"])


@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """List one's tokens; POST makes one and shows its key in the answer, once."""
    form = TokenForm(request.POST or None)
    key = _create(_user(request), form) if request.method == "POST" and form.is_valid() else ""
    mine = ApiToken.objects.filter(user=_user(request)).order_by("revoked_at", "-id")
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    context = {"form": TokenForm() if key else form, "key": key, "tokens": mine, "now": datetime.now(UTC)}
    return render(request, "tokens.html", context, status=status)


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    user = _user(request)
    tokens.revoke(get_object_or_404(ApiToken, pk=pk, user=user), user.get_username())
    return redirect("tokens")


def _create(user: User, form: TokenForm) -> str:
    try:
        return tokens.create(user, form.cleaned_data["name"], form.cleaned_data["scope"], form.expires_at)[1]
    except ValueError as error:
        form.add_error("name", str(error))
        return ""


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "these pages are private: SignInRequired lets no one else in"
    return request.user
