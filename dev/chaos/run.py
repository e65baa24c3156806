"""One run: the town starts, the crowd comes, the strikes fall; when it is quiet all is checked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev.chaos import hooks, samples, script, verdict
from dev.chaos.books import Books
from dev.chaos.crowd import Crowd
from dev.chaos.postbox import ACTION, Postbox
from dev.chaos.strikes import Siege
from dev.chaos.town import TIMERS, Server, Town
from dev.chaos.verdict import Verdict
from dev.fake_globus.personas import PERSONAS
from dev.faults.proxy import Proxy
from dev.faults.receiver import Heard, receiver
from dev.stack import Ports
from dev.waiting import NotInTime, until

LOOK_SECONDS = 0.5
JOBS_PER_STRIKE, FEWEST_STRIKES = 6, 8
AHEAD = 12  # files that may be handed in before a strike that is due has fallen

#: Seconds for the service to come to rest after the last fault, and more for each job.
REST_SECONDS, REST_PER_JOB = 90.0, 0.5


@dataclass
class Run:
    """One run in a folder of its own; `database` is the address of an empty one, None for SQLite.

    With a `server` of its own the database is restarted in the middle.
    """

    folder: Path
    jobs: int
    seed: int
    database: str | None = None
    server: Server | None = None
    strikes: int | None = None
    only: str = ""  # the kinds of strikes that have this word
    began: float = field(default_factory=time.monotonic)

    def play(self) -> Verdict:
        """Do it all and return what was found."""
        ports, postbox = Ports.free(), Postbox()
        with Proxy(ports.aws) as proxy, receiver() as called, Proxy(called.port) as way:
            settings = TIMERS | {"AWS_ENDPOINT_URL": proxy.endpoint}
            if self.database:
                settings["DATABASE_URL"] = self.database
            with proxy.failing(ACTION, postbox), Town(self.folder, ports, settings) as town:
                found = self._besiege(Siege(town, proxy, postbox, way, self.server), called.heard)
        found.figures["seconds"] = round(time.monotonic() - self.began)
        return found

    def _besiege(self, siege: Siege, heard: Sequence[Heard]) -> Verdict:
        """Let the crowd and the strikes meet, wait until all is quiet, and judge."""
        town, workshop = siege.town, self.folder / "files"
        workshop.mkdir()
        made = samples.make(workshop)
        count = self.strikes or max(FEWEST_STRIKES, self.jobs // JOBS_PER_STRIKE)
        plot = script.write(self.jobs, self.seed, siege.kinds(self.only), count)
        town.lift_limits()
        crowd = Crowd(town, plot, made, workshop)
        crowd.sign_in([persona.name for persona in PERSONAS])
        for hook in hooks.HOOKS:
            crowd.people[hook.persona].be_called(siege.way.endpoint + hook.path, hook.events)
        self._strike(siege, crowd)
        unrest = self._rest(siege)
        found = verdict.judge(town, crowd.told, made, siege.postbox.taken, siege.poison)
        calls = hooks.calls_in(town.database)
        hooks.judge(found, Books.read(town.database), crowd.told, calls, heard)
        for person in crowd.people.values():
            if (plan := person.plan()) != person.expected_plan:
                found.blame("plans", f"{person.name} is on {plan}, not {person.expected_plan}")
        if unrest:
            found.blame("stuck", f"at the end there are {unrest}")
        for ended in siege.ended:
            if "killed" not in ended:  # one that begins ends when what it started is killed
                found.blame("processes", ended)
        found.figures["processes that ended and were started again"] = len(siege.ended)
        found.faults.update(siege.done)
        return found

    def _strike(self, siege: Siege, crowd: Crowd) -> None:
        """Let each strike fall when the crowd has come so far; what is left falls at the end."""
        crowd.most = AHEAD
        thread = crowd.start()
        for strike in crowd.script.strikes:
            crowd.most = strike.after + AHEAD
            while len(crowd.told) < strike.after and thread.is_alive():
                siege.listen()
                thread.join(LOOK_SECONDS)
            hit = siege.strike(strike)
            self._say(f"{len(crowd.told):5d} files: {strike.kind}{'' if hit else ' (nothing hit)'}")
        crowd.most = self.jobs
        while thread.is_alive():
            siege.listen()
            thread.join(LOOK_SECONDS)
        if crowd.failure:
            raise crowd.failure

    def _rest(self, siege: Siege) -> str:
        """Wait until all is at rest and every queue empty; says what is not in time."""
        town = siege.town

        def rests() -> bool:
            siege.mend()
            time.sleep(LOOK_SECONDS)  # a look costs the database three connections
            return not town.restless()

        self._say("all files are handed in and all faults are over")
        seconds = REST_SECONDS + REST_PER_JOB * self.jobs
        try:
            until(rests, "rest", seconds=seconds)
            town.kill("beat")
            until(lambda: not town.waiting(), "empty queues", seconds=REST_SECONDS)
        except NotInTime as late:
            self._say(str(late))
        return town.restless()

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s {what}", flush=True)
