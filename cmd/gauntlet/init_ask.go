package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// errNoAnswer says that the input ended before everything was asked.
var errNoAnswer = errors.New("the answers ended too soon; nothing was written")

// ask asks for what the flags did not say. An empty line takes what stands in
// brackets.
func (c *initCmd) ask(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	answer := func(question, otherwise string, to *string) error {
		if *to != "" {
			return nil
		}
		if otherwise != "" {
			question += " [" + otherwise + "]"
		}
		if _, err := fmt.Fprintf(out, "%s: ", question); err != nil {
			return err
		}
		if !lines.Scan() {
			return errors.Join(errNoAnswer, lines.Err())
		}
		if *to = strings.TrimSpace(lines.Text()); *to == "" {
			*to = otherwise
		}
		return nil
	}
	if err := answer("Name of the proxy", defaultName(c.Out), &c.Name); err != nil {
		return err
	}
	if c.URL == "" {
		if err := answer("Command that starts it, with ${listen} and ${backend.0}; empty if it runs already", "", &c.Start); err != nil {
			return err
		}
	}
	if c.Start == "" {
		if err := answer("Where it runs", "http://127.0.0.1:8080", &c.URL); err != nil {
			return err
		}
		listen := strings.Join(c.BackendListen, ",")
		if err := answer("Where it looks for its backends, separated by commas", "127.0.0.1:9001", &listen); err != nil {
			return err
		}
		c.BackendListen = strings.Split(strings.ReplaceAll(listen, " ", ""), ",")
	} else if err := answer("Signal for a graceful stop; none if it has none", "SIGTERM", &c.Drain); err != nil {
		return err
	}
	if c.Drain == "none" {
		c.Drain = ""
	}
	if err := answer("Host field of every request; empty for its address", "", &c.Host); err != nil {
		return err
	}
	return answer("What goes before every path, such as /api; empty for nothing", "", &c.Prefix)
}

// defaultName is that of the directory in which the file will stand.
func defaultName(out string) string {
	dir, err := filepath.Abs(filepath.Dir(out))
	if err != nil {
		return "edge"
	}
	return filepath.Base(dir)
}
