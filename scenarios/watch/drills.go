package watch

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"gauntlet/fixtures/pki"
	"gauntlet/scenarios"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// A Drill is a scenario in which alerts must fire, and no other may but those
// that belong to the same trouble.
type Drill struct {
	Name   string
	Must   []string
	May    []string
	Case   *scenarios.Case
	Source []byte

	env    []string                                                  // for the target
	mute   bool                                                      // nobody takes its spans
	during func(context.Context, targets.Wants, *targets.Plan) error // once it has been planned
}

// calm is the drill in which nothing is wrong.
const calm = "calm"

//go:embed drills
var files embed.FS

// table says which alerts a drill is for, and what it needs beside its scenario.
var table = []Drill{
	{Name: calm},
	{Name: "slow", Must: []string{"GauntletSlow"}, May: []string{"SLOBurn"}},
	{Name: "down", Must: []string{"GauntletDown"}, May: []string{"SLOBurn"}},
	{Name: "memory", Must: []string{"GauntletMemory"}, May: []string{"GauntletSlow", "SLOBurn"}, env: []string{"GOMEMLIMIT=24MiB"}},
	{Name: "pool", Must: []string{"GauntletPoolExhausted"}, May: []string{"GauntletSlow", "SLOBurn"}},
	{Name: "retries", Must: []string{"GauntletRetrySurge"}},
	{Name: "breaker", Must: []string{"GauntletBreakerOpen", "SLOBurn"}, May: []string{"GauntletRetrySurge"}},
	{Name: "limit", Must: []string{"SLOBurn"}},
	{Name: "reload", Must: []string{"GauntletReloadRefused"}, during: spoilConfig},
	{Name: "handshakes", Must: []string{"GauntletTLSHandshakes"}, during: knock},
	{Name: "certificate", Must: []string{"GauntletCertificateEnds"}, May: []string{"GauntletTLSHandshakes"}, during: renew},
	{Name: "mute", Must: []string{"GauntletTelemetryLost"}, mute: true},
}

// Drills gives all of them, the calm one first.
func Drills() ([]Drill, error) {
	all := make([]Drill, 0, len(table))
	for _, d := range table {
		name := path.Join("drills", d.Name+".yaml")
		var err error
		if d.Source, err = files.ReadFile(name); err != nil {
			return nil, fmt.Errorf("drill %s: %w", d.Name, err)
		}
		cases, err := scenarios.Parse(name, d.Source)
		if err != nil {
			return nil, err
		}
		d.Case = cases[0]
		all = append(all, d)
	}
	return all, nil
}

// watched is a target where Prometheus expects it. Whoever had it planned
// waits.
type watched struct {
	targets.Target
	ctx       context.Context //nolint:containedctx // of the drill: Plan has none
	admin     string
	drill     Drill
	through   func(to string) (string, error) // gives where spans go instead; nil for straight there
	collector *Collector
	companion sync.WaitGroup
	failed    error // of the companion
}

// Plan implements targets.Target.
func (w *watched) Plan(wants targets.Wants) (*targets.Plan, error) {
	wants.Admin = w.admin
	if w.drill.mute {
		wants.OTLP = "http://127.0.0.1:1"
	}
	if w.through != nil {
		var err error
		if wants.OTLP, err = w.through(wants.OTLP); err != nil {
			return nil, err
		}
	}
	plan, err := w.Target.Plan(wants)
	if err != nil {
		return nil, err
	}
	plan.Env = append(plan.Env, w.drill.env...)
	if w.drill.during != nil {
		w.companion.Go(func() { w.failed = w.drill.during(w.ctx, wants, plan) })
	}
	return plan, nil
}

func (w *watched) wait() error {
	w.companion.Wait()
	return w.failed
}

// knock opens connections to the proxy for a while and says nothing that TLS
// understands.
func knock(ctx context.Context, _ targets.Wants, plan *targets.Plan) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var d net.Dialer
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		if c, err := d.DialContext(ctx, "tcp", plan.Address); err == nil { // it may not serve yet, or no longer
			_, _ = c.Write([]byte("who is there?\r\n\r\n"))
			_ = c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// spoilConfig gives the proxy, as soon as it serves, a configuration that it
// must refuse.
func spoilConfig(ctx context.Context, _ targets.Wants, plan *targets.Plan) error {
	base, err := serves(ctx, plan)
	if err != nil {
		return err
	}
	config := plan.Args[len(plan.Args)-1]
	if err := os.WriteFile(config, []byte("listen: nowhere\n"), 0o644); err != nil {
		return fmt.Errorf("spoil the configuration: %w", err)
	}
	status, err := call(ctx, http.MethodPost, base+"/reload")
	if err == nil && status != http.StatusUnprocessableEntity {
		err = fmt.Errorf("a spoilt configuration was answered %d; allowed: 422", status)
	}
	return err
}

// renew gives the proxy, as soon as it serves, a certificate that ends within
// a day. Those who had connected before stay.
func renew(ctx context.Context, wants targets.Wants, plan *targets.Plan) error {
	base, err := serves(ctx, plan)
	if err != nil {
		return err
	}
	authority, err := pki.New("Gauntlet drill")
	if err != nil {
		return err
	}
	pair, err := authority.Issue(pki.Options{Names: []string{wire.DefaultName}, For: 20 * time.Hour})
	if err != nil {
		return err
	}
	if err := errors.Join(replace(wants.TLS.Key, pair.Key), replace(wants.TLS.Cert, pair.Cert)); err != nil {
		return err
	}
	_, err = call(ctx, http.MethodPost, base+"/reload")
	return err
}

func replace(path string, text []byte) error {
	next := path + ".next"
	return errors.Join(os.WriteFile(next, text, 0o600), os.Rename(next, path))
}

// serves waits until the proxy serves and gives the URL of its admin listener.
func serves(ctx context.Context, plan *targets.Plan) (string, error) {
	base := strings.TrimSuffix(plan.Prometheus, "/metrics")
	return base, answers(ctx, base+"/healthz", nil)
}
