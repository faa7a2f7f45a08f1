"""The threads behind the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pathlake.server.workers import Workers


def test_results_and_errors_come_back() -> None:
    workers = Workers("test")

    async def ask() -> int:
        with pytest.raises(ValueError, match="mine"):
            await workers.run(lambda: int("mine"))
        with pytest.raises(RuntimeError, match="StopIteration"):
            await workers.run(lambda: next(iter(())))
        return await workers.run(lambda: 7)

    assert asyncio.run(ask()) == 7
    workers.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-")]


def test_a_job_never_waits_for_another_while_there_is_room() -> None:
    """Each of the jobs ends only when all have begun, so that one queued behind another would block for ever."""
    workers = Workers("test", most=8)
    barrier = threading.Barrier(8, timeout=10)

    async def ask() -> list[int]:
        rounds = [await asyncio.gather(*(workers.run(barrier.wait) for _ in range(8))) for _ in range(20)]
        return sorted(rounds[-1])

    assert asyncio.run(ask()) == list(range(8))
    workers.stop()


def test_threads_are_kept_and_bounded() -> None:
    workers = Workers("bounded", most=3)

    async def ask() -> set[str]:
        return set(await asyncio.gather(*(workers.run(lambda: threading.current_thread().name) for _ in range(50))))

    assert len(asyncio.run(ask())) <= 3
    workers.stop()


def test_a_stopped_pool_refuses_work_and_a_closed_loop_is_no_trouble() -> None:
    workers = Workers("test")
    release = threading.Event()

    async def leave() -> None:
        waiting = asyncio.ensure_future(workers.run(lambda: release.wait(10)))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave())
    release.set()
    workers.stop()

    async def ask() -> None:
        with pytest.raises(RuntimeError, match="stopped"):
            await workers.run(lambda: None)

    asyncio.run(ask())
