package ywebsocket

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOriginPolicy_Check(t *testing.T) {
	tests := []struct {
		name    string
		allowed []string
		host    string
		origin  string
		ok      bool
	}{
		{"no browser", nil, "example.com", "", true},
		{"same origin", nil, "example.com", "https://example.com", true},
		{"same origin with port", nil, "localhost:1234", "http://localhost:1234", true},
		{"same origin, port of the scheme", nil, "example.com:443", "https://example.com", true},
		{"same origin, other case", nil, "Example.com", "https://example.COM", true},
		{"same origin, IPv6", nil, "[::1]:1234", "http://[::1]:1234", true},
		{"other port", nil, "localhost:1234", "http://localhost:3000", false},
		{"other host", nil, "localhost:1234", "https://evil.example", false},
		{"host as prefix", nil, "example.com", "https://example.com.evil.example", false},
		{"null", nil, "example.com", "null", false},
		{"garbage", nil, "example.com", "example.com", false},
		{"with a path", nil, "example.com", "https://example.com/x", false},

		{"listed", []string{"https://app.example"}, "api.example", "https://app.example", true},
		{"listed second", []string{"https://a.example", "https://b.example"}, "api.example", "https://b.example", true},
		{"listed, same origin too", []string{"https://app.example"}, "api.example", "https://api.example", true},
		{"listed with the default port", []string{"https://app.example:443"}, "api.example", "https://app.example", true},
		{"other scheme", []string{"https://app.example"}, "api.example", "http://app.example", false},
		{"other port than listed", []string{"https://app.example"}, "api.example", "https://app.example:8443", false},
		{"any port", []string{"http://localhost:*"}, "api.example", "http://localhost:3000", true},
		{"any port, the default one", []string{"http://localhost:*"}, "api.example", "http://localhost", true},
		{"subdomain", []string{"https://*.example"}, "x", "https://a.example", true},
		{"subdomain of a subdomain", []string{"https://*.example"}, "x", "https://a.b.example", true},
		{"wildcard is no bare domain", []string{"https://*.app.example"}, "x", "https://app.example", false},
		{"wildcard wants a dot", []string{"https://*.app.example"}, "x", "https://evilapp.example", false},
		{"any", []string{"*"}, "x", "https://evil.example", true},
		{"any includes null", []string{"*"}, "x", "null", true},
		{"null listed", []string{"null"}, "x", "null", true},
		{"null listed, others not", []string{"null"}, "x", "https://evil.example", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			policy, err := newOriginPolicy(test.allowed)
			require.NoError(t, err)
			r := &http.Request{Host: test.host, Header: http.Header{}}
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if err := policy.check(r); test.ok {
				assert.NoError(t, err)
			} else {
				assert.Error(t, err)
			}
		})
	}
}

func TestHostPolicy_Check(t *testing.T) {
	tests := []struct {
		name    string
		allowed []string
		host    string
		ok      bool
	}{
		{"localhost", nil, "localhost", true},
		{"localhost with port", nil, "localhost:1234", true},
		{"localhost, other case", nil, "LocalHost.", true},
		{"below localhost", nil, "app.localhost:1234", true},
		{"loopback address", nil, "127.0.0.1:1234", true},
		{"loopback address, IPv6", nil, "[::1]:1234", true},
		{"address without port, IPv6", nil, "[::1]", true},
		{"other address", nil, "192.0.2.7", true},
		{"name", nil, "evil.example:1234", false},
		{"name that begins like localhost", nil, "localhost.evil.example", false},
		{"name that begins like an address", nil, "127.0.0.1.evil.example", false},
		{"none", nil, "", false},

		{"listed", []string{"app.example"}, "app.example", true},
		{"listed, with port", []string{"app.example"}, "APP.example.:8080", true},
		{"localhost besides the list", []string{"app.example"}, "localhost", true},
		{"not listed", []string{"app.example"}, "evil.example", false},
		{"below a listed one", []string{"app.example"}, "x.app.example", false},
		{"wildcard", []string{"*.app.example"}, "x.y.app.example", true},
		{"wildcard is no bare domain", []string{"*.app.example"}, "app.example", false},
		{"any", []string{"*"}, "evil.example", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			policy, err := newHostPolicy(test.allowed)
			require.NoError(t, err)
			if err := policy.check(&http.Request{Host: test.host}); test.ok {
				assert.NoError(t, err)
			} else {
				assert.Error(t, err)
			}
		})
	}
}

func TestNewServer_RefusesBadPatterns(t *testing.T) {
	for _, origin := range []string{
		"", "example.com", "localhost:3000", "https://", "https://example.com/", "https://example.com/path",
		"https://user@example.com", "https://a.*.example", "https://*", "https://**.example", "https://*:*",
	} {
		_, err := NewServer(Options{AllowedOrigins: []string{origin}})
		assert.ErrorContains(t, err, "allowed origin", origin)
	}
	for _, host := range []string{"", "https://example.com", "a.*.example", "*.*.example", "a b"} {
		_, err := NewServer(Options{AllowedHosts: []string{host}})
		assert.ErrorContains(t, err, "allowed host", host)
	}
}
