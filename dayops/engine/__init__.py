"""What a worker does with a task: claim it, keep it, commit it, or say why not.

1. `claim`: the oldest claimable task of the highest priority, `FOR UPDATE SKIP LOCKED`; `attempt` grows by one and is
   the fencing token; a lease on PostgreSQL's clock; a session advisory lock that PostgreSQL frees when we die.
2. `keeper`: a thread extends the lease `WHERE attempt = mine`. No row: somebody took over or the run was aborted, and
   this process ends at once, before it can do harm.
3. `work`: outputs and COMPLETED in one transaction `WHERE attempt = mine`. No row: roll back.
4. `perform`: bad input ends the task with its sentence; what may pass is tried again later; anything else is tried
   `max_attempts` times and then left to a person.

Why each step is as it is: docs/architecture.md.
"""

from dayops.engine.claim import claim
from dayops.engine.functions import job_function
from dayops.engine.perform import enough, perform, work_off
from dayops.engine.work import BadInput, Retriable, Superseded, Work

__all__ = ["BadInput", "Retriable", "Superseded", "Work", "claim", "enough", "job_function", "perform", "work_off"]
