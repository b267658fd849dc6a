module github.com/yrs-go/yrs/bench

go 1.25.0

require github.com/yrs-go/yrs v0.0.0

require golang.org/x/sync v0.22.0 // indirect

replace github.com/yrs-go/yrs => ../
