package watch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gauntlet/chaos/process"
)

// ErrLoki is wrapped by what goes wrong with Loki itself.
var ErrLoki = errors.New("loki")

// A Loki is a running log store. Whoever started it stops it.
type Loki struct {
	base string
	proc *process.Process
}

// lokiConfig keeps everything below the working directory and in one process.
const lokiConfig = `auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: %s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %s, log_level: warn}
common:
  path_prefix: %s
  instance_addr: 127.0.0.1
  replication_factor: 1
  ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}
  storage: {filesystem: {chunks_directory: %[3]s/chunks, rules_directory: %[3]s/rules}}
frontend: {address: 127.0.0.1}
ingester: {lifecycler: {min_ready_duration: 0s}}
analytics: {reporting_enabled: false}
schema_config:
  configs: [{from: 2024-04-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
`

// StartLoki runs the program in a directory of its own and returns when it takes
// log lines.
func StartLoki(ctx context.Context, program, dir string, supervisor []string) (*Loki, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	var ports [2]string
	for i := range ports {
		address, err := free(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLoki, err)
		}
		ports[i] = address[len("127.0.0.1:"):]
	}
	config := filepath.Join(dir, "loki.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, lokiConfig, ports[0], ports[1], dir), 0o644); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	l := &Loki{base: "http://127.0.0.1:" + ports[0]}
	l.proc, err = process.Start(context.WithoutCancel(ctx), process.Spec{
		Args: []string{program, "-config.file=" + config}, Dir: dir, Log: filepath.Join(dir, "loki.log"), Supervisor: supervisor,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	if err := answers(ctx, l.base+"/ready", l.proc.Exited()); err != nil {
		said, _ := os.ReadFile(filepath.Join(dir, "loki.log")) // what it said, if anything
		return nil, fmt.Errorf("%w: %w: %s", ErrLoki, errors.Join(err, l.Stop()), said)
	}
	return l, nil
}

// lines is how many log lines are sent at once.
const lines = 1000

// Push sends the lines of a JSON log, each with its own time, under the label
// service_name.
func (l *Loki) Push(ctx context.Context, service string, log io.Reader) (n int, err error) {
	s := bufio.NewScanner(log)
	s.Buffer(nil, 1<<20)
	var batch [][2]string
	for s.Scan() {
		var line struct {
			TS time.Time `json:"ts"`
		}
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			return n, fmt.Errorf("%w: line %d is no JSON: %w", ErrLoki, n+1, err)
		}
		batch = append(batch, [2]string{strconv.FormatInt(line.TS.UnixNano(), 10), s.Text()})
		if n++; len(batch) == lines {
			if err := l.push(ctx, service, batch); err != nil {
				return n, err
			}
			batch = batch[:0]
		}
	}
	if err := s.Err(); err != nil {
		return n, fmt.Errorf("%w: read the log: %w", ErrLoki, err)
	}
	return n, l.push(ctx, service, batch)
}

func (l *Loki) push(ctx context.Context, service string, values [][2]string) error {
	if len(values) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"service_name": service}, "values": values}}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLoki, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLoki, err)
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = fetch(req, http.StatusNoContent)
	return err
}

// Lines gives the log lines between two times that a LogQL query selects.
func (l *Loki) Lines(ctx context.Context, query string, from, until time.Time) ([]string, error) {
	v := url.Values{
		"query": {query}, "limit": {strconv.Itoa(lines)},
		"start": {strconv.FormatInt(from.UnixNano(), 10)}, "end": {strconv.FormatInt(until.UnixNano(), 10)},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/loki/api/v1/query_range?"+v.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	body, err := fetch(req, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Values [][2]string `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%w: query %s: %w", ErrLoki, query, err)
	}
	var found []string
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			found = append(found, v[1])
		}
	}
	return found, nil
}

func fetch(req *http.Request, want int) ([]byte, error) {
	resp, err := local.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	if resp.StatusCode != want {
		return nil, fmt.Errorf("%w: %s: status %d: %s", ErrLoki, req.URL.Path, resp.StatusCode, body)
	}
	return body, nil
}

// Stop ends it.
func (l *Loki) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	if err := l.proc.Kill(ctx); err != nil {
		return fmt.Errorf("%w: stop: %w", ErrLoki, err)
	}
	return nil
}
