package engine_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/targets"
)

// reader is a target that forwards to the backend that its file names, reads
// the file again at SIGHUP, and asks for /reloaded when it has.
type reader struct{ own }

func (r reader) Plan(w targets.Wants) (*targets.Plan, error) {
	file := filepath.Join(w.Dir, "conf")
	if err := os.WriteFile(file, []byte(w.Backends[0]), 0o600); err != nil {
		return nil, err
	}
	p, err := r.own.Plan(targets.Wants{Listen: w.Listen, Backends: []string{file}, Dir: w.Dir})
	p.Reload.Signal, p.Config = syscall.SIGHUP, file
	return p, err
}

// The configuration is without an endpoint, then none at all, then half of one,
// then as it was.
func TestReloads(t *testing.T) {
	r := carry(t, config(t, reader{own{way: "reads"}}, ask("reloads", `
backends:
  - count: 2
    script:
      - {when: path == "/reloaded", do: [{read: request}, {reach: reloaded}, {respond: {status: 200}}]}
      - {do: [{read: request}, {respond: {status: 200}}]}
clients:
  - do:
      - {send: {path: /}, as: a}
      - {receive: {status: 200}}
      - {reach: one}
      - {await: {reloaded: 1}}
      - {send: {path: /}, as: b}
      - {receive: {status: 200}}
      - {reach: two}
      - {await: {reloaded: 2}}
      - {send: {path: /}, as: c}
      - {receive: {status: 200}}
      - {reach: three}
      - {await: {reloaded: 3}}
      - {send: {path: /}, as: d}
      - {receive: {status: 200}}
      - {reach: four}
      - {await: {reloaded: 4}}
      - {send: {path: /}, as: e}
      - {receive: {status: 200}}
actions:
  - {await: one, do: reload, without: [1]}
  - {await: two, do: reload-bad}
  - {await: three, do: reload-torn}
  - {await: four, do: reload}
expect:
  - ledger.delivered == 5
  - backend(1).sightings("a") == 1 && backend(2).sightings("b") == 1 && backend(2).sightings("c") == 1
  - backend(2).sightings("d") == 1 && backend(1).sightings("e") == 1
`)))
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
}

// A target that sleeps serves again when it is woken, and has not crashed.
func TestFreezeAndThaw(t *testing.T) {
	r := carry(t, config(t, own{way: "serves"}, ask("freeze", echo+`
clients:
  - {name: first, do: [{send: {path: /}}, {receive: {status: 200}}, {reach: asleep}]}
  - {name: second, after: first, do: [{pause: 50ms}, {reach: awake}, {send: {path: /}}, {receive: {status: 200}}]}
actions: [{await: asleep, do: freeze}, {await: awake, do: thaw}]
expect: [ledger.delivered == 2, "!target.crashed"]
`)))
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
}

// Another process takes the place of the target's: nobody calls that a crash,
// and who comes after is served, and stopped in the end. The second client has a
// connection of its own: the first one's may be closed while it is used.
func TestAnUpgradeIsNoCrash(t *testing.T) {
	cfg := config(t, replaceable{own{way: "hands-over"}}, ask("upgrade", `
backends:
  - script:
      - {when: path == "/reloaded", do: [{read: request}, {reach: replaced}, {respond: {status: 200}}]}
      - {do: [{read: request}, {respond: {status: 200}}]}
clients:
  - {name: first, do: [{send: {path: /}}, {receive: {status: 200}}, {reach: served}]}
  - {name: second, after: first, do: [{await: replaced}, {send: {path: /}}, {receive: {status: 200}}]}
actions: [{await: served, do: upgrade}]
expect: [ledger.delivered == 2, target.replaced, "!target.crashed"]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v %+v", facts(t, cfg).Target, only(t, r).Findings)
}

type replaceable struct{ own }

func (r replaceable) Plan(w targets.Wants) (*targets.Plan, error) {
	p, err := r.own.Plan(w)
	p.Upgrade = syscall.SIGUSR2
	return p, err
}
