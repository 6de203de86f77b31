package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/exchange"
)

// Each request is told of with what came of it, and nothing of it is changed.
func TestATapTellsOfEachRequest(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(r.Header) > 4 { // those that the client sends, and no other
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = w.Write(bytes.ToUpper(body))
	}))
	defer behind.Close()
	for format, want := range map[string][]string{
		"text": {`0000000000000007-000000000009  connection 1 request 1  POST whole, 5 bytes  200 whole, 5 bytes, ended by length`, `no id  connection 1 request 2  GET whole, 0 bytes  200 whole, 0 bytes, ended by bodiless`},
		"json": {`"exchange":"0000000000000007-000000000009","connection":1,"request":1,"method":"POST","request_whole":true,"request_bytes":5,"status":200,"answer_bytes":5,"answer_whole":true,"end":"length"`, `"request":2,"method":"GET"`},
		"none": nil,
	} {
		t.Run(format, func(t *testing.T) {
			var said bytes.Buffer
			lines := &tapLines{to: &said, format: format}
			tap, err := backend.StartTap(t.Context(), backend.TapConfig{Number: 1, Listen: "127.0.0.1:0", To: behind.Listener.Addr().String(), Seen: lines.seen})
			require.NoError(t, err)
			require.NoError(t, tap.Begin())
			client := &http.Client{Transport: &http.Transport{}}
			for _, body := range []string{"hello", ""} {
				req, err := http.NewRequestWithContext(t.Context(), map[bool]string{true: "GET", false: "POST"}[body == ""], "http://"+tap.Addr(), strings.NewReader(body))
				require.NoError(t, err)
				if body != "" {
					req.Header.Set(exchange.Header, exchange.ID{Run: 7, Seq: 9}.String())
				}
				res, err := client.Do(req)
				require.NoError(t, err)
				got, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, strings.ToUpper(body), string(got))
			}
			client.CloseIdleConnections()
			require.NoError(t, tap.Stop(context.Background()))
			if want == nil {
				require.Empty(t, said.String())
			}
			for _, line := range want {
				require.Contains(t, said.String(), line)
			}
		})
	}
}
