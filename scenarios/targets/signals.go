package targets

import (
	"strings"
	"syscall"
)

// signalNamed gives a signal that a target file may name, 0 for any other.
func signalNamed(name string) syscall.Signal { return signals()[name] }

func signals() map[string]syscall.Signal {
	return map[string]syscall.Signal{
		"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGHUP": syscall.SIGHUP,
		"SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2, "SIGWINCH": syscall.SIGWINCH, "SIGKILL": syscall.SIGKILL,
	}
}

func signalNames() string { return strings.Join(sortedKeys(signals()), ", ") }
