package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// local asks servers on this machine; every request has a context besides.
var local = &http.Client{Timeout: answerIn}

// call gives the status of an answer.
func call(ctx context.Context, method, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := local.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// answers waits until a GET is answered 200, or the process that should answer
// has ended.
func answers(ctx context.Context, url string, exited <-chan struct{}) error {
	return await(ctx, exited, func(ctx context.Context) error {
		status, err := call(ctx, http.MethodGet, url)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s: status %d", url, status)
		}
		return err
	})
}

// listens waits until somebody accepts connections at the address, or the
// process that should has ended.
func listens(ctx context.Context, address string, exited <-chan struct{}) error {
	return await(ctx, exited, func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// await tries until it succeeds, the process that should make it has ended, or
// it takes too long. A nil channel stands for a process that is not ours.
func await(ctx context.Context, exited <-chan struct{}, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-exited:
			return errors.Join(errors.New("it ended"), err)
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
