package ywebsocket

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// originPolicy decides which pages may connect.
type originPolicy struct {
	any, null bool
	patterns  []originPattern
}

// originPattern is an allowed origin. The host may begin with "*."; the port is
// never empty and may be "*".
type originPattern struct{ scheme, host, port string }

func newOriginPolicy(allowed []string) (*originPolicy, error) {
	policy := &originPolicy{}
	for _, text := range allowed {
		switch text {
		case "*":
			policy.any = true
		case "null":
			policy.null = true
		default:
			pattern, err := parseOriginPattern(text)
			if err != nil {
				return nil, err
			}
			policy.patterns = append(policy.patterns, pattern)
		}
	}
	return policy, nil
}

func parseOriginPattern(text string) (originPattern, error) {
	anyPort := strings.HasSuffix(text, ":*")
	origin, err := parseOrigin(strings.TrimSuffix(text, ":*"))
	if err != nil || !validHostPattern(origin.host) {
		return originPattern{}, fmt.Errorf(
			"ywebsocket: allowed origin %q is none: write scheme://host, as in https://example.com or https://*.example.com", text)
	}
	if anyPort {
		origin.port = "*"
	}
	return origin, nil
}

// parseOrigin reads scheme://host[:port].
func parseOrigin(text string) (originPattern, error) {
	u, err := url.Parse(text)
	if err != nil {
		return originPattern{}, err
	}
	if u.Scheme == "" || u.Host == "" ||
		u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return originPattern{}, fmt.Errorf("%q is not an origin", text)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return originPattern{scheme: strings.ToLower(u.Scheme), host: hostName(u.Host), port: port}, nil
}

func defaultPort(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	default:
		return ""
	}
}

// check returns an error that says why the page that sends r may not connect.
func (p *originPolicy) check(r *http.Request) error {
	header := r.Header.Get("Origin")
	if header == "" || p.any {
		return nil
	}
	if header == "null" {
		if p.null {
			return nil
		}
		return fmt.Errorf("pages without an origin are not allowed here; the server's list of allowed origins has to name null")
	}
	origin, err := parseOrigin(header)
	if err != nil {
		return fmt.Errorf("the Origin header %q is malformed", header)
	}
	if origin.isHost(r.Host) {
		return nil
	}
	for _, pattern := range p.patterns {
		if pattern.matches(origin) {
			return nil
		}
	}
	return fmt.Errorf("pages of %s are not allowed here; the server's list of allowed origins has to name it", header)
}

// isHost reports whether a page of this origin was served under the name in a
// Host header. The scheme is not compared: behind a proxy the server does not see
// the one that the browser uses.
func (o originPattern) isHost(host string) bool {
	if o.host != hostName(host) {
		return false
	}
	if _, port, err := net.SplitHostPort(host); err == nil {
		return o.port == port
	}
	return o.port == defaultPort(o.scheme)
}

func (o originPattern) matches(origin originPattern) bool {
	return o.scheme == origin.scheme &&
		(o.port == "*" || o.port == origin.port) &&
		matchHost(o.host, origin.host)
}

// hostPolicy decides under which names the server answers.
type hostPolicy struct {
	any      bool
	patterns []string
}

func newHostPolicy(allowed []string) (*hostPolicy, error) {
	policy := &hostPolicy{}
	for _, text := range allowed {
		switch {
		case text == "*":
			policy.any = true
		case validHostPattern(text):
			policy.patterns = append(policy.patterns, hostName(text))
		default:
			return nil, fmt.Errorf("ywebsocket: allowed host %q is none: write a name, as in example.com or *.example.com", text)
		}
	}
	return policy, nil
}

// check returns an error that says why a request to this host is refused. An
// address in place of a name is fine: nobody can make a name of theirs look like
// one.
func (p *hostPolicy) check(r *http.Request) error {
	name := hostName(r.Host)
	if p.any || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return nil
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	for _, pattern := range p.patterns {
		if matchHost(pattern, name) {
			return nil
		}
	}
	return fmt.Errorf("this server does not go by the name %q; its list of allowed hosts has to name it", r.Host)
}

// hostName returns the name in host[:port], in lower case, without the dot of a
// fully qualified name and the brackets of an IPv6 address.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// validHostPattern allows one star, as the whole first label.
func validHostPattern(pattern string) bool {
	name := strings.TrimPrefix(pattern, "*.")
	return name != "" && !strings.ContainsAny(name, "*/ ")
}

// matchHost compares a name with a pattern; "*." in front of the pattern stands
// for one or more labels.
func matchHost(pattern, name string) bool {
	if domain, wild := strings.CutPrefix(pattern, "*"); wild {
		return len(name) > len(domain) && strings.HasSuffix(name, domain)
	}
	return pattern == name
}
