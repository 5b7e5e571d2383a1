"""The whole way on a little music, with few impostors."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.baselines import BASELINES
from spotify_pipeline.evaluation.evaluate import Evaluation, EvaluationSetting, evaluate
from spotify_pipeline.evaluation.impostors import Impostors, Kind
from spotify_pipeline.evaluation.judge import Judge, Result
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.queries import queries
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline_tests.evaluation.music import MUSIC_RATE, no_report
from spotify_pipeline_tests.tracks import Track, index_of

SETTING = EvaluationSetting(
    distractors=20, lengths=[10.0], degradations=["clean", "pink 10"], excerpts=1, baselines=True
)


@pytest.fixture(scope="module")
def progress() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def evaluation(
    music: Path, progress: list[tuple[int, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> Evaluation:
    folder = tmp_path_factory.mktemp("evaluation") / "index"
    warnings: list[str] = []
    found = evaluate(
        [music], SETTING, folder, lambda *reported: progress.append(reported), warnings.append
    )
    assert "all pieces are asked for" in warnings[0]
    assert "independent gaps" in warnings[1]
    return found


def test_clean_excerpts_are_found_with_their_offset(evaluation: Evaluation) -> None:
    clean = [r for r in evaluation.results if r.excerpt.degradation == "clean"]
    assert len(clean) == evaluation.pieces == 4
    for result in clean:
        assert result.scores.first
        assert abs(result.error) < 0.05
        assert result.scores.own > result.scores.unknown
        assert result.expected > 100


def test_without_harmony_rhythm_decides_alone(
    evaluation: Evaluation, music: Path, tmp_path: Path
) -> None:
    setting = replace(SETTING, harmony=False, degradations=["clean"], baselines=False)
    without = evaluate([music], setting, tmp_path / "index", no_report, lambda _: None)
    for results, harmony in ((evaluation.results, True), (without.results, False)):
        matches = [found.match for result in results for found in result.known]
        assert any(match.evidence.harmony != 0 for match in matches) is harmony
        assert any(match.evidence.loudness != 0 for match in matches) is harmony
    assert all(result.scores.first for result in without.results)


def test_every_excerpt_is_judged_by_every_baseline(evaluation: Evaluation) -> None:
    assert all(set(result.baselines) == set(BASELINES) for result in evaluation.results)


def test_the_tables_tell_of_every_condition(evaluation: Evaluation) -> None:
    tables = evaluation.tables()
    assert [*tables] == ["impostors", "detection", "baselines", "time", "reliability"]
    conditions = ["clean  10 s", "pink 10  10 s"]
    assert [row[0] for row in tables["baselines"].rows] == conditions
    assert [row[0] for row in tables["detection"].rows][:3] == [*conditions, "all"]
    assert tables["impostors"].rows[-1] == ("impostors: independent gaps", "20")
    assert sum(b.answers for b in evaluation.bins) >= 4
    assert evaluation.figures["top_1 clean"] == 1
    assert evaluation.plot().startswith(b"\x89PNG")
    assert evaluation.worst().startswith("# Worst cases")


def test_the_test_set_is_asked_among_tracks_spliced_from_the_other_pieces(
    music: Path, tmp_path: Path
) -> None:
    for number, file in zip((3, 8, 10, 14), sorted(music.iterdir()), strict=True):
        shutil.copy(file, tmp_path / f"piece {number}.flac")
    samples, rate = soundfile.read(music / "piece 1.flac", frames=40 * MUSIC_RATE)
    soundfile.write(tmp_path / "piece 1.flac", samples, rate)
    setting = replace(SETTING, degradations=["clean"], spliced=15, baselines=False)
    found = evaluate([tmp_path], setting, tmp_path / "index", no_report, pytest.fail)
    assert found.pieces == 4
    assert {result.name for result in found.results} == {f"piece {n}" for n in (3, 8, 10, 14)}
    assert found.impostors == {Kind.SPLICED: 15, Kind.INDEPENDENT: 5}
    assert all(result.right for result in found.results)
    with pytest.raises(PipelineError, match="0 of 5 pieces belong to the validation set"):
        evaluate(
            [tmp_path],
            replace(setting, part=Part.VALIDATION),
            tmp_path / "index",
            no_report,
            pytest.fail,
        )


def test_unknown_excerpts_are_asked_of_an_index_without_their_group(
    evaluation: Evaluation,
) -> None:
    names = {result.group: set[str]() for result in evaluation.results}
    for result in evaluation.results:
        names[result.group].add(result.name)
    assert len(names[0]) == len(names[1]) == 2
    for result in evaluation.results:
        assert all(found.name not in names[result.group] for found in result.unknown)
        assert all(
            found.kind is Kind.PIECE and found.name == result.name
            for found in result.known
            if found.match.track == result.track
        )


def test_progress_goes_through_all_excerpts(
    evaluation: Evaluation, progress: list[tuple[int, int, str]]
) -> None:
    asked = [done for done, total, what in progress if what == "identifying excerpts"]
    assert asked == [*range(len(evaluation.results))]
    assert len(evaluation.results) == 8


def test_an_evaluation_cut_short_says_the_same_as_far_as_it_came_and_leaves_nothing_behind(
    music: Path, evaluation: Evaluation, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int, what: str) -> None:
        if (done, total) == (3, 8):
            raise KeyboardInterrupt

    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "group 0").write_bytes(b"left by an evaluation that was killed")
    warnings: list[str] = []
    again = evaluate([music], SETTING, folder, interrupt, warnings.append)
    assert not folder.exists()
    assert warnings[2:] == ["stopped after 3 of 8 excerpts; the report is of these"]
    assert len(again.results) == 3
    for one, other in zip(evaluation.results, again.results, strict=False):
        assert answered(one) == answered(other)
    rows = again.tables()["detection"].rows
    assert [row[:2] for row in rows][:3] == [
        ("clean  10 s", "2"),
        ("pink 10  10 s", "1"),
        ("all", "3"),
    ]


def answered(result: Result) -> tuple[object, ...]:
    """Give what may not change from run to run: everything but times."""
    return result.excerpt, result.known, result.unknown, result.baselines


def test_timing_changes_no_answer_and_misses_no_time(pieces: list[Piece], tmp_path: Path) -> None:
    judge = Judge(tmp_path, pieces, Impostors({}))
    order = [0, 2, 1, 3]  # the first group's first
    tracks = [
        Track("0" * 22, None, piece.fingerprint.rhythm, piece.fingerprint.echoprint, piece.harmony)
        for piece in (pieces[number] for number in order)
    ]
    plain = Identifier(index_of(tmp_path, tracks))
    for query in queries(pieces[:2], ["clean", "room"], [5.0], 1):
        started = time.perf_counter()
        result = judge.result(query)
        elapsed = time.perf_counter() - started
        taken = sum(result.known_seconds.values()) + sum(result.unknown_seconds.values())
        assert 0.5 * elapsed < taken <= elapsed
        found = plain.matches(query.fingerprint, query.samples)
        # which of the unlikely tracks a search comes upon depends on how segments are cut
        best = result.known[0].match
        assert (best.track, best.offset) == (found[0].track, found[0].offset)
        assert best.evidence.likelihood == found[0].evidence.likelihood
        assert result.track == order.index(query.excerpt.piece)
        steps = {step.attempt for step in result.known_seconds}
        assert steps & {"1 slight", "2 quick"}
        assert all(step.stage and step.attempt for step in result.unknown_seconds)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"degradations": ["clean", "rain"]}, "there is no degradation 'rain'; there are clean, "),
        ({"degradations": []}, "name a degradation and a length"),
        ({"lengths": [5.0, 90.0]}, "can't be 90 s long; choose lengths from 1 to 60 s"),
        ({"lengths": [np.nan]}, "can't be nan s long"),
        ({"excerpts": 0}, "excerpts must be 1 or more"),
        ({"distractors": -1}, "distractors must be 0 or more"),
        ({"distractors": 10, "spliced": 11}, "spliced must be from 0 to the distractors, 10"),
        ({"part": Part.TRAINING}, "the training set can't be asked for"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        EvaluationSetting(**wrong)
