"""A worker whose process dies while it starts goes on with another."""

from celery import concurrency

from celeryconfig import worker_pool
from tasks.pool import TaskPool


class Processes:
    """Counts how often the pool was asked to replace what has ended."""

    maintained = 0

    def maintain_pool(self) -> None:
        self.maintained += 1


def test_a_pool_that_lost_a_process_while_it_started_replaces_it_and_goes_on() -> None:
    pool = TaskPool.__new__(TaskPool)
    pool._pool = Processes()
    assert pool.did_start_ok()
    assert pool._pool.maintained == 1


def test_workers_use_this_pool() -> None:
    assert concurrency.get_implementation(worker_pool) is TaskPool
