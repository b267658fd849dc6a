package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yrs-go/yrs/bench/measure"
	"github.com/yrs-go/yrs/bench/report"
)

// builtPeers are the peers that come with the benchmark, as make bench builds and installs them. Where two results
// differ and nobody else can tell, that of the first is taken to be right.
func builtPeers(native, programs string) []measure.Peer {
	ours := programs + "/ycrdt"
	return []measure.Peer{
		{ID: report.YRS, Command: []string{native}},
		{ID: report.Ours, Command: []string{ours}},
		{ID: report.NoIndex, Command: []string{ours, "-no-index"}, Variant: true},
		{ID: report.Yjs, Command: []string{"node", "--expose-gc", "peers/yjs/peer.mjs"}},
		{ID: report.Pycrdt, Command: []string{"../build/venv/bin/python", "peers/pycrdt/peer.py"}},
		{ID: report.Automerge, Command: []string{programs + "/automerge"}},
	}
}

// outsidePeers is the flag that adds peers: name=command, with the words of the command apart by spaces.
type outsidePeers []measure.Peer

func (o *outsidePeers) String() string { return "" }

func (o *outsidePeers) Set(value string) error {
	name, command, found := strings.Cut(value, "=")
	words := strings.Fields(command)
	if !found || name == "" || len(words) == 0 {
		return fmt.Errorf("want name=command")
	}
	*o = append(*o, measure.Peer{ID: name, Command: words, Outside: true})
	return nil
}

// choose returns the peers of a list of names apart by commas; all of them for an empty list.
func choose(peers []measure.Peer, names string) ([]measure.Peer, error) {
	if names == "" {
		return peers, nil
	}
	var chosen []measure.Peer
	for name := range strings.SplitSeq(names, ",") {
		at := slices.IndexFunc(peers, func(p measure.Peer) bool { return p.ID == name })
		if at < 0 {
			return nil, fmt.Errorf("there is no peer %q", name)
		}
		chosen = append(chosen, peers[at])
	}
	return chosen, nil
}
