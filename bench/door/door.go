// Package door has the messages and the workload files that the benchmark and its peers exchange. DOOR.md describes
// them for peers in any language.
package door

// Features of peers: what a workload may need beside editing, applying, encoding and reading.
const (
	Text    = "text"    // edits of the root text
	Array   = "array"   // edits of the root array
	Map     = "map"     // edits of the root map
	UTF16   = "utf16"   // offsets into text beyond ASCII count UTF-16 code units
	Updates = "updates" // updates of Yjs, version 1; the order of concurrent edits is that of Yjs too
	Merge   = "merge"   // updates merge without a document
	Gate    = "gate"    // parts of our library alone
)

// Request is a line that the benchmark writes to a peer.
type Request struct {
	Do   string `json:"do"`             // "hello", "load" or "run"
	Path string `json:"path,omitempty"` // of the workload file to load
}

// Reply is the line that a peer answers with. Error is empty unless the request failed; the rest depends on the
// request.
type Reply struct {
	Error string `json:"error,omitempty"`
	*Hello
	*Result
}

// Hello says who a peer is.
type Hello struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Language string   `json:"language"`
	Features []string `json:"features"`
}

// Result is what a run came to. Sizes are in bytes.
type Result struct {
	NS      []int64 `json:"ns"`                // of each part
	Hash    string  `json:"hash"`              // SHA-256 of the result in hexadecimal digits
	Peak    int64   `json:"peak"`              // most that was resident, above what was before the first document
	Live    int64   `json:"live,omitempty"`    // what the documents hold in the end; 0 when the peer cannot tell
	Heard   int64   `json:"heard,omitempty"`   // all updates that listeners heard
	Encoded int64   `json:"encoded,omitempty"` // the document that was encoded last
}
