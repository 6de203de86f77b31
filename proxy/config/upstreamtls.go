package config

// UpstreamTLS is how the connections to an upstream are secured.
type UpstreamTLS struct {
	Enabled bool `yaml:"enabled"`
	// CA is a PEM file of the authorities that may have signed an
	// endpoint's certificate; empty means those of the system.
	CA string `yaml:"ca"`
	// ServerName is the name that endpoints must prove and are asked for
	// (RFC 6066 §3); empty means the host of the endpoint's address.
	ServerName string `yaml:"server_name"`
	// Cert and Key are PEM files with the certificate we show to an
	// endpoint that asks for one, and its private key.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Insecure accepts any certificate. Whoever is on the path can then
	// read and change everything.
	Insecure bool `yaml:"insecure"`
}

func (t *UpstreamTLS) check(k *checker, at string) {
	if !t.Enabled {
		if *t != (UpstreamTLS{}) {
			k.add(at+".enabled", "false beside other settings of TLS", "true, or none of them")
		}
		return
	}
	if (t.Cert == "") != (t.Key == "") {
		k.add(at+".cert", quote(t.Cert)+" with the key "+quote(t.Key), "both cert and key, or neither")
	}
	if t.Insecure && t.CA != "" {
		k.add(at+".ca", quote(t.CA), "nothing where insecure accepts any certificate")
	}
	if t.ServerName != "" && (!isHostPattern(t.ServerName) || t.ServerName[0] == '*') {
		k.add(at+".server_name", quote(t.ServerName), "a host name without a port")
	}
}
