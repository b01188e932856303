"""Sign in and out. Guessing is slowed by counting failed attempts, which are events like everything else."""

from typing import Any

from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpResponse
from django.utils.decorators import method_decorator

from dayops.web import throttle
from dayops.web.theme import theme_of


@method_decorator(login_not_required, name="dispatch")
class SignIn(views.LoginView):
    """The sign-in page. `next` is followed only within this site (Django's LoginView sees to it)."""

    http_method_names = ["get", "head", "post", "options"]

    template_name = "sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, theme=theme_of(self.request))

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        address = throttle.address_of(self.request)
        with transaction.atomic():
            throttle.one_at_a_time(address)
            form = self.get_form()
            if refused := throttle.refusal_for(address, form.data.get("username", "")):
                form.errors["__all__"] = form.error_class([refused])
                return self.render_to_response(self.get_context_data(form=form), status=429)
            return self.form_valid(form) if form.is_valid() else self.form_invalid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        throttle.record_failure(throttle.address_of(self.request), form.data.get("username", ""))
        return super().form_invalid(form)
