package difftest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// compare checks that all replicas hold the same, and that others that load their states do.
func (s *session) compare() error {
	contents, err := s.read()
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	for i, got := range contents {
		if s.script.links == alone {
			got.vector = contents[0].vector // how many marks make up a formatting is up to the implementation
		}
		if err := equal(contents[0], got); err != nil {
			return fmt.Errorf("replicas 0 and %d differ in %w", i, err)
		}
	}
	for runs := range s.sides {
		from := slices.IndexFunc(s.script.replicas, func(spec replicaSpec) bool { return spec.runs != runs })
		got, err := s.load(runs, contents[from].state)
		if err != nil {
			return fmt.Errorf("loading the state of replica %d: %w", from, err)
		}
		if err := equal(contents[from], got); err != nil {
			return fmt.Errorf("replica %d and one that loads its state differ in %w", from, err)
		}
	}
	return nil
}

// read reads all replicas of the script.
func (s *session) read() ([]content, error) {
	contents := make([]content, len(s.script.replicas))
	for runs, side := range s.sides {
		var replicas []int
		for i, spec := range s.script.replicas {
			if spec.runs == runs {
				replicas = append(replicas, i)
			}
		}
		read, err := side.read(replicas)
		if err != nil {
			return nil, err
		}
		for i, replica := range replicas {
			contents[replica] = read[i]
		}
	}
	return contents, nil
}

// load reads a state by a new replica.
func (s *session) load(runs implementation, state []byte) (loaded content, err error) {
	const late = 100 // above the number of any other replica
	side := s.sides[runs]
	if err := side.open(late, replicaSpec{clientID: 1}); err != nil {
		return loaded, err
	}
	if _, err := side.run([]task{{step{replica: late, do: doApply}, [][]byte{state}}}); err != nil {
		return loaded, err
	}
	contents, err := side.read([]int{late})
	if err != nil {
		return loaded, err
	}
	return contents[0], nil
}

// equal fails if two replicas differ in what they hold or in their state vectors.
func equal(a, b content) error {
	if a.tree != b.tree {
		return fmt.Errorf("content:\n%s\n%s", a.tree, b.tree)
	}
	vectorA, errA := readVector(a.vector)
	vectorB, errB := readVector(b.vector)
	if err := errors.Join(errA, errB); err != nil {
		return fmt.Errorf("state vectors: %w", err)
	}
	if !maps.Equal(vectorA, vectorB) {
		return fmt.Errorf("state vectors:\n%v\n%v", vectorA, vectorB)
	}
	return nil
}

func readVector(encoded []byte) (map[uint64]uint64, error) {
	dec := protocol.NewDecoder(encoded)
	count, err := dec.ReadVarUint()
	if err != nil {
		return nil, err
	}
	vector := make(map[uint64]uint64)
	for range count {
		client, errClient := dec.ReadVarUint()
		clock, errClock := dec.ReadVarUint()
		if err := errors.Join(errClient, errClock); err != nil {
			return nil, err
		}
		vector[client] = clock
	}
	return vector, nil
}
