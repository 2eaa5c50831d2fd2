#!/usr/bin/python3
"""GStreamer's webrtcbin as a WHIP publisher or a WHEP player, for whip.mjs.

usage: webrtcbin.py publish|play URL TOKEN h264|vp8 [TONE [FLIP]]

A publisher sends SMPTE bars (their snow changes in every frame), from right to left with FLIP, and a tone of TONE Hz.
Commands come as words on standard input; every answer and event is one JSON object a line on standard output:
  look     what was decoded since the last look: frames, the colour of each of the seven bars, whether the picture moves,
           the tone's frequency
  restart  ICE restart by PATCH: status and whether the server's credentials are new
  leave    DELETE: status
"""
import json
import re
import sys
import threading
import urllib.error
import urllib.request
from array import array

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("Nice", "0.1")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC, Nice  # noqa: E402, F401

RATE = 48000
BARS = 7
RTP = {
    "h264": "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000",
    "vp8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "opus": "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
}
ENCODER = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max=60 ! "
            "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96",
    "vp8": "vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=60 ! rtpvp8pay pt=96",
}
DECODER = {
    "h264": "rtph264depay ! h264parse ! avdec_h264",
    "vp8": "rtpvp8depay ! vp8dec",
    "opus": "rtpopusdepay ! opusdec",
}


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def http(method, url, token, body=None, headers=None):
    """(status, headers, text); an HTTP error is an answer too."""
    request = urllib.request.Request(url, data=None if body is None else body.encode(), method=method)
    request.add_header("Authorization", "Bearer " + token)
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Bars:
    """The colours of decoded pictures."""

    def __init__(self):
        self.frames, self.moves, self.snow, self.colours, self.size = 0, 0, None, None, None

    def take(self, sample):
        caps = sample.get_caps().get_structure(0)
        width, height = caps.get_value("width"), caps.get_value("height")
        buffer = sample.get_buffer()
        ok, view = buffer.map(Gst.MapFlags.READ)
        if not ok:
            return
        data, stride = bytes(view.data), (width * 3 + 3) & ~3
        buffer.unmap(view)
        y = height // 3
        self.colours = [list(data[y * stride + 3 * x:y * stride + 3 * x + 3])
                        for x in (width * (2 * i + 1) // (2 * BARS) for i in range(BARS))]
        y = height - height // 12
        snow = data[y * stride:y * stride + 3 * width]
        self.moves += snow != self.snow
        self.frames, self.snow, self.size = self.frames + 1, snow, [width, height]


class Tone:
    """The frequency of what was heard last, by its zero crossings."""

    def __init__(self):
        self.samples = array("h")

    def take(self, sample):
        buffer = sample.get_buffer()
        ok, view = buffer.map(Gst.MapFlags.READ)
        if not ok:
            return
        self.samples.frombytes(bytes(view.data))
        buffer.unmap(view)
        self.samples = self.samples[-RATE:]

    def measure(self):
        s = self.samples
        if len(s) < RATE // 2:
            return {"tone": 0, "level": 0}
        rising = [i for i in range(1, len(s)) if s[i - 1] < 0 <= s[i]]
        level = max(s)
        if level < 1000 or len(rising) < 3:
            return {"tone": 0, "level": level}
        return {"tone": round((len(rising) - 1) * RATE / (rising[-1] - rising[0]), 1), "level": level}


class Peer:
    def __init__(self, mode, url, token, codec, tone="660", flip=""):
        self.url, self.token, self.codec = url, token, codec
        self.lock, self.bars, self.tone = threading.Lock(), Bars(), Tone()
        self.session = None
        self.pipeline = Gst.Pipeline()
        self.bin = Gst.ElementFactory.make("webrtcbin", "peer")
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.bin)
        # held for good: its reference floats, and Python would take it from webrtcbin with the first look
        self.ice = self.bin.get_property("ice-agent")
        self.ice.get_property("agent").set_property("upnp", False)
        if mode == "publish":
            self.publish(int(tone), "videoflip video-direction=horiz ! " if flip else "")
        else:
            self.play()
        self.bin.connect("notify::connection-state", self.on_state)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _bus, m: say(event="error", what=str(m.parse_error())))
        self.pipeline.set_state(Gst.State.PLAYING)
        # the offer needs no candidates: the server is ICE-lite and learns the client's address from its checks
        GLib.timeout_add(300, self.offer)

    # what is sent and received

    def feed(self, description):
        source = Gst.parse_bin_from_description(description, True)
        self.pipeline.add(source)
        source.link(self.bin)

    def publish(self, tone, flip):
        self.feed("videotestsrc is-live=true pattern=smpte ! video/x-raw,width=640,height=360,framerate=15/1 ! "
                  f"videoconvert ! {flip}{ENCODER[self.codec]} ! capsfilter caps={RTP[self.codec]}")
        self.feed(f"audiotestsrc is-live=true freq={tone} volume=0.4 ! audio/x-raw,rate={RATE},channels=2 ! opusenc ! "
                  f"rtpopuspay pt=111 ! capsfilter caps={RTP['opus']}")
        index = 0
        while transceiver := self.bin.emit("get-transceiver", index):
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            transceiver.set_property("do-nack", True)
            index += 1

    def play(self):
        for codec in ("opus", self.codec):
            caps = RTP[codec]
            if codec == "h264":
                caps += ",packetization-mode=(string)1,profile-level-id=(string)42e01f"
            transceiver = self.bin.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                                        Gst.Caps.from_string(caps))
            transceiver.set_property("do-nack", codec != "opus")
        self.bin.connect("pad-added", self.on_pad)

    def on_pad(self, _bin, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        name = pad.get_current_caps().get_structure(0).get_string("encoding-name").lower()
        video = name != "opus"
        convert = "videoconvert ! video/x-raw,format=RGB" if video else \
            f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={RATE},channels=1"
        player = Gst.parse_bin_from_description(
            f"{DECODER[name]} ! {convert} ! appsink name=end emit-signals=true sync=false max-buffers=8", True)
        player.get_by_name("end").connect("new-sample", self.on_sample, self.bars if video else self.tone)
        self.pipeline.add(player)
        player.sync_state_with_parent()
        pad.link(player.get_static_pad("sink"))
        say(event="pad", codec=name)

    def on_sample(self, sink, reader):
        sample = sink.emit("pull-sample")
        with self.lock:
            reader.take(sample)
        return Gst.FlowReturn.OK

    # offer and answer

    def offer(self):
        promise = Gst.Promise.new_with_change_func(self.on_offer, None)
        self.bin.emit("create-offer", None, promise)
        return False

    def on_offer(self, promise, _data):
        # not here: this is webrtcbin's own thread, which has to answer the next two promises
        GLib.idle_add(self.send_offer, promise)

    def send_offer(self, promise):
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        done = Gst.Promise.new()
        self.bin.emit("set-local-description", offer, done)
        done.wait()
        status, headers, text = http("POST", self.url, self.token, offer.sdp.as_text(),
                                     {"Content-Type": "application/sdp"})
        say(event="answer", status=status, location=headers.get("Location"), etag=headers.get("ETag"),
            type=headers.get("Content-Type"), offer=offer.sdp.as_text(), sdp=text)
        if status != 201:
            return False
        self.session = re.match(r"https?://[^/]+", self.url).group(0) + headers.get("Location")
        _, message = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        done = Gst.Promise.new()
        self.bin.emit("set-remote-description", answer, done)
        done.wait()
        return False

    def on_state(self, *_):
        say(event="state", state=self.bin.get_property("connection-state").value_nick)

    # commands

    def look(self):
        with self.lock:
            bars = self.bars
            out = {"frames": bars.frames, "moves": bars.moves, "colours": bars.colours, "size": bars.size}
            bars.frames = bars.moves = 0
            out.update(self.tone.measure())
            self.tone.samples = array("h")
        say(event="look", **out)

    def restart(self):
        """What an ICE restart is to webrtcbin 1.22, which offers none: new credentials of its libnice agent."""
        agent = self.ice.get_property("agent")
        _, old_ufrag, _ = agent.get_local_credentials(1)
        agent.restart_stream(1)
        _, ufrag, pwd = agent.get_local_credentials(1)
        status, headers, text = http("PATCH", self.session, self.token,
                                     f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n",
                                     {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"})
        taken = 0
        if status == 200:
            agent.set_remote_credentials(1, re.search(r"a=ice-ufrag:(\S+)", text)[1],
                                         re.search(r"a=ice-pwd:(\S+)", text)[1])
            candidates = [agent.parse_remote_candidate_sdp(1, line) for line in text.split("\r\n")
                          if line.startswith("a=candidate:")]
            taken = agent.set_remote_candidates(1, 1, [c for c in candidates if c])
        say(event="restart", status=status, etag=headers.get("ETag"), sdp=text, renewed=ufrag != old_ufrag,
            candidates=taken)

    def leave(self):
        status, _, _ = http("DELETE", self.session, self.token)
        again, _, _ = http("DELETE", self.session, self.token)
        say(event="leave", status=status, again=again)

    def on_command(self, channel, _condition):
        line = channel.readline()
        if not line:
            loop.quit()
            return False
        {"look": self.look, "restart": self.restart, "leave": self.leave}[line.strip()]()
        return True


Gst.init(None)
loop = GLib.MainLoop()
peer = Peer(*sys.argv[1:])
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, peer.on_command)
loop.run()
peer.pipeline.set_state(Gst.State.NULL)
