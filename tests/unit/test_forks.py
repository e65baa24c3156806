"""No process is forked while a thread of its parent has a connection to the database."""

import os
import threading

from gas.forks import unforked


def test_no_process_is_forked_while_a_thread_of_the_worker_is_at_the_database() -> None:
    inside, leave, forked = threading.Event(), threading.Event(), threading.Event()

    def look() -> None:
        with unforked:
            inside.set()
            leave.wait(60)
            assert not forked.is_set()

    def fork() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0)
        forked.set()
        os.waitpid(child, 0)

    threads = [threading.Thread(target=step) for step in (look, fork)]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    assert not forked.wait(0.3)
    leave.set()
    assert forked.wait(60)
    for thread in threads:
        thread.join(60)
