// Pion as a WHIP publisher or a WHEP player. It neither encodes nor decodes: RTP packets go in and out, each with its length before it (RFC 4571).
// How it is called: ../README.md.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
)

var (
	mode, place, token, codec = os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	events                    = json.NewEncoder(os.NewFile(3, "events"))
	mutex                     sync.Mutex
)

func say(event map[string]any) {
	mutex.Lock()
	defer mutex.Unlock()
	_ = events.Encode(event)
}

func must(err error) {
	if err != nil {
		say(map[string]any{"event": "error", "what": err.Error()})
		os.Exit(1)
	}
}

func call(method, address, body string) (int, string, string) {
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/sdp")
	answer, err := http.DefaultClient.Do(request)
	must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(err)
	return answer.StatusCode, answer.Header.Get("Location"), string(text)
}

// One codec for the picture, without RTX: this Pion reads a repair stream and throws it away.
func video() webrtc.RTPCodecCapability {
	fmtp := map[string]string{"h264": "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "vp9": "profile-id=0"}
	return webrtc.RTPCodecCapability{MimeType: "video/" + strings.ToUpper(codec), ClockRate: 90000, SDPFmtpLine: fmtp[codec],
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}}
}

var opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}

func connection() *webrtc.PeerConnection {
	engine := &webrtc.MediaEngine{}
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: video(), PayloadType: 96}, webrtc.RTPCodecTypeVideo))
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio))
	registry := &interceptor.Registry{}
	must(webrtc.RegisterDefaultInterceptors(engine, registry))
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry)).NewPeerConnection(webrtc.Configuration{})
	must(err)
	return pc
}

func send(pc *webrtc.PeerConnection, track webrtc.TrackLocal) {
	transceiver, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	must(err)
	go func() { // interceptors see what is read
		for {
			if _, _, err := transceiver.Sender().ReadRTCP(); err != nil {
				return
			}
		}
	}()
}

// Adds what is sent; gives what runs until standard input ends.
func publish(pc *webrtc.PeerConnection) func() {
	picture, err := webrtc.NewTrackLocalStaticRTP(video(), "video", "pion")
	must(err)
	sound, err := webrtc.NewTrackLocalStaticSample(opus, "audio", "pion")
	must(err)
	send(pc, sound)
	send(pc, picture)
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			_ = sound.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond})
		}
	}()
	return func() { packets(picture) }
}

func packets(picture *webrtc.TrackLocalStaticRTP) {
	in := bufio.NewReader(os.Stdin)
	for {
		var size uint16
		if binary.Read(in, binary.BigEndian, &size) != nil {
			return
		}
		bytes := make([]byte, size)
		if _, err := io.ReadFull(in, bytes); err != nil {
			return
		}
		packet := &rtp.Packet{}
		must(packet.Unmarshal(bytes))
		packet.Header.Extension, packet.Header.Extensions = false, nil
		_ = picture.WriteRTP(packet)
	}
}

func play(pc *webrtc.PeerConnection) func() {
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			go func() { // it does not decode, so it does not know when it needs one
				for range time.Tick(time.Second) {
					_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
				}
			}()
		}
		buffer := make([]byte, 2+1500)
		for {
			n, _, err := track.Read(buffer[2:])
			if err != nil {
				return
			}
			if track.Kind() == webrtc.RTPCodecTypeVideo {
				binary.BigEndian.PutUint16(buffer, uint16(n))
				_, _ = os.Stdout.Write(buffer[:2+n])
			}
		}
	})
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(err)
	}
	return func() { _, _ = io.Copy(io.Discard, os.Stdin) }
}

func negotiate(pc *webrtc.PeerConnection) string {
	offer, err := pc.CreateOffer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(pc.SetLocalDescription(offer))
	<-gathered
	status, location, text := call("POST", place, pc.LocalDescription().SDP)
	say(map[string]any{"event": "answer", "status": status, "location": location, "offer": pc.LocalDescription().SDP, "answer": text})
	if status != http.StatusCreated {
		os.Exit(1)
	}
	must(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
	base, err := url.Parse(place)
	must(err)
	session, err := base.Parse(location)
	must(err)
	return session.String()
}

func main() {
	pc := connection()
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		say(map[string]any{"event": "state", "state": state.String()})
	})
	begin := play
	if mode == "publish" {
		begin = publish
	}
	untilTheEnd := begin(pc)
	session := negotiate(pc)
	untilTheEnd()
	status, _, _ := call("DELETE", session, "")
	say(map[string]any{"event": "left", "status": status})
	_ = pc.Close()
}
