"""The kinds of file that the library reads: how a sound sample comes about, how it is used, what must hold."""

from kinds import classroom, data, metrics, runs, transfers, videos

KINDS = videos.KINDS | data.KINDS | runs.KINDS | metrics.KINDS | transfers.KINDS | classroom.KINDS
