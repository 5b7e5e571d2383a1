"""Audio to onset trains to codes and strings, and every step back again.

Pure numpy and numba: no files, no database, no orchestration, nothing of the project's other rooms.
Importing a module of this room imports numba; callers that must start fast import it late.
"""

from spotify_pipeline.fingerprint.audio import Fingerprint, fingerprint
from spotify_pipeline.fingerprint.codes import STOP_CODES, EchoprintCodes, codes_of_trains
from spotify_pipeline.fingerprint.detector import ECHOPRINT, RHYTHM, DetectorSetting, detect_onsets
from spotify_pipeline.fingerprint.errors import (
    AudioError,
    CodesError,
    FingerprintError,
    PackingError,
    StringError,
)
from spotify_pipeline.fingerprint.frontend import envelopes
from spotify_pipeline.fingerprint.onset_features import LLR_BIN_FRAMES, LLR_BINS_PER_SECOND
from spotify_pipeline.fingerprint.onset_llr import (
    bin_llr,
    frame_llr,
    frame_llr_of_onsets,
    llr_at_speed,
    llr_of_onsets,
    onset_llr,
)
from spotify_pipeline.fingerprint.packing import (
    EchoprintForm,
    pack_echoprint,
    pack_trains,
    unpack_codes,
    unpack_echoprint,
    unpack_trains,
)
from spotify_pipeline.fingerprint.recovery import is_padded, trains_of_codes
from spotify_pipeline.fingerprint.streaming import (
    InferredRecording,
    StreamInference,
    infer_stream,
)
from spotify_pipeline.fingerprint.strings import (
    ECHOPRINT_VERSION,
    RHYTHM_VERSION,
    decode_echoprint,
    decode_rhythm,
    encode_echoprint,
    encode_rhythm,
)
from spotify_pipeline.fingerprint.trains import (
    BANDS,
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    SAMPLE_RATE,
    OnsetTrains,
)

__all__ = [
    "BANDS",
    "ECHOPRINT",
    "ECHOPRINT_VERSION",
    "FRAMES_PER_SECOND",
    "FRAME_SAMPLES",
    "LLR_BINS_PER_SECOND",
    "LLR_BIN_FRAMES",
    "RHYTHM",
    "RHYTHM_VERSION",
    "SAMPLE_RATE",
    "STOP_CODES",
    "AudioError",
    "CodesError",
    "DetectorSetting",
    "EchoprintCodes",
    "EchoprintForm",
    "Fingerprint",
    "FingerprintError",
    "InferredRecording",
    "OnsetTrains",
    "PackingError",
    "StreamInference",
    "StringError",
    "bin_llr",
    "codes_of_trains",
    "decode_echoprint",
    "decode_rhythm",
    "detect_onsets",
    "encode_echoprint",
    "encode_rhythm",
    "envelopes",
    "fingerprint",
    "frame_llr",
    "frame_llr_of_onsets",
    "infer_stream",
    "is_padded",
    "llr_at_speed",
    "llr_of_onsets",
    "onset_llr",
    "pack_echoprint",
    "pack_trains",
    "trains_of_codes",
    "unpack_codes",
    "unpack_echoprint",
    "unpack_trains",
]
