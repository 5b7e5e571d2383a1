"""Clients share threads in turn, and too many are refused."""

import asyncio
import threading

import pytest

from spotify_pipeline.serve.turns import BusyError, Places, Turns


def test_a_client_with_one_piece_of_work_does_not_wait_for_all_of_another() -> None:
    async def order() -> list[str]:
        turns, done, begin = Turns(threads=1, waiting=100), list[str](), threading.Event()

        def work(name: str) -> None:
            begin.wait()
            done.append(name)

        many = [asyncio.create_task(turns.run("many", lambda: work("many"))) for _ in range(10)]
        await asyncio.sleep(0)
        one = asyncio.create_task(turns.run("one", lambda: work("one")))
        await asyncio.sleep(0)
        begin.set()
        await asyncio.gather(*many, one)
        turns.close()
        return done

    assert asyncio.run(order()).index("one") <= 2


def test_beyond_so_many_that_wait_the_next_one_is_refused() -> None:
    async def refuse() -> None:
        turns, begin = Turns(threads=1, waiting=2), threading.Event()
        asked = [asyncio.create_task(turns.run("a", begin.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        assert (turns.running, turns.waiting) == (1, 2)
        with pytest.raises(BusyError) as refused:
            await turns.run("b", begin.wait)
        assert refused.value.retry_after >= 1
        begin.set()
        await asyncio.gather(*asked)
        assert (turns.running, turns.waiting) == (0, 0)
        turns.close()

    asyncio.run(refuse())


def test_who_gives_up_leaves_the_place_and_who_works_keeps_the_thread() -> None:
    async def give_up() -> None:
        turns, begin = Turns(threads=1, waiting=2), threading.Event()
        working = asyncio.create_task(turns.run("a", begin.wait))
        waiting = asyncio.create_task(turns.run("a", begin.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert (turns.running, turns.waiting) == (1, 0)
        working.cancel()
        await asyncio.sleep(0)
        assert turns.running == 1
        begin.set()
        assert await turns.run("b", lambda: 7) == 7
        turns.close()

    asyncio.run(give_up())


def test_what_work_raises_is_raised_where_it_is_awaited() -> None:
    async def fail() -> None:
        turns = Turns(threads=1, waiting=1)
        with pytest.raises(ZeroDivisionError):
            await turns.run("a", lambda: 1 / 0)
        assert turns.running == 0
        turns.close()

    asyncio.run(fail())


def test_places_are_given_back() -> None:
    places = Places(1)
    for _ in range(2):
        with places.taken(), pytest.raises(BusyError), places.taken():
            pass
