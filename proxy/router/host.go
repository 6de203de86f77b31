package router

// maxHost is the longest host looked at: a DNS name has at most 253 bytes
// (RFC 1035 §3.1) and a longer one matches only routes for any host.
const maxHost = 255

// normalise appends the lower-case name of a Host field value (RFC 9110 §7.2)
// to dst: without its port and without the final dot of a rooted name. A host
// that is too long gives an empty name.
func normalise(dst []byte, host string) []byte {
	end := len(host)
	for i := end - 1; i >= 0; i-- {
		if host[i] == ':' {
			end = i
			break
		}
		if host[i] < '0' || host[i] > '9' {
			break
		}
	}
	if end > 0 && host[end-1] == '.' {
		end--
	}
	if end > maxHost {
		return dst
	}
	for i := range end {
		c := host[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
