"""Lines of progress: when they are written and what they say, under a clock that the test sets."""

from types import SimpleNamespace

import pytest

from spotify_pipeline import progress
from spotify_pipeline.progress import LOG_INTERVAL, Report, log_reporter


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Give the time in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def report_after(clock: Clock, report: Report, seconds: float, done: int, total: int) -> None:
    clock.now += seconds
    report(done, total, "0a.jsonl.zst")


def test_nothing_is_written_before_the_interval_is_over(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "MB")
    for _ in range(49):
        report_after(clock, report, LOG_INTERVAL / 50, 1, 100)
    assert lines == []


def test_lines_come_an_interval_apart_however_often_work_reports(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "tracks")
    report(0, 1000, "0a.jsonl.zst")
    for done in range(1000):
        report_after(clock, report, LOG_INTERVAL / 10, done, 1000)
    assert 90 <= len(lines) <= 100


def test_a_line_says_amount_rate_fraction_and_time_left(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "MB")
    report(0, 8_000_000_000, "0a.jsonl.zst")
    report_after(clock, report, 10, 2_000_000_000, 8_000_000_000)
    assert lines == ["0a.jsonl.zst: 2,000 MB, 200.0 MB/s, 25%, about 30 s left"]


def test_counts_are_not_scaled(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "tracks")
    report(0, 3000, "0a.jsonl.zst")
    report_after(clock, report, 10, 1500, 3000)
    assert lines == ["0a.jsonl.zst: 1,500 tracks, 150.0 tracks/s, 50%, about 10 s left"]


def test_an_unknown_total_leaves_out_fraction_and_time_left(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "tracks")
    report(0, 0, "0a.jsonl.zst")
    report_after(clock, report, 10, 1500, 0)
    assert lines == ["0a.jsonl.zst: 1,500 tracks, 150.0 tracks/s"]


def test_without_a_unit_only_the_fraction_is_reported(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append)
    report(0, 4, "0a.jsonl.zst")
    report_after(clock, report, 10, 1, 4)
    assert lines == ["0a.jsonl.zst: 25%, about 30 s left"]


def test_without_a_unit_or_a_total_the_work_is_still_named(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append)
    report(0, 0, "0a.jsonl.zst")
    report_after(clock, report, 10, 1, 0)
    assert lines == ["0a.jsonl.zst"]


def test_the_rate_is_that_of_the_work_named(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "tracks")
    report(0, 100, "other work")
    clock.now += 1000
    report(0, 100, "0a.jsonl.zst")
    report_after(clock, report, 10, 50, 100)
    assert lines == ["0a.jsonl.zst: 50 tracks, 5.0 tracks/s, 50%, about 10 s left"]


def test_work_that_has_not_moved_or_overshot_is_no_error(clock: Clock) -> None:
    lines: list[str] = []
    report = log_reporter(lines.append, "MB")
    report(0, 10, "0a.jsonl.zst")
    report_after(clock, report, 10, 0, 10)
    report_after(clock, report, 10, 11, 10)
    assert len(lines) == 2
