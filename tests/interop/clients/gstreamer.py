#!/usr/bin/python3
"""GStreamer's webrtcbin as a WHIP publisher or a WHEP player. How it is called: README.md."""
import os
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from link import CODEC, HEIGHT, MODE, PICTURE, RATE, WIDTH, leave, post, say  # noqa: E402

VIDEO = {
    "vp8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "vp9": "application/x-rtp,media=video,encoding-name=VP9,payload=96,clock-rate=90000",
    "h264": "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000",
}[CODEC]
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"
ENCODER = {
    "vp8": "vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=30 ! rtpvp8pay pt=96",
    "vp9": "vp9enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=30 ! rtpvp9pay pt=96",
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max=30 ! "
            "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96",
}
# After a pause its jitter buffer takes the next packet for lost before it was sent: that is the key frame of whoever publishes next. Who does not ask for
# another one waits for the encoder's own, which libwebrtc never sends.
DECODER = {
    "VP8": "rtpvp8depay request-keyframe=true wait-for-keyframe=true ! vp8dec",
    "VP9": "rtpvp9depay request-keyframe=true wait-for-keyframe=true ! vp9dec",
    "H264": "rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse ! avdec_h264",
}


class Peer:
    def __init__(self):
        self.session = None
        self.pipeline = Gst.Pipeline.new(None)
        self.bin = Gst.ElementFactory.make("webrtcbin", None)
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.bin.set_property("latency", 1500)  # ms: a busy machine repeats late
        self.pipeline.add(self.bin)
        {"publish": self.publish, "play": self.play}[MODE]()
        self.bin.connect("notify::connection-state",
                         lambda *_: say(event="state", state=self.bin.get_property("connection-state").value_nick))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _bus, m: say(event="error", what=str(m.parse_error())))
        self.pipeline.set_state(Gst.State.PLAYING)
        if MODE == "publish":  # as programs do that also want to be controlled; it is refused
            self.channel = self.bin.emit("create-data-channel", "control", None)
            self.pictures.emit("push-buffer", Gst.Buffer.new_wrapped(bytes([128]) * PICTURE))
        GLib.timeout_add(100, self.offer)

    def feed(self, description):
        source = Gst.parse_bin_from_description(description, True)
        self.pipeline.add(source)
        source.link(self.bin)

    def publish(self):
        self.feed(f"appsrc name=pictures is-live=true do-timestamp=true format=time ! videoconvert ! {ENCODER[CODEC]} ! "
                  f"capsfilter caps={VIDEO}")
        self.pictures = self.pipeline.get_by_name("pictures")
        self.pictures.set_property("caps", Gst.Caps.from_string(
            f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1"))
        self.feed("audiotestsrc is-live=true wave=silence ! audio/x-raw,rate=48000,channels=2 ! opusenc ! "
                  f"rtpopuspay pt=111 ! capsfilter caps={AUDIO}")
        index = 0
        while transceiver := self.bin.emit("get-transceiver", index):
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            transceiver.set_property("do-nack", True)
            index += 1

    def play(self):
        self.bin.connect("pad-added", self.on_pad)
        for caps in (AUDIO, VIDEO + (",packetization-mode=(string)1,profile-level-id=(string)42e01f" if CODEC == "h264" else "")):
            transceiver = self.bin.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                                        Gst.Caps.from_string(caps))
            transceiver.set_property("do-nack", caps is not AUDIO)

    def on_pad(self, _bin, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        decoder = DECODER.get(pad.get_current_caps().get_structure(0).get_string("encoding-name"))
        end = f"{decoder} ! videoconvert ! videoscale ! video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT} ! " \
            "fdsink fd=1 sync=false" if decoder else "fakesink sync=false"
        player = Gst.parse_bin_from_description(end, True)
        self.pipeline.add(player)
        player.sync_state_with_parent()
        pad.link(player.get_static_pad("sink"))

    # offer and answer

    def offer(self):
        """Once every pad knows what it sends: H.264's parameters are the encoder's, from its first picture on."""
        if any(pad.get_current_caps() is None for pad in self.bin.sinkpads):
            return True
        self.bin.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer, None))
        return False

    def on_offer(self, promise, _data):
        # not here: this is webrtcbin's own thread, which has to answer the next two promises
        GLib.idle_add(self.send_offer, promise)

    def describe(self, signal, description):
        done = Gst.Promise.new()
        self.bin.emit(signal, description, done)
        done.wait()

    def send_offer(self, promise):
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.describe("set-local-description", offer)
        # it needs no candidates: the server is ICE-lite and learns the client's address from its checks
        answer, self.session = post(offer.sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        self.describe("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message))
        threading.Thread(target=self.read, daemon=True).start()
        return False

    # until standard input ends

    def read(self):
        while data := sys.stdin.buffer.read(PICTURE):
            if MODE == "publish" and len(data) == PICTURE:
                self.pictures.emit("push-buffer", Gst.Buffer.new_wrapped(data))
        leave(self.session)
        os._exit(0)


Gst.init(None)
peer = Peer()
GLib.MainLoop().run()
