// Command h2spec holds the reference proxy to RFC 9113 and RFC 7541 with the
// tests of github.com/summerwind/h2spec, in the clear and over TLS. It is a
// module of its own so that what those depend on never enters the harness.
//
// It exits 0 when every test passed or stands in excused, and when every test
// in excused failed: what no longer fails needs no excuse.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// excused are the tests that fail for a reason, which
// docs/decisions/004-h2spec.md tells at length. Those of the second map fail in
// the clear only.
var (
	excused = map[string]string{
		"http2/6.5.3/1":   "net/http ends a connection whose SETTINGS name a value twice",
		"http2/8.1.2.2/1": "net/http answers 400 instead of resetting the stream",
		"http2/8.1.2.2/2": "net/http answers 400 instead of resetting the stream",
	}
	excusedInClear = map[string]string{
		"http2/3.5/2": "HTTP/1.1 is served on the same port and answers 400",
	}
)

func main() {
	binary := flag.String("gauntlet", "bin/gauntlet", "the binary whose proxy is tested")
	flag.Parse()
	bad := false
	for _, tls := range []bool{false, true} {
		wrong, err := check(*binary, tls)
		if err != nil {
			fmt.Fprintln(os.Stderr, "h2spec:", err)
			os.Exit(2)
		}
		for _, line := range wrong {
			bad = true
			fmt.Fprintf(os.Stderr, "h2spec, TLS %t: %s\n", tls, line)
		}
	}
	if bad {
		os.Exit(1)
	}
}

// check runs every test against a proxy and returns what is not as it should
// be, a line each.
func check(binary string, tls bool) (wrong []string, err error) {
	p, err := start(binary, tls)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	c := &config.Config{
		Host: "127.0.0.1", Port: p.port, Path: "/", Timeout: 2 * time.Second, MaxHeaderLen: 4000,
		Strict: true, TLS: tls, Insecure: true,
	}
	ran, excuses := 0, maps.Clone(excused)
	if !tls {
		maps.Copy(excuses, excusedInClear)
	}
	for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		group.Test(c)
		ran += group.PassedCount + group.FailedCount
		wrong = append(wrong, judge(group, excuses)...)
	}
	if ran < leastTests {
		wrong = append(wrong, fmt.Sprintf("only %d tests ran, want at least %d", ran, leastTests))
	}
	slices.Sort(wrong)
	return wrong, nil
}

// leastTests guards against a run that tested nothing.
const leastTests = 140

func judge(g *spec.TestGroup, excuses map[string]string) (wrong []string) {
	for _, tc := range slices.Concat(g.Tests, g.StrictTests) {
		if tc.Result == nil {
			continue
		}
		id := fmt.Sprintf("%s/%d", g.ID(), tc.Result.Sequence)
		switch reason := excuses[id]; {
		case tc.Result.Failed && reason == "":
			wrong = append(wrong, fmt.Sprintf("%s failed: %s: %v", id, tc.Desc, tc.Result.Error))
		case !tc.Result.Failed && reason != "":
			wrong = append(wrong, fmt.Sprintf("%s does not fail, so it needs no excuse (%s)", id, reason))
		}
	}
	for _, sub := range g.Groups {
		wrong = append(wrong, judge(sub, excuses)...)
	}
	return wrong
}
