#!/usr/bin/python3
"""aiortc as a WHIP publisher or a WHEP player. How it is called: README.md."""
import asyncio
import fractions
import os
import sys

import numpy
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from av import VideoFrame

from link import CODEC, HEIGHT, MODE, PICTURE, RATE, WIDTH, leave, post, say


class Pictures(VideoStreamTrack):
    """What comes on standard input."""

    def __init__(self, reader, ended):
        super().__init__()
        self.reader, self.ended, self.count = reader, ended, 0

    async def recv(self):
        try:
            data = await self.reader.readexactly(PICTURE)
        except asyncio.IncompleteReadError:
            self.ended.set()
            self.stop()
            raise MediaStreamError
        frame = VideoFrame.from_ndarray(numpy.frombuffer(data, numpy.uint8).reshape(HEIGHT * 3 // 2, WIDTH), "yuv420p")
        frame.pts, frame.time_base = self.count * (90000 // RATE), fractions.Fraction(1, 90000)
        self.count += 1
        return frame


async def play(track):
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if track.kind == "video":
            os.write(1, frame.reformat(WIDTH, HEIGHT, "gray").to_ndarray().tobytes())


async def standard_input():
    reader = asyncio.StreamReader(limit=4 * PICTURE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main():
    pc, ended, reader = RTCPeerConnection(RTCConfiguration([])), asyncio.Event(), await standard_input()
    players = []
    pc.on("connectionstatechange", lambda: say(event="state", state=pc.connectionState))
    pc.on("track", lambda track: players.append(asyncio.ensure_future(play(track))))
    if MODE == "publish":
        pc.addTransceiver(AudioStreamTrack(), "sendonly")
        video = pc.addTransceiver(Pictures(reader, ended), "sendonly")
    else:
        pc.addTransceiver("audio", "recvonly")
        video = pc.addTransceiver("video", "recvonly")
    wanted = [c for c in RTCRtpReceiver.getCapabilities("video").codecs if c.mimeType.lower() == f"video/{CODEC}"]
    video.setCodecPreferences(wanted)
    await pc.setLocalDescription(await pc.createOffer())
    loop = asyncio.get_running_loop()
    answer, session = await loop.run_in_executor(None, post, pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    if MODE == "publish":
        await ended.wait()
    else:
        await reader.read()
    await loop.run_in_executor(None, leave, session)
    os._exit(0)


asyncio.run(main())
