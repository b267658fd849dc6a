module github.com/yrs-go/yrs/bench

go 1.25.0

require (
	github.com/automerge/automerge-go v0.0.0-20230903201930-b80ce8aadbb9
	github.com/stretchr/testify v1.12.1
	github.com/yrs-go/yrs v0.0.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.22.0 // indirect
)

replace github.com/yrs-go/yrs => ../
