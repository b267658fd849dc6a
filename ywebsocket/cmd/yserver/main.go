// Command yserver serves shared documents to Yjs editors.
//
//	yserver --listen 127.0.0.1:1234 --store sqlite:///path/to.db
//
// The URL path names the document: a y-websocket provider connects to
// ws://127.0.0.1:1234 with a room name. http://127.0.0.1:1234 is a demo editor.
// yserver --help lists the flags.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(os.Args[1:], os.LookupEnv, signals, os.Stdout, os.Stderr))
}
