package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// config is what flags and environment say.
type config struct {
	listen          string
	store           string
	compactAfter    int
	history         time.Duration
	compress        bool
	giveUpDamaged   bool
	quarantine      string
	allowedOrigins  list
	allowedHosts    list
	logLevel        slog.Level
	logFormat       string
	shutdownTimeout time.Duration
}

// list is a flag of comma separated values.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	*l = nil
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			*l = append(*l, value)
		}
	}
	return nil
}

func (c *config) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("yserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors become one line of ours
	flags.StringVar(&c.listen, "listen", "127.0.0.1:1234", "`address` to listen on, host:port; an empty host is every address")
	flags.StringVar(&c.store, "store", "memory:", "where documents are kept: sqlite:///absolute/path.db, sqlite:relative/path.db, file:///absolute/directory, postgres://user:password@host/database or memory:")
	flags.BoolVar(&c.compress, "compress", false, "compress what is stored with Zstandard; what was stored so is not read without")
	flags.BoolVar(&c.giveUpDamaged, "give-up-damaged", false, "open rooms that are damaged beyond mending with what is left of them, which may be nothing; for one run, when there is no backup")
	flags.IntVar(&c.compactAfter, "compact-after", 1000, "`number` of updates in the log of a room after which they are merged into one; -1 for never")
	flags.DurationVar(&c.history, "history", 0, "how long updates are kept apart all the same, so that the store can tell what a room was")
	flags.StringVar(&c.quarantine, "quarantine", "", "`directory` for updates that have broken a document, to be looked into; without it the log says only that there were some")
	flags.Var(&c.allowedOrigins, "allowed-origins", "comma separated `origins` of pages that may connect besides the server's own: https://example.com, https://*.example.com, *")
	flags.Var(&c.allowedHosts, "allowed-hosts", "comma separated `names` under which the server is reached besides localhost and addresses: example.com, *.example.com, *")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "least `level` that is logged: debug, info, warn, error")
	flags.StringVar(&c.logFormat, "log-format", "text", "`format` of the log: text, json")
	flags.DurationVar(&c.shutdownTimeout, "shutdown-timeout", 20*time.Second, "how long to wait for documents to be stored and connections to close")
	return flags
}

// errHelp means that help was asked for, and given.
var errHelp = errors.New("help was printed")

// readConfig takes the flags from args and, where missing there, from the
// environment.
func readConfig(args []string, lookup func(string) (string, bool), help io.Writer) (config, error) {
	var c config
	flags := c.flags()
	if err := setFromEnvironment(flags, lookup); err != nil {
		return config{}, err
	}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		printHelp(flags, help)
		return config{}, errHelp
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return config{}, fmt.Errorf("%w; yserver --help lists the flags", err)
	}
	return c, nil
}

func setFromEnvironment(flags *flag.FlagSet, lookup func(string) (string, bool)) (err error) {
	flags.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if value, _ := lookup(name); value != "" && err == nil {
			if bad := f.Value.Set(value); bad != nil {
				err = fmt.Errorf("invalid value %q of the environment variable %s: %w", value, name, bad)
			}
		}
	})
	return err
}

// variable returns the name of the environment variable that stands for a flag.
func variable(flag string) string {
	return "YSERVER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (c *config) check() error {
	if _, _, err := net.SplitHostPort(c.listen); err != nil {
		return fmt.Errorf("--listen %q is no address: write host:port, as in 127.0.0.1:1234", c.listen)
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return fmt.Errorf("--log-format %q: there are text and json", c.logFormat)
	}
	if c.compactAfter == 0 {
		return errors.New("--compact-after 0: name a number of updates, or -1 for never")
	}
	if c.history < 0 {
		return fmt.Errorf("--history %v: it cannot be negative", c.history)
	}
	if c.shutdownTimeout <= 0 {
		return fmt.Errorf("--shutdown-timeout %v: it has to be positive", c.shutdownTimeout)
	}
	return nil
}

// hosts returns the names under which the server is reached: those of the flag
// and the one that it listens on.
func (c *config) hosts() []string {
	host, _, _ := net.SplitHostPort(c.listen)
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return c.allowedHosts
	}
	return append([]string{host}, c.allowedHosts...)
}

func printHelp(flags *flag.FlagSet, w io.Writer) {
	fmt.Fprintln(w, "yserver serves shared documents to Yjs editors.")
	fmt.Fprintln(w)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%s %s\n        %s\n        environment: %s", f.Name, value, usage, variable(f.Name))
		if f.DefValue != "" {
			fmt.Fprintf(w, ", default: %s", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}
