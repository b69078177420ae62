"""A pass over the frames of a video file that sees in the end whether the file was whole."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

# A file holding less than this share of what its header promises counts as truncated. Headers may be off by a frame or
# two (packed B-frames, a first frame that leans on one cut away); a download that broke off is off by far more.
COMPLETE = 0.9

# A damaged frame among this many last ones shows that a file breaks off; B-frames are not shown in the order stored.
_TAIL = 4

# Between two packets of Matroska lie headers, of some twenty bytes. More than this is content that could not be read.
_HEADERS = 100  # bytes


class Reading:
    """Packets and frames of a stream, counted, with what tells of a file that is cut or damaged.

    Attributes:
        num_packets: how many packets have come that make a frame.
        num_frames: how many frames have been decoded.
        is_mpeg: whether this is an MPEG program stream, which states neither its length nor its number of frames.
        packets: the packets of the stream; whoever wants frames takes :meth:`frames` instead, or goes on with these.
    """

    def __init__(self, container: "InputContainer", stream: "VideoStream") -> None:
        self.num_packets = 0
        self.num_frames = 0
        self.packets = self._packets()
        self._container, self._stream = container, stream
        self._format = container.format.name
        self.is_mpeg = self._format == "mpeg"
        self._indexed = len(stream.index_entries)  # where AVI has its index at all: it stands at the end of the file
        self._end = Fraction(0)  # in seconds
        self._last_damaged: int | None = None
        self._latest = 0  # time stamp of a frame, in the stream's ticks
        self._backwards = 0  # how far time has jumped back
        self._position: int | None = None  # in the file, after the last packet
        self._unread = False  # whether there were bytes of no packet since the last one of the stream
        self._last_time: int | None = None
        self._lost = Fraction(0)  # seconds of packets that lay there

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        # Those of all streams, as the duration in a header is that of the longest; but AVI states each stream's own.
        for packet in self._container.demux():
            ours = packet.stream_index == self._stream.index
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None and (ours or self._format != "avi"):
                self._end = max(self._end, (time + (packet.duration or 0)) * packet.time_base)
            self._note_lost(packet, ours)
            # An empty packet would tell the decoder that the stream has ended.
            if ours and packet.size:
                # Not shown: what an edit list leaves out, and what VP8 keeps only for others to refer to.
                hidden = packet.is_discard or (self._stream.name == "vp8" and not memoryview(packet)[0] & 0x10)
                self.num_packets += not hidden
                yield packet  # type: ignore[misc]  # of this very stream

    def _note_lost(self, packet: "Packet[Any]", ours: bool) -> None:
        """Note a jump in time that comes with bytes that belong to no packet; alone, it is only a still picture."""
        if packet.pos is None or packet.dts is None:
            return
        self._unread |= self._position is not None and packet.pos - self._position > _HEADERS
        self._position = packet.pos + packet.size
        if ours:
            if self._unread and self._last_time is not None:
                self._lost += max(0, packet.dts - self._last_time - (packet.duration or 0)) * packet.time_base
            self._unread, self._last_time = False, packet.dts

    def frames(self) -> "Iterator[av.VideoFrame]":
        """The frames in the order they are shown, without those that an edit list leaves out."""
        for packet in self.packets:
            yield from self._counted(packet.decode())
        yield from self._counted(self._stream.decode(None))  # what the decoder has kept back

    def _counted(self, frames: "list[av.VideoFrame]") -> "Iterator[av.VideoFrame]":
        for frame in frames:
            if frame.is_corrupt:
                self._last_damaged = self.num_frames
            if frame.pts is not None:
                self._backwards = max(self._backwards, self._latest - frame.pts)
                self._latest = max(self._latest, frame.pts)
            self.num_frames += 1
            yield frame

    def fault(self, num_frames: int) -> str | None:
        """What shows that a file, read to its end, is not whole; None if nothing does.

        Args:
            num_frames: how many frames were found.
        """
        # The index of AVI and MP4 has an entry for each stored frame. Others list key frames there, or nothing.
        indexed = sum(not entry.is_discard for entry in self._stream.index_entries)
        if num_frames < COMPLETE * max(indexed, self.num_packets):
            return f"{num_frames} of {max(indexed, self.num_packets)} frames found"
        if self._format == "avi":
            # The header counts slots, the empty ones included, and a tick of the clock is a slot.
            slots = self._stream.frames
            if slots and self.num_packets > max(slots / COMPLETE, slots + 2):
                return f"{self.num_packets} frames found where its header has {slots}, as if another file followed"
            stated = slots * (self._stream.time_base or Fraction(0))
            return self._fault_in_time(stated, num_frames, broken=self._indexed < self.num_packets)
        if self._format.startswith("matroska"):
            stated = Fraction(self._container.duration or 0, 1_000_000)
            if stated and self._backwards * (self._stream.time_base or 0) > (1 - COMPLETE) * stated:
                return "time begins again within it, as if another file followed"
            if stated and self._lost > (1 - COMPLETE) * stated:
                return f"{float(self._lost):.2f} of {float(stated):.2f} seconds within it cannot be read"
            return self._fault_in_time(stated, num_frames)
        if self.is_mpeg and self._last_damaged is not None:
            return f"frame {self._last_damaged} is damaged"  # nothing else would show it: MPEG states no length
        return self._fault_at_end(num_frames)

    def _fault_in_time(self, stated: Fraction, num_frames: int, *, broken: bool = False) -> str | None:
        """What is wrong with when the file ends, by the end that its header states in seconds; 0 is for none."""
        if not stated:
            return self._fault_at_end(num_frames)
        if self._end < COMPLETE * stated:
            promised = f", with {num_frames} of {self._stream.frames} frames found" if self._stream.frames else ""
            return f"it ends after {float(self._end):.2f} of {float(stated):.2f} seconds{promised}"
        if self._end < stated:
            return f"it breaks off after {num_frames} frames" if broken else self._fault_at_end(num_frames)
        return None

    def _fault_at_end(self, num_frames: int) -> str | None:
        torn = self._last_damaged is not None and num_frames - self._last_damaged <= _TAIL
        return f"it breaks off within frame {self._last_damaged}" if torn else None
