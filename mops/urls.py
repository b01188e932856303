"""Addresses of DayMOPS' pages, below ``/<dayObs>/mops/``. The dayObs is the night's own."""

from django.urls import path

from mops.views.candidate import candidate_page
from mops.views.candidate_figures import candidate_figure
from mops.views.night import debt_figure, night_figure, night_of_event, summary_page
from mops.views.queue import candidates_page, review_candidate

app_name = "mops"

urlpatterns = [
    path("", summary_page, name="summary"),
    path("figures/<slug:figure>/", night_figure, name="night-figure"),
    path("throughput/", debt_figure, name="debt-figure"),
    path("nights/<int:pk>/", night_of_event, name="night"),  # where events and notes lead
    path("candidates/", candidates_page, name="candidates"),
    path("candidates/review/", review_candidate, name="review"),
    path("candidates/<int:pk>/", candidate_page, name="linkage"),
    path("candidates/<int:pk>/figures/<slug:figure>/", candidate_figure, name="linkage-figure"),
]
