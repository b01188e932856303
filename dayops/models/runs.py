"""Work: a run is stages in order, the tasks of one stage run in parallel, every try of a task is an attempt.

The rows below are the truth about work (DESIGN §4); Redis only carries a wake-up. Phases are those of the IVOA
Universal Worker Service. Every instant is UTC (PostgreSQL `timestamptz`).
"""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Phase(models.TextChoices):
    PENDING = "PENDING", "Pending"
    QUEUED = "QUEUED", "Queued"
    EXECUTING = "EXECUTING", "Executing"
    COMPLETED = "COMPLETED", "Completed"
    ERROR = "ERROR", "Error"
    ABORTED = "ABORTED", "Aborted"

    @classmethod
    def ended(cls) -> list[str]:
        return [cls.COMPLETED, cls.ERROR, cls.ABORTED]


class Run(models.Model):
    """One piece of work an operator would name: "assess exposure MC_S_20261122_000012".

    `key` says what the work is; asking twice for the same key gives the same run.
    """

    activity = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    day_obs = models.IntegerField(help_text="dayObs, YYYYMMDD")
    key = models.CharField(max_length=200, unique=True)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.PENDING)
    stages = models.JSONField(default=list, help_text="names of the stages, in order")
    parameters = models.JSONField(default=dict)
    subject = models.CharField(max_length=200, blank=True, help_text="what the run is about, for links")
    deadline = models.DateTimeField(null=True, blank=True)
    code_version = models.CharField(max_length=80, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    summary = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    abort_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="run_phase_known", condition=models.Q(phase__in=Phase.values)),
            models.CheckConstraint(
                name="run_ended_has_time",
                condition=~models.Q(phase__in=["COMPLETED", "ERROR", "ABORTED"]) | models.Q(ended_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # the day board and the run list read one day at a time, newest first
            models.Index(fields=["day_obs", "activity", "-id"], name="run_by_day"),
            # the scheduler looks for runs that are not over
            models.Index(fields=["phase"], name="run_live", condition=~models.Q(phase__in=["COMPLETED", "ABORTED"])),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} · {self.title}"

    @property
    def is_over(self) -> bool:
        return self.phase in Phase.ended()


class Task(models.Model):
    """One claimable unit of work. `attempt` is the fencing token: only the newest attempt may commit."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tasks")
    stage = models.CharField(max_length=40)
    ordinal = models.PositiveSmallIntegerField(help_text="place of the stage in the run")
    key = models.CharField(max_length=200, help_text="names the task within its run")
    queue = models.CharField(max_length=40)
    priority = models.SmallIntegerField(default=0, help_text="higher is claimed first")
    function = models.CharField(max_length=80, help_text="a name on the allow-list of dayops.engine")
    arguments = models.JSONField(default=dict)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.PENDING)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    timeout_s = models.PositiveIntegerField(default=600)
    not_before = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)
    inputs = models.JSONField(default=list, help_text="sha256 of every file read")
    outputs = models.JSONField(default=list, help_text="sha256 of every file written")
    error_class = models.CharField(max_length=80, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="task_once_per_run"),
            models.CheckConstraint(name="task_phase_known", condition=models.Q(phase__in=Phase.values)),
            models.CheckConstraint(
                name="task_executing_has_lease",
                condition=~models.Q(phase="EXECUTING") | models.Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="task_ended_has_time",
                condition=~models.Q(phase__in=["COMPLETED", "ERROR", "ABORTED"]) | models.Q(ended_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # the claim: oldest of the highest priority on one queue
            models.Index(fields=["queue", "-priority", "id"], name="task_claim", condition=models.Q(phase="QUEUED")),
            # the tick looks for holders that have died
            models.Index(fields=["lease_until"], name="task_leases", condition=models.Q(phase="EXECUTING")),
            # the run page and the stage gate
            models.Index(fields=["run", "ordinal", "phase"], name="task_by_stage"),
        ]

    def __str__(self) -> str:
        return f"task {self.pk} · {self.key}"


class Attempt(models.Model):
    """One try of a task by one worker, kept for ever so that poisonous input shows."""

    class Outcome(models.TextChoices):
        RUNNING = "RUNNING", "Running"
        COMPLETED = "COMPLETED", "Completed"
        RETRY = "RETRY", "Failed, will be tried again"
        ERROR = "ERROR", "Failed"
        LOST = "LOST", "Worker lost"
        ABORTED = "ABORTED", "Aborted"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=120)
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    code_version = models.CharField(max_length=80, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    max_rss_mib = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "number"], name="attempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of task {self.task_id}"


class LogLine(models.Model):
    """One line a task wrote while it ran. Lines of a superseded attempt stay: they happened."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="log_lines")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    level = models.CharField(max_length=8)
    text = models.TextField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["task", "id"], name="log_by_task")]

    def __str__(self) -> str:
        return self.text
