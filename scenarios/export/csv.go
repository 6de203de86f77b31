package export

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
)

// CSV writes rows as RFC 4180 has them, though with \n at the end of lines, under
// a line of column names, which are those of Parquet. Moments are UTC with
// microseconds, 2026-06-15T12:00:00.000001Z.
type CSV struct {
	buffer *bufio.Writer
	w      *csv.Writer
	begun  bool
}

// NewCSV begins a table. Close ends it; w stays the caller's to close.
func NewCSV(w io.Writer) *CSV {
	b := bufio.NewWriterSize(w, 64<<10)
	return &CSV{buffer: b, w: csv.NewWriter(b)}
}

// Write implements Sink.
func (c *CSV) Write(rows []Row) error {
	if err := c.head(); err != nil {
		return err
	}
	for i := range rows {
		if err := c.w.Write(rows[i].record()); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	return nil
}

// Close writes what is left.
func (c *CSV) Close() error {
	if err := c.head(); err != nil {
		return err
	}
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	if err := c.buffer.Flush(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (c *CSV) head() error {
	if c.begun {
		return nil
	}
	c.begun = true
	if err := c.w.Write(columns()); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func columns() []string {
	return []string{
		"run", "target", "target_version", "scenario", "case_name", "repetition", "exchange_id", "trace_id",
		"client", "is_load", "protocol", "method", "status", "ended_by", "outcome", "rule", "avoidable", "unavoidable",
		"intended_at", "started_at", "first_byte_at", "ended_at", "bytes_up", "bytes_down",
		"attempts", "backend", "backend_connection", "connection", "connection_request",
	}
}

// record gives the row's fields in the order of columns.
func (r *Row) record() []string {
	return []string{
		r.Run, r.Target, r.TargetVersion, r.Scenario, r.Case, whole(int64(r.Repetition)), r.Exchange, r.Trace,
		r.Client, strconv.FormatBool(r.Load), r.Protocol, r.Method, known(int64(r.Status)), r.EndedBy, r.Outcome, r.Rule,
		strconv.FormatBool(r.Avoidable), strconv.FormatBool(r.Unavoidable),
		moment(r.Intended), moment(r.Started), moment(r.FirstByte), moment(r.Ended), whole(r.BytesUp), whole(r.BytesDown),
		whole(int64(r.Attempts)), known(int64(r.Backend)), known(r.BackendConn), whole(r.Conn), whole(r.Nth),
	}
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

// known is "" for what never happened.
func known(n int64) string {
	if n == 0 {
		return ""
	}
	return whole(n)
}

func moment(us int64) string {
	if us == 0 {
		return ""
	}
	return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z")
}
