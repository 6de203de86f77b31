// Command gauntlet runs an HTTP proxy through everything that loses requests
// and tells what became of every single one.
//
// Here live the subcommands, one file each, and what only a binary may know:
// arguments, environment, terminal, signals and exit codes. What a subcommand
// does lives in the packages it calls.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const about = `Gauntlet runs an HTTP proxy through everything that loses requests in production and tells, with evidence, what became of every single request.

Exit codes: 0 passed or exposed, 1 failed, 2 wrong usage or a malformed file, 3 invalid: the harness could not tell.`

// cli is the command line; each field that is a command is a file of its own.
type cli struct {
	Run        runCmd        `cmd:"" help:"Run scenarios against a proxy and give the verdict."`
	Matrix     matrixCmd     `cmd:"" help:"Run scenarios against several proxies and show them side by side."`
	Init       initCmd       `cmd:"" help:"Make gauntlet.yaml for a proxy of your own, and check it end to end."`
	List       listCmd       `cmd:"" help:"List scenarios, faults, targets, mutants, steps or settings."`
	Load       loadCmd       `cmd:"" help:"Offer a load through a proxy and say what became of it."`
	Capacity   capacityCmd   `cmd:"" help:"Find the highest rate a proxy carries within an objective, and what gives out first."`
	Explain    explainCmd    `cmd:"" help:"Say what a scenario asks, why, and how to read and mend a failure."`
	Judge      judgeCmd      `cmd:"" help:"Give the verdict again from a run's evidence."`
	Compare    compareCmd    `cmd:"" help:"Say which figures of two runs differ, by how much and how surely."`
	Export     exportCmd     `cmd:"" help:"Write every exchange of a run as a table, Parquet or CSV."`
	History    historyCmd    `cmd:"" help:"Keep what runs came to, and show how a target's figures went."`
	Overhead   overheadCmd   `cmd:"" help:"Say what a proxy itself adds to the requests that go through it."`
	Gate       gateCmd       `cmd:"" help:"Say go or no-go to a delivery, with the reasons and a checklist."`
	Trace      traceCmd      `cmd:"" help:"Show everything that was recorded of one exchange on one time line."`
	Repro      reproCmd      `cmd:"" help:"Pack what is known of one exchange, with a program that plays it again."`
	Tap        tapCmd        `cmd:"" help:"Keep the book of a backend of your own: a relay that records what passes."`
	Chaos      chaosCmd      `cmd:"" help:"Let things go wrong between any client and any server, and say what was touched."`
	Dashboards dashboardsCmd `cmd:"" help:"Write Grafana dashboards, Prometheus rules and what starts them."`
	Doctor     doctorCmd     `cmd:"" help:"Say what of Gauntlet works on this machine, and how to get the rest."`
	Proxy      proxyCmd      `cmd:"" help:"Run the reference proxy on its own."`
	Dev        devCmd        `cmd:"" help:"For those who work on Gauntlet."`
	Version    versionCmd    `cmd:"" help:"Say which Gauntlet this is."`
}

// world is what a command may touch of the process it runs in.
type world struct {
	Stdin          io.Reader
	Stdout, Stderr *os.File
}

func main() {
	w := &world{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := execute(ctx, os.Args[1:], w)
	stop()
	if said := message(err); said != "" {
		_, _ = fmt.Fprintln(w.Stderr, said) // nobody is left to be told
	}
	os.Exit(exitCode(err))
}

// execute runs the command that the arguments name. Commands get the context,
// which ends on SIGINT and SIGTERM, and the world as arguments of Run.
func execute(ctx context.Context, args []string, w *world) error {
	answered := false // --help was: the rest of the line does not matter
	parser, err := kong.New(
		&cli{},
		kong.Name("gauntlet"),
		kong.Description(about),
		kong.Writers(w.Stdout, w.Stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Exit(func(int) { answered = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(w),
	)
	if err != nil {
		return err
	}
	addExamples(parser)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if answered {
		return nil
	}
	if err != nil {
		return usage(fmt.Errorf("gauntlet: %w; see gauntlet --help", err))
	}
	return command.Run()
}
