package doctor

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gauntlet/fixtures/container"
)

// patience bounds each program that is asked.
const patience = 5 * time.Second

func containers(ctx context.Context) []Finding {
	f := Finding{Group: "containers", Name: "docker", For: "run --backends docker", Get: "a Docker engine that DOCKER_HOST or /var/run/docker.sock leads to"}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := container.Available(ctx); err != nil {
		f.Found, _, _ = strings.Cut(err.Error(), "\n")
		return []Finding{f}
	}
	f.OK, f.Found = true, "an engine answers"
	return []Finding{f}
}

// The parts of the kernel that trouble a network, and how to see whether they are
// there, in a network of our own that is gone with the look.
var troubles = []struct {
	name, of, get string
	commands      []string
}{
	{"veth", "two ends of a link of their own", "iproute2, and the kernel module veth", []string{"ip link add gauntlet0 type veth peer name gauntlet1"}},
	{"tbf", "a link of a limited rate", "iproute2, and the kernel module sch_tbf", []string{"tc qdisc add dev lo root tbf rate 1mbit burst 10kb latency 50ms", "tc qdisc del dev lo root"}},
	{"netem", "a link that delays, loses and reorders", "iproute2, and the kernel module sch_netem", []string{"tc qdisc add dev lo root netem delay 1ms", "tc qdisc del dev lo root"}},
	{"nftables", "a link that drops packets", "nftables, and the kernel module nf_tables", []string{"nft add table inet gauntlet"}},
}

// network tries what network faults would need. The thread that does so ends with
// its goroutine, because that leaves it locked, and the network with the thread.
func network(ctx context.Context) []Finding {
	found := make(chan []Finding)
	go func() {
		runtime.LockOSThread()
		found <- inNamespace(ctx)
	}()
	return <-found
}

func inNamespace(ctx context.Context) []Finding {
	f := Finding{Group: "network", Name: "namespaces", Found: "one of our own can be made", For: "trouble beneath TCP that touches nobody else; no fault of ours needs it yet", Get: "root, or CAP_SYS_ADMIN"}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		f.Found = "unshare: " + err.Error()
		all := []Finding{f}
		for _, t := range troubles {
			all = append(all, Finding{Group: "network", Name: t.name, Found: "cannot be tried without a namespace", For: t.of, Get: t.get})
		}
		return all
	}
	f.OK = true
	all := []Finding{f}
	for _, t := range troubles {
		one := Finding{Group: "network", Name: t.name, OK: true, Found: "works", For: t.of, Get: t.get}
		for _, command := range t.commands {
			if said := try(ctx, command); said != "" {
				one.OK, one.Found = false, said
				break
			}
		}
		all = append(all, one)
	}
	return all
}

// try runs a command in this thread's network and gives what went wrong, in a line.
func try(ctx context.Context, command string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := strings.Fields(command)
	said, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	switch line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n"); {
	case err == nil:
		return ""
	case errors.Is(err, exec.ErrNotFound):
		return "no program " + args[0]
	case line != "":
		return line
	}
	return err.Error()
}
