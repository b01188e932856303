"""Addresses of DayMOPS' pages, below ``/<dayObs>/mops/``. The dayObs is the night's own."""

from django.urls import path

from mops.views.candidate import candidate_page
from mops.views.candidate_figures import candidate_figure
from mops.views.compare import compare_figure, compare_page
from mops.views.coverage import coverage_map, coverage_page
from mops.views.known_object import object_figure, object_page
from mops.views.night import debt_figure, night_figure, night_of_event, summary_page
from mops.views.objects import objects_page
from mops.views.queue import candidates_page, review_candidate
from mops.views.starting import start_night
from mops.views.submission import decide_submission, decide_submissions, submission_file, submission_page
from mops.views.submissions import submissions_page
from mops.views.tonight import tonight_page, tonight_sky

app_name = "mops"
_CANDIDATE = "candidates/<int:pk>/"
_OBJECT = "objects/<int:pk>/"
_SUBMISSION = "submissions/<int:pk>/"

urlpatterns = [
    path("", summary_page, name="summary"),
    path("start/", start_night, name="start"),
    path("figures/<slug:figure>/", night_figure, name="night-figure"),
    path("throughput/", debt_figure, name="debt-figure"),
    path("nights/<int:pk>/", night_of_event, name="night"),  # where events and notes lead
    path("candidates/", candidates_page, name="candidates"),
    path("candidates/review/", review_candidate, name="review"),
    path(_CANDIDATE, candidate_page, name="linkage"),
    path(f"{_CANDIDATE}figures/<slug:figure>/", candidate_figure, name="linkage-figure"),
    path("objects/", objects_page, name="objects"),
    path(_OBJECT, object_page, name="ssobject"),
    path(f"{_OBJECT}figures/<slug:figure>/", object_figure, name="ssobject-figure"),
    path("hypotheses/", coverage_page, name="coverage"),
    path("hypotheses/figure/", coverage_map, name="coverage-figure"),
    path("compare/", compare_page, name="compare"),
    path("compare/figure/", compare_figure, name="compare-figure"),
    path("tonight/", tonight_page, name="tonight"),
    path("tonight/figure/", tonight_sky, name="tonight-figure"),
    path("submissions/", submissions_page, name="submissions"),
    path("submissions/decide/", decide_submissions, name="submissions-decide"),
    path(_SUBMISSION, submission_page, name="submission"),
    path(f"{_SUBMISSION}decide/", decide_submission, name="submission-decide"),
    path(f"{_SUBMISSION}files/<slug:kind>/", submission_file, name="submission-file"),
]
