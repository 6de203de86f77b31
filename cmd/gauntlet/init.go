package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"gauntlet/scenarios/targets"
)

type initCmd struct {
	Name          string   `help:"How reports shall call the proxy."`
	Start         string   `help:"The command that starts it; $${listen} and $${backend.0} stand for addresses." placeholder:"CMD"`
	URL           string   `help:"Instead: where it runs already, on loopback." placeholder:"URL"`
	BackendListen []string `help:"Fixed addresses of the backends, for a proxy that cannot be told others." placeholder:"HOST:PORT"`
	File          string   `help:"The proxy's configuration: copied into $${dir}, with --replace." placeholder:"PATH"`
	Replace       []string `help:"In that file: text to replace and what by, such as 'listen 80=listen $${listen}'." sep:"none" placeholder:"OLD=NEW"`
	Host          string   `help:"Host field of every request." placeholder:"NAME"`
	Prefix        string   `help:"What goes before every path." placeholder:"/PATH"`
	Drain         string   `help:"Signal for a graceful stop." placeholder:"SIGNAL"`
	Stop          string   `help:"Signal that ends it; default SIGTERM." placeholder:"SIGNAL"`
	Reload        string   `help:"Signal or command that makes it read its configuration again." placeholder:"SIGNAL|CMD"`
	Features      []string `help:"What it can do, beside what the other flags say." default:"streaming,pool,http1.0"`
	Out           string   `help:"The file to write." default:"gauntlet.yaml" placeholder:"FILE"`
	Force         bool     `help:"Overwrite a file that is there."`
	Check         bool     `help:"Write nothing; check the file that is there."`
}

// Help shows examples.
func (initCmd) Help() string {
	return `Makes the file that describes your proxy, by asking or from flags, and checks it end to end: the proxy is started, a request travels through it to a backend and back, and it is stopped. Says step by step what worked.

Examples:

  $ gauntlet init                                # asks
  $ gauntlet init --name edge --start './edge --listen ${listen} --backend ${backend.0}' --drain SIGTERM
  $ gauntlet init --name web --start 'nginx -c ${dir}/nginx.conf' --file nginx.conf --replace 'listen 80=listen ${listen}' --replace 'api:8080=${backend.0}' --drain SIGQUIT
  $ gauntlet init --name here --url http://127.0.0.1:8080 --backend-listen 127.0.0.1:9001
  $ gauntlet init --check`
}

// Run writes the file and checks what it describes. A file that is malformed
// is not written.
func (c initCmd) Run(ctx context.Context, w *world) error {
	if c.Check {
		return c.check(ctx, w)
	}
	if _, err := os.Lstat(c.Out); !c.Force && !errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("gauntlet init: %s is there already; allowed: --force to overwrite it, --check to check it, --out for another", c.Out))
	}
	if c.incomplete() {
		if !isTerminal(w.terminal()) {
			return usage(errors.New("gauntlet init: needs --name, and --start, or --url with --backend-listen: nobody is here to be asked, since the standard input is no terminal"))
		}
		if err := c.ask(w.Stdin, w.Stderr); err != nil {
			return usage(fmt.Errorf("gauntlet init: %w", err))
		}
	}
	text, err := c.text()
	if err != nil {
		return usage(fmt.Errorf("gauntlet init: %w", err))
	}
	if _, _, err := targets.Parse(c.Out, text, os.LookupEnv); err != nil {
		return usage(fmt.Errorf("%w\n%s was not written; it would be:\n\n%s", err, c.Out, text))
	}
	if err := os.WriteFile(c.Out, text, 0o644); err != nil {
		return usage(fmt.Errorf("gauntlet init: %w", err))
	}
	if _, err := fmt.Fprintf(w.Stdout, "wrote %s\n", c.Out); err != nil {
		return err
	}
	return c.check(ctx, w)
}

// incomplete reports whether something is missing without which there is no
// target.
func (c initCmd) incomplete() bool {
	return c.Name == "" || c.Start == "" && (c.URL == "" || len(c.BackendListen) == 0)
}

// terminal is where a person may sit; nil when input comes from elsewhere.
func (w *world) terminal() *os.File {
	f, _ := w.Stdin.(*os.File)
	return f
}
