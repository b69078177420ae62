"""What FVD becomes when one thing of its protocol changes: measured once, with I3D's real weights, and kept.

``fvd_protocols.json``, beside this file, is what ``benchmarks/fvd_protocols.py --write`` wrote. So what it shows can be
shown to those who have neither the weights nor an hour.
"""

from dataclasses import dataclass
from pathlib import Path

from ldvd_lib._kit.configuration import load_records

MEASURED = Path(__file__).with_name("fvd_protocols.json")


@dataclass(frozen=True)
class FVDUnder:
    """Fréchet distances of I3D's logits to real training clips, under one protocol.

    Attributes:
        changed: what differs from the first protocol of the list: ``"stride"``, ``"resize"``, ``"split"``,
            ``"number"``; or empty, of the first itself.
        protocol: it in words.
        generated: the distance of the model's clips.
        held_out: that of real clips of the test split; None where these are the reference.
        clips: generated ones, and as many real ones.
        model: a name of `ldvd_lib.runs.pretrained`.
        network: the judging protocol's identity, whose network and layer these are.
        weights: SHA-256 of the network's file.
    """

    changed: str
    protocol: str
    generated: float
    held_out: float | None
    clips: int
    model: str
    network: str
    weights: str


def fvd_under_protocols(path: str | Path = MEASURED) -> list[FVDUnder]:
    """Our measurements, or those in another file of ``benchmarks/fvd_protocols.py``.

    Raises:
        FileNotFoundError, ValueError: if there is no such file, or something else in it.
    """
    return load_records(FVDUnder, path, called="FVDs under several protocols")
