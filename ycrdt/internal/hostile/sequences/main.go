// Command sequences prints the updates of the sequences of some seeds, as JSON, for tests outside package ycrdt:
//
//	go run ./ycrdt/internal/hostile/sequences 1000
package main

import (
	"encoding/json"
	"log"
	"os"
	"strconv"

	"github.com/yrs-go/yrs/ycrdt/internal/hostile"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: sequences <how many>")
	}
	n, err := strconv.ParseUint(os.Args[1], 10, 32)
	if err != nil {
		log.Fatalf("%v: how many sequences?", err)
	}
	generator := hostile.NewGenerator(nil)
	sequences := make([][][]byte, n)
	for seed := range n {
		sequences[seed] = generator.Sequence(seed).Updates
	}
	if err := json.NewEncoder(os.Stdout).Encode(sequences); err != nil {
		log.Fatal(err)
	}
}
