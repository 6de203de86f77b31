package wire_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/wire"
)

// Streams share a connection, and each answer finds its own exchange however
// they are ordered.
func TestStreamsShareAConnection(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		_ = p.WritePing(false, [8]byte{7})
		first, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		second, _ := await[*http2.MetaHeadersFrame](p)
		p.head(second.StreamID, false, ":status", "103", "link", "</a>")
		p.answer(second.StreamID, 2, 300)
		p.answer(first.StreamID, 1, 100)
		p.linger()
	})
	res, recs := steps(t, addr,
		script.Step{Send: &script.Send{}, As: "first"}, script.Step{Send: &script.Send{}, As: "second"},
		receive(script.Receive{Of: "second", Status: 200, Headers: script.Headers{{Name: "Content-Length", Value: "300"}}}),
		receive(script.Receive{Status: 200}),
	)
	require.Empty(t, res.Mismatches)
	got := bySeq(t, recs)
	for seq, size := range map[uint64]int64{1: 100, 2: 300} {
		r := got[seq]
		require.Equal(t, book.EndLength, r.End)
		require.Equal(t, size, r.RespBytes)
		require.EqualValues(t, -1, r.RespBad)
		require.NotZero(t, r.Flags&book.Echoed)
		require.NotZero(t, r.Flags&book.SentAll)
		require.EqualValues(t, 1, r.Conn)
		require.EqualValues(t, seq, r.Nth)
		require.Zero(t, r.Code)
	}
	require.EqualValues(t, 1, got[2].Interim)
}

// How an answer ended is told by the frame that ended it.
func TestHowStreamsEnd(t *testing.T) {
	whole := func(p *peer, id uint32) { p.head(id, false, ":status", "200") }
	for name, c := range map[string]struct {
		method string
		say    func(p *peer, id uint32)
		end    book.End
		code   uint32
	}{
		"data": {"", func(p *peer, id uint32) { whole(p, id); _ = p.WriteData(id, true, []byte("x")) }, book.EndLastChunk, 0},
		"head": {"", func(p *peer, id uint32) { p.head(id, true, ":status", "204") }, book.EndBodiless, 0},
		"HEAD": {"HEAD", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "content-length", "9") }, book.EndBodiless, 0},
		"trailers": {"", func(p *peer, id uint32) {
			whole(p, id)
			_ = p.WriteData(id, false, []byte("x"))
			p.head(id, true, "t", "v")
		}, book.EndLastChunk, 0},
		"reset":           {"", func(p *peer, id uint32) { whole(p, id); _ = p.WriteRSTStream(id, http2.ErrCodeInternal) }, book.EndReset, 1 + uint32(http2.ErrCodeInternal)},
		"no error":        {"", func(p *peer, id uint32) { whole(p, id); _ = p.WriteRSTStream(id, http2.ErrCodeNo) }, book.EndReset, 1},
		"refused":         {"", func(p *peer, id uint32) { _ = p.WriteRSTStream(id, http2.ErrCodeRefusedStream) }, book.EndRefused, 1 + uint32(http2.ErrCodeRefusedStream)},
		"refused late":    {"", func(p *peer, id uint32) { whole(p, id); _ = p.WriteRSTStream(id, http2.ErrCodeRefusedStream) }, book.EndReset, 1 + uint32(http2.ErrCodeRefusedStream)},
		"above the last":  {"", func(p *peer, id uint32) { _ = p.WriteGoAway(id-1, http2.ErrCodeNo, nil) }, book.EndRefused, 1},
		"the last itself": {"", func(p *peer, id uint32) { _ = p.WriteGoAway(id, http2.ErrCodeNo, nil); _ = p.raw.CloseWrite() }, book.EndCut, 0},
		"in error": {"", func(p *peer, id uint32) {
			_ = p.WriteGoAway(id, http2.ErrCodeEnhanceYourCalm, nil)
			_ = p.raw.CloseWrite()
		}, book.EndCut, 1 + uint32(http2.ErrCodeEnhanceYourCalm)},
		"cut":            {"", func(p *peer, id uint32) { whole(p, id); _ = p.raw.CloseWrite() }, book.EndCut, 0},
		"torn":           {"", func(p *peer, id uint32) { whole(p, id); _, _ = p.raw.Write([]byte{0, 0, 9}); _ = p.raw.CloseWrite() }, book.EndCut, 0},
		"too short":      {"", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "content-length", "9") }, book.EndMalformed, 0},
		"connection":     {"", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "connection", "close") }, book.EndMalformed, 0},
		"no status":      {"", func(p *peer, id uint32) { p.head(id, true, "a", "b") }, book.EndMalformed, 0},
		"101":            {"", func(p *peer, id uint32) { p.head(id, true, ":status", "101") }, book.EndMalformed, 0},
		"upper case":     {"", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "A", "b") }, book.EndMalformed, 0},
		"only interim":   {"", func(p *peer, id uint32) { p.head(id, true, ":status", "103") }, book.EndMalformed, 0},
		"body first":     {"", func(p *peer, id uint32) { _ = p.WriteData(id, true, []byte("x")) }, book.EndMalformed, 0},
		"no such stream": {"", func(p *peer, id uint32) { _ = p.WriteData(id+2, true, []byte("x")) }, book.EndMalformed, 0},
		"a promise": {"", func(p *peer, id uint32) {
			_ = p.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, EndHeaders: true})
		}, book.EndMalformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			addr := h2(t, func(_ int, p *peer) {
				_ = p.WriteSettings()
				if f, ok := await[*http2.MetaHeadersFrame](p); ok {
					c.say(p, f.StreamID)
					p.linger()
				}
			})
			_, recs := steps(t, addr, send(script.Send{Method: c.method}), receive(script.Receive{}))
			require.Equal(t, c.end, recs[0].End, recs[0].End.String())
			require.Equal(t, c.code, recs[0].Code)
		})
	}
}

// What exceeds the credit given is no HTTP/2 (RFC 9113 §6.9.1).
func TestATargetThatExceedsItsCredit(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		f, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		p.head(f.StreamID, false, ":status", "200")
		_, _ = await[*http2.MetaHeadersFrame](p) // from now on none is given back
		for range 5 {
			_ = p.WriteData(f.StreamID, false, make([]byte, 16<<10))
		}
		p.linger()
	})
	no := false
	_, recs := steps(t, addr,
		send(script.Send{}), receive(script.Receive{Until: script.UntilHead}), script.Step{Credit: &no},
		send(script.Send{}), receive(script.Receive{}), receive(script.Receive{}),
	)
	for _, r := range recs {
		require.Equal(t, book.EndMalformed, r.End)
	}
}

// After a GOAWAY new exchanges take a new connection, and those that the peer
// has promised to process are still received on the old one.
func TestGoAwayRetiresAConnection(t *testing.T) {
	addr := h2(t, func(n int, p *peer) {
		_ = p.WriteSettings()
		f, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		if n == 1 {
			_ = p.WriteGoAway(f.StreamID, http2.ErrCodeNo, nil)
			p.head(f.StreamID, false, ":status", "200")
			if _, ok := await[*http2.PushPromiseFrame](p); ok {
				return
			}
			return
		}
		p.answer(f.StreamID, 2, 10)
		p.linger()
	})
	_, recs := steps(t, addr,
		script.Step{Send: &script.Send{}, As: "first"}, receive(script.Receive{Until: script.UntilHead}),
		script.Step{Send: &script.Send{}, As: "second"}, receive(script.Receive{Of: "second", Status: 200}),
	)
	got := bySeq(t, recs)
	require.EqualValues(t, 1, got[1].Conn)
	require.Equal(t, book.EndAbandoned, got[1].End, "it was still open when the client left")
	require.EqualValues(t, 2, got[2].Conn)
	require.Equal(t, book.EndLength, got[2].End)
}

// Streams that the first of two GOAWAYs allows are opened on the same
// connection.
func TestTheFirstOfTwoGoAwaysRefusesNobody(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		_ = p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
		for seq := uint64(1); seq <= 2; seq++ {
			f, ok := await[*http2.MetaHeadersFrame](p)
			if !ok {
				return
			}
			p.answer(f.StreamID, seq, 10)
		}
		p.linger()
	})
	_, recs := steps(t, addr, send(script.Send{}), receive(script.Receive{}), send(script.Send{}), receive(script.Receive{}))
	for _, r := range recs {
		require.EqualValues(t, 1, r.Conn)
		require.Equal(t, book.EndLength, r.End)
	}
}

// A body goes out as both windows let it, and not beyond.
func TestUploadsKeepWithinTheWindows(t *testing.T) {
	const size = 200 << 10
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
		f, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		_ = p.WriteWindowUpdate(0, 1<<20)
		got, given := 0, 1000
		for {
			d, ok := await[*http2.DataFrame](p)
			if !ok {
				return
			}
			if got += int(d.Length); got > max(given, 65535) { // what it may send before it knows of the setting
				p.head(f.StreamID, true, ":status", "500")
				return
			}
			if d.StreamEnded() {
				break
			}
			if given-got < 500 {
				by := 3000 + got - min(got, given)
				given += by
				_ = p.WriteWindowUpdate(f.StreamID, uint32(by))
			}
		}
		if got == size {
			p.answer(f.StreamID, 1, 10)
		}
		p.linger()
	})
	_, recs := steps(t, addr, send(script.Send{Method: "POST", Body: &script.Body{Size: size}}), receive(script.Receive{Status: 200}))
	require.Equal(t, book.EndLength, recs[0].End)
	require.EqualValues(t, size, recs[0].ReqSent)
	require.NotZero(t, recs[0].Flags&book.SentAll)
}

// An answer that refuses the request ends the upload by RST_STREAM.
func TestAnEarlyAnswerEndsTheUpload(t *testing.T) {
	code := make(chan http2.ErrCode, 1)
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		f, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		_, _ = await[*http2.DataFrame](p)
		p.head(f.StreamID, true, ":status", "413")
		r, _ := await[*http2.RSTStreamFrame](p)
		code <- r.ErrCode
	})
	_, recs := steps(t, addr, send(script.Send{Method: "POST", Body: &script.Body{Size: 1 << 20}}), receive(script.Receive{Status: 413}), script.Step{Stall: true})
	require.Equal(t, http2.ErrCodeCancel, <-code)
	require.Equal(t, book.EndBodiless, recs[0].End)
	require.Zero(t, recs[0].Flags&book.SentAll)
	require.Less(t, recs[0].ReqSent, int64(1<<20))
}

// A script writes bodies frame by frame, cancels one stream and goes on with
// another.
func TestFramesByHand(t *testing.T) {
	met := make(chan []string, 1)
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		var seen []string
		defer func() { met <- seen }()
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				if f.PseudoValue("method") == "GET" {
					p.answer(f.StreamID, 2, 10)
				} else if f.StreamEnded() {
					seen = append(seen, "trailers "+f.Fields[0].Value)
				}
			case *http2.DataFrame:
				seen = append(seen, "data "+string(rune('0'+f.Length)))
			case *http2.RSTStreamFrame:
				seen = append(seen, f.ErrCode.String())
			case *http2.SettingsFrame:
				if v, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
					seen = append(seen, "settings "+string(rune('0'+v)))
				}
			case *http2.GoAwayFrame:
				seen = append(seen, "goaway "+f.ErrCode.String())
				return
			}
		}
	})
	cut := units.Size(0)
	streams := 3
	_, recs := steps(t, addr,
		send(script.Send{Method: "POST", Body: &script.Body{Size: 9}, Cut: &cut}),
		script.Step{Chunk: &script.Chunk{Size: 4}}, script.Step{Chunk: &script.Chunk{Size: 5}},
		script.Step{LastChunk: &script.LastChunk{Trailers: script.Headers{{Name: "T", Value: "v"}}}},
		script.Step{Reset: script.RefusedStream},
		send(script.Send{}), receive(script.Receive{Of: "nobody"}),
		script.Step{Settings: &script.Settings{MaxStreams: &streams}},
		script.Step{Goaway: &script.Goaway{}},
		receive(script.Receive{}), receive(script.Receive{}), script.Step{Stall: true},
	)
	got := bySeq(t, recs)
	require.Equal(t, book.EndAbandoned, got[1].End)
	require.NotZero(t, got[1].Flags&book.SentAll)
	require.Equal(t, book.EndLength, got[2].End, "its neighbour is not concerned")
	seen := <-met
	require.Subset(t, seen, []string{"data 4", "data 5", "trailers v", "REFUSED_STREAM", "settings 3", "goaway NO_ERROR"})
	require.Less(t, slices.Index(seen, "trailers v"), slices.Index(seen, "REFUSED_STREAM"))
}

// Credit that is withheld stops one stream, and it alone.
func TestWithheldCredit(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		f, ok := await[*http2.MetaHeadersFrame](p)
		if !ok {
			return
		}
		p.head(f.StreamID, false, ":status", "200")
		stream, conn, left := 65535, 65535, 100_000
		for left > 0 {
			for n := min(stream, conn, left, 16000); n > 0; n = min(stream, conn, left, 16000) {
				stream, conn, left = stream-n, conn-n, left-n
				_ = p.WriteData(f.StreamID, left == 0, make([]byte, n))
			}
			if left == 0 {
				break
			}
			u, ok := await[*http2.WindowUpdateFrame](p)
			if !ok {
				return
			}
			if u.StreamID == 0 {
				conn += int(u.Increment)
			} else {
				stream += int(u.Increment)
			}
		}
		p.linger()
	})
	no, yes := false, true
	_, recs := steps(t, addr,
		send(script.Send{}), script.Step{Credit: &no}, receive(script.Receive{Until: script.UntilBytes, Size: 60_000}),
		script.Step{Credit: &yes}, receive(script.Receive{Until: script.UntilEnd}),
	)
	require.EqualValues(t, 100_000, recs[0].RespBytes)
	require.Equal(t, book.EndLastChunk, recs[0].End)
}

// A stream that is not answered in time ends by itself; the connection goes on.
func TestOneStreamTimesOut(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		if _, ok := await[*http2.RSTStreamFrame](p); !ok {
			return
		}
		if f, ok := await[*http2.MetaHeadersFrame](p); ok {
			p.answer(f.StreamID, 2, 10)
			p.linger()
		}
	})
	_, recs := steps(t, addr, send(script.Send{}), receive(script.Receive{Timeout: units.Duration(soon)}), send(script.Send{}), receive(script.Receive{}))
	got := bySeq(t, recs)
	require.Equal(t, book.EndTimeout, got[1].End)
	require.Equal(t, book.EndLength, got[2].End)
	require.Equal(t, got[1].Conn, got[2].Conn)
}

// A client waits for a place where SETTINGS leave none.
func TestPlacesAreWaitedFor(t *testing.T) {
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		acked, open, seq := false, 0, uint64(0)
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if acked = acked || f.IsAck(); !f.IsAck() || open == 0 {
					continue
				}
			case *http2.MetaHeadersFrame:
				if open++; open > 1 && acked {
					p.head(f.StreamID, true, ":status", "500")
					continue
				}
			}
			for ; acked && open > 0; open-- {
				seq++
				p.answer(uint32(2*seq-1), seq, 10)
			}
		}
	})
	var do []script.Step
	for range 5 {
		do = append(do, send(script.Send{}))
	}
	for range 5 {
		do = append(do, receive(script.Receive{Status: 200}))
	}
	res, recs := steps(t, addr, do...)
	require.Empty(t, res.Mismatches)
	require.Len(t, recs, 5)
	conns := map[uint32]bool{}
	for _, r := range recs {
		conns[r.Conn] = true
	}
	require.Len(t, slices.Collect(maps.Keys(conns)), 1)
}

// ALPN decides over TLS; a target that chooses another protocol is told of.
func TestALPN(t *testing.T) {
	require.NoError(t, wire.Validate([]wire.Client{{Protocol: "h2", TLS: &wire.TLS{}, Do: []script.Step{send(script.Send{}), receive(script.Receive{})}}}, "clients"))
	for _, protocol := range []string{"h2", "http/1.1", ""} {
		cfg, pool := issue(t, wire.DefaultName)
		if protocol != "" {
			cfg.NextProtos = []string{protocol}
		}
		addr := tlsPeer(t, cfg)
		res, recs := play(t, wire.Config{Target: wire.Target{Address: addr}, Roots: pool, Clients: []wire.Client{
			{Protocol: "h2", TLS: &wire.TLS{}, Do: []script.Step{send(script.Send{}), receive(script.Receive{})}},
		}})
		if protocol == "h2" {
			require.Empty(t, res.Mismatches)
			require.Equal(t, book.EndLength, recs[0].End)
			continue
		}
		require.Equal(t, book.EndRefused, recs[0].End)
		require.Len(t, res.Mismatches, 1)
		require.Contains(t, res.Mismatches[0].Got, "does not speak HTTP/2")
	}
}
