package scenarios

import (
	"slices"
	"strings"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios/decode"
)

// The settings that follow from what backends and clients are, so that no author
// can forget to tell the target.
const (
	upstreamProtocol = "upstream.protocol"
	upstreamTLS      = "upstream.tls"
	downstreamTLS    = "downstream.tls"
	downstreamHTTP2  = "downstream.http2"
)

// derived gives the settings that follow from backends and clients. One that is
// as every target has it without being told is left out.
func (s *Scenario) derived() map[string]string {
	given := map[string]string{}
	if len(s.Backends) > 0 && s.Backends[0].Protocol == script.H2 {
		given[upstreamProtocol] = string(script.H2)
	}
	if len(s.Backends) > 0 && s.Backends[0].TLS != nil {
		given[upstreamTLS] = "true"
	}
	for i := range s.Clients {
		if s.Clients[i].TLS != nil {
			given[downstreamTLS] = "true"
		}
		if s.Clients[i].Protocol == string(script.H2) {
			given[downstreamHTTP2] = "true"
		}
	}
	for i := range s.Load {
		if s.Load[i].TLS != nil {
			given[downstreamTLS] = "true"
		}
	}
	return given
}

// spoken checks how a backend is spoken to. They are one upstream of the target,
// and an upstream has one way.
func (v *validation) spoken(at string, b *Backend) {
	first := &v.s.Backends[0]
	v.say(!b.Protocol.Known(), at+".protocol", "found %q; allowed: %s", string(b.Protocol), strings.Join(script.Protocols(), ", "))
	v.say(b.Protocol.String() != first.Protocol.String(), at+".protocol", "found %s beside %s of backends[0]; allowed: one for all of them", b.Protocol, first.Protocol)
	v.say((b.TLS == nil) != (first.TLS == nil), at, "found TLS in some backends; allowed: tls in all of them or in none")
	if b.TLS != nil && b.TLS.Certificate != "" {
		v.say(!slices.Contains(Certificates(), b.TLS.Certificate), at+".tls.certificate", "found %q; allowed: %s", b.TLS.Certificate, strings.Join(Certificates(), ", "))
	}
	if b.Settings != nil {
		v.say(b.Protocol != script.H2, at+".settings", "found settings on %s; allowed: with protocol: h2", b.Protocol)
		for _, wrong := range b.Settings.Misuse() {
			v.say(true, at+".settings", "%s", wrong)
		}
	}
}

// owned rejects a setting that the scenario's own parts decide.
func (v *validation) owned() {
	for name, by := range map[string]string{upstreamProtocol: "protocol of a backend", upstreamTLS: "tls of a backend", downstreamTLS: "tls of a client or load", downstreamHTTP2: "protocol of a client"} {
		_, given := v.s.Given[name]
		v.say(given, "given", "%s is told to the target by itself; allowed: %s", name, by)
	}
}

// dialled checks how clients speak to the target, which has one port.
func (v *validation) dialled() {
	if v.s.derived()[downstreamTLS] == "" {
		return
	}
	const mixed = "found none beside others that have it; allowed: tls in all clients and loads or in none"
	for i := range v.s.Clients {
		v.say(v.s.Clients[i].TLS == nil, decode.Index("clients", i)+".tls", mixed)
	}
	for i := range v.s.Load {
		v.say(v.s.Load[i].TLS == nil, decode.Index("load", i)+".tls", mixed)
	}
}
