package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// st-1xx-as-final: any number of interim responses, none taken for the answer.
func TestInterimResponses(t *testing.T) {
	for _, n := range []int{0, 1, 5, 2000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			interim := "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n"
			s := rawtest.Serve(t, answer(strings.Repeat(interim, n)+ok))
			p := newPool(t, s.Addr)
			for i := range 2 {
				seen := 0
				a := &transport.Attempt{Number: 1}
				a.On1xx(func(code int, h http.Header) error {
					require.Equal(t, 103, code)
					require.Equal(t, "</a>", h.Get("Link"))
					seen++
					return nil
				})
				req := request(t, http.MethodGet, "/", nil)
				resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
				require.NoError(t, err)
				require.Equal(t, n, seen)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "ok", string(body))
				require.Equal(t, i == 1, a.Reused)
			}
		})
	}
}

func TestInterimResponsesGoToTheExchange(t *testing.T) {
	s := rawtest.Serve(t, answer("HTTP/1.1 102 Processing\r\n\r\n"+ok))
	p := newPool(t, s.Addr)
	gone := errors.New("gone")
	codes := []int{}
	x := &transport.Exchange{On1xx: func(code int, _ http.Header) error {
		codes = append(codes, code)
		if len(codes) == 2 {
			return gone
		}
		return nil
	}}
	req := request(t, http.MethodGet, "/", nil)
	req = req.WithContext(transport.WithExchange(req.Context(), x))
	get := func() error {
		resp, err := p.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		return err
	}
	require.NoError(t, get())
	e := failed(t, get())
	require.ErrorIs(t, e, gone)
	require.Equal(t, transport.SourceClient, e.Source)
	require.Equal(t, []int{102, 102}, codes)
}

func TestEndlessInterimResponsesAreRefused(t *testing.T) {
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, _, _ = c.Request()
		for c.Send(strings.Repeat("HTTP/1.1 102 x\r\n\r\n", 1000)) {
		}
	})
	_, _, err := try(newPool(t, s.Addr), request(t, http.MethodGet, "/", nil))
	require.ErrorIs(t, failed(t, err), transport.ErrMalformed)
}
