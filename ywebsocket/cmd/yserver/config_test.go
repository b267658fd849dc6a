package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// environment returns a lookup function for variables given as NAME=value.
func environment(variables ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, variable := range variables {
			if value, ok := strings.CutPrefix(variable, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}

func TestReadConfig_Defaults(t *testing.T) {
	c, err := readConfig(nil, environment(), nil)
	require.NoError(t, err)
	assert.Equal(t, config{
		listen: "127.0.0.1:1234", store: "memory:", logFormat: "text", compactAfter: 1000, shutdownTimeout: 20 * time.Second,
	}, c)
}

func TestReadConfig_FlagsAndEnvironment(t *testing.T) {
	want := config{
		listen:          "localhost:1",
		store:           "sqlite:///x.db",
		quarantine:      "/q",
		allowedOrigins:  list{"https://a.example", "null"},
		allowedHosts:    list{"b.example"},
		logLevel:        slog.LevelDebug,
		logFormat:       "json",
		compactAfter:    -1,
		history:         time.Hour,
		compress:        true,
		shutdownTimeout: time.Minute,
	}
	args := []string{
		"--listen", "localhost:1", "--store=sqlite:///x.db", "--quarantine", "/q", "--allowed-origins", "https://a.example, null,",
		"--allowed-hosts", "b.example", "--log-level", "debug", "--log-format", "json", "--shutdown-timeout", "1m",
		"--compact-after", "-1", "--history", "1h", "--compress",
	}
	variables := []string{
		"YSERVER_LISTEN=localhost:1", "YSERVER_STORE=sqlite:///x.db", "YSERVER_QUARANTINE=/q", "YSERVER_ALLOWED_ORIGINS=https://a.example,null",
		"YSERVER_ALLOWED_HOSTS=b.example", "YSERVER_LOG_LEVEL=debug", "YSERVER_LOG_FORMAT=json", "YSERVER_SHUTDOWN_TIMEOUT=1m",
		"YSERVER_COMPACT_AFTER=-1", "YSERVER_HISTORY=1h", "YSERVER_COMPRESS=true",
	}
	c, err := readConfig(args, environment(), nil)
	require.NoError(t, err)
	assert.Equal(t, want, c)

	c, err = readConfig(nil, environment(variables...), nil)
	require.NoError(t, err)
	assert.Equal(t, want, c)

	c, err = readConfig(args, environment("YSERVER_LISTEN=localhost:2", "YSERVER_STORE=", "YSERVER_ALLOWED_HOSTS=c.example"), nil)
	require.NoError(t, err)
	assert.Equal(t, want, c, "flags win, empty variables do not count")
}

func TestReadConfig_Refusals(t *testing.T) {
	tests := []struct {
		args      []string
		variables []string
		want      string
	}{
		{[]string{"--unknown"}, nil, "-unknown"},
		{[]string{"--listen"}, nil, "-listen"},
		{[]string{"--listen", "1234"}, nil, "write host:port"},
		{[]string{"--log-format", "xml"}, nil, "text and json"},
		{[]string{"--log-level", "loud"}, nil, "-log-level"},
		{[]string{"--shutdown-timeout", "soon"}, nil, "-shutdown-timeout"},
		{[]string{"--shutdown-timeout", "0s"}, nil, "positive"},
		{[]string{"--compact-after", "0"}, nil, "-1 for never"},
		{[]string{"--history", "-1h"}, nil, "negative"},
		{[]string{"start"}, nil, `unexpected argument "start"`},
		{nil, []string{"YSERVER_SHUTDOWN_TIMEOUT=soon"}, "YSERVER_SHUTDOWN_TIMEOUT"},
	}
	for _, test := range tests {
		_, err := readConfig(test.args, environment(test.variables...), nil)
		assert.ErrorContains(t, err, test.want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestReadConfig_Help(t *testing.T) {
	var help bytes.Buffer
	_, err := readConfig([]string{"--help"}, environment(), &help)
	assert.ErrorIs(t, err, errHelp)
	for _, want := range []string{"--listen address", "YSERVER_LISTEN", "127.0.0.1:1234", "--store", "YSERVER_STORE"} {
		assert.Contains(t, help.String(), want)
	}
}

func TestConfig_Hosts(t *testing.T) {
	tests := []struct {
		listen string
		want   []string
	}{
		{"127.0.0.1:1", []string{"x.example"}},
		{"[::1]:1", []string{"x.example"}},
		{":1", []string{"x.example"}},
		{"collab.example:1", []string{"collab.example", "x.example"}},
	}
	for _, test := range tests {
		c := config{listen: test.listen, allowedHosts: list{"x.example"}}
		assert.Equal(t, test.want, c.hosts(), test.listen)
	}
}

// A password in the name of a store does not get into the log.
func TestRedacted(t *testing.T) {
	assert.Equal(t, "postgres://ada:xxxxx@host/db", redacted("postgres://ada:secret@host/db"))
	for _, name := range []string{"sqlite:///x.db", "sqlite:a b%.db", "memory:", "postgres://host/db"} {
		assert.Equal(t, name, redacted(name))
	}
}
