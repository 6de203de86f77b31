//go:build !linux

package clientconn

import "net"

// refuseNew has no equivalent here: a client whose handshake ends at the very
// moment the listener is closed is reset.
func refuseNew(net.Listener) bool { return false }
