"""Threads that run the engine's blocking calls for the event loop.

Neither asyncio's default executor nor a `ThreadPoolExecutor` will do inside somebody else's process: both refuse work
once the main thread has ended, while other threads of the process may still be talking to the engine. These threads
are daemons, grow on demand, and are joined by `stop`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[asyncio.Future[Any], asyncio.AbstractEventLoop, Callable[[], Any]]


class Workers:
    """A pool of daemon threads for one event loop.

    Args:
        name: Prefix of the threads' names.
        most: Upper bound of threads. High on purpose: a write waits for the writes before it, and must not keep
            readers from a thread.
    """

    def __init__(self, name: str, *, most: int = 64) -> None:
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: set[threading.Thread] = set()
        self._open = 0
        self._made = 0
        self._lock = threading.Lock()
        self._stopped = False

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` on a thread and return what it returns, or raise what it raises.

        A task that is cancelled while it waits does not stop the call, whose outcome is then dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._stopped:
                raise RuntimeError("The engine has stopped.")
            self._jobs.put((future, loop, call))
            self._open += 1
            if self._open > len(self._threads) and len(self._threads) < self._most:
                self._made += 1
                thread = threading.Thread(target=self._work, name=f"{self._name}-{self._made}", daemon=True)
                self._threads.add(thread)
                thread.start()
        return await future

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Let the threads finish what they run, and end them."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join(timeout_s)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _run(job)
            # A thread that waits must not keep alive what its last job held.
            del job
            with self._lock:
                self._open -= 1
        with self._lock:
            self._threads.discard(threading.current_thread())


def _run(job: _Job) -> None:
    future, loop, call = job
    result: Any = None
    failure: BaseException | None = None
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001
        # Whatever a call raises belongs to the request that asked for it, never to this thread.
        failure = error
    try:
        loop.call_soon_threadsafe(_settle, future, result, failure)
    except RuntimeError:
        # The loop is closed: nobody waits for the outcome any more.
        return


def _settle(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    elif isinstance(failure, StopIteration):
        future.set_exception(RuntimeError("a call of the engine raised StopIteration"))
    else:
        future.set_exception(failure)
