// Package peer puts a Go implementation behind the door of the benchmark: an adapter says how documents are made and
// edited, and Main does the rest. peers/ycrdt is a whole one.
package peer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/yrs-go/yrs/bench/door"
)

// Implementation is what an adapter provides.
type Implementation struct {
	Name, Version string
	Features      []string // of package door
	// NewDoc makes an empty document that writes under a client id. Unless heard is nil, the document calls it with
	// the update of each transaction that changed something, before that transaction returns.
	NewDoc func(client uint64, heard func(update []byte)) (Doc, error)
	// Merge merges updates without a document; nil without the feature.
	Merge func(updates [][]byte) ([]byte, error)
}

// Doc is a document with three root types: text, array and map.
type Doc interface {
	// Transact runs edits in one transaction.
	Transact(func(Tx) error) error
	// Apply applies updates in one transaction.
	Apply(updates [][]byte) error
	// Encode returns the whole document as an update.
	Encode() ([]byte, error)
	Text() (string, error)
	Array() ([]any, error)
	Map() (map[string]any, error)
	Close() error
}

// Tx writes in a transaction. Offsets into text count UTF-16 code units, or characters of ASCII for peers without the
// feature. Values are string, bool, nil, int64, float64, []any and map[string]any.
type Tx interface {
	InsertText(at int, text string) error
	DeleteText(at, length int) error
	InsertArray(at int, values []any) error
	SetMap(key string, value any) error
}

// Main serves the benchmark on stdin and stdout until it closes them.
func Main(implementation Implementation) {
	// On another thread than the run that warms it up, a run would not find the memory that C had by then: it would be
	// measured with the page faults that the other programs are spared.
	runtime.LockOSThread()
	log.SetFlags(0)
	log.SetPrefix(implementation.Name + ": ")
	if err := Serve(implementation, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// Serve answers requests until there are no more. A failed request is answered with its error.
func Serve(implementation Implementation, in io.Reader, out io.Writer) error {
	requests, replies := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	server := server{implementation: implementation}
	for {
		var request door.Request
		if err := requests.Decode(&request); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		reply, err := server.answer(request)
		if err != nil {
			reply = door.Reply{Error: err.Error()}
		}
		if err := replies.Encode(reply); err != nil {
			return err
		}
	}
}

// server holds the workload that was loaded last.
type server struct {
	implementation Implementation
	workload       *door.Workload
}

func (s *server) answer(request door.Request) (door.Reply, error) {
	switch request.Do {
	case "hello":
		return door.Reply{Hello: &door.Hello{
			Name: s.implementation.Name, Version: s.implementation.Version, Language: "Go",
			Features: s.implementation.Features,
		}}, nil
	case "load":
		workload, err := load(request.Path)
		s.workload = workload
		return door.Reply{}, err
	case "run":
		if s.workload == nil {
			return door.Reply{}, errors.New("no workload is loaded")
		}
		result, err := run(s.implementation, s.workload)
		return door.Reply{Result: result}, err
	}
	return door.Reply{}, fmt.Errorf("unknown request %q", request.Do)
}

// ModuleVersion returns the version of a module that this program is built with.
func ModuleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == path {
				return module.Version
			}
		}
	}
	return "unknown"
}
