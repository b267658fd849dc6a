package difftest

// side is one of the two implementations, with the replicas of a session that it runs.
type side interface {
	// open makes replica number i.
	open(i int, spec replicaSpec) error
	// run does tasks one after another.
	run(tasks []task) ([]outcome, error)
	// read reads replicas, which stay as they are.
	read(replicas []int) ([]content, error)
	// close forgets all replicas.
	close() error
}

// task is a step of one replica with the messages that it uses.
type task struct {
	step
	inputs [][]byte
}

// outcome is what a step made, empty if nothing, and what became of its operations.
type outcome struct {
	made   []byte
	became []any
}

// content is what a replica holds.
type content struct {
	tree   string // canonical JSON
	vector []byte
	state  []byte
}
