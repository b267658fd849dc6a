package difftest
import ("testing";"fmt";"sync";"strings";"golang.org/x/sync/errgroup";"github.com/yrs-go/yrs/internal/peers";"sort";"os")
func TestExplore(t *testing.T) {
	if os.Getenv("EXPLORE") == "" { return }
	seed := number(t, "YRS_SEED", 1)
	count := number(t, "YRS_SESSIONS", defaultSessions)
	node := peers.StartDiffer(t)
	var g errgroup.Group; g.SetLimit(4)
	var mu sync.Mutex; kinds := map[string][]uint64{}
	for i := range count { g.Go(func() error {
		f := play(node, fmt.Sprint(i), newScript(seed+i))
		if f != nil { 
			d := f.detail; if k := strings.Index(d, "ycrdt: "); k >= 0 { d = d[k:] } else if k := strings.Index(d, "\n"); k>0 { d = d[:k] }
			mu.Lock(); kinds[f.kind+": "+d] = append(kinds[f.kind+": "+d], seed+i); mu.Unlock() }
		return nil }) }
	g.Wait()
	var ks []string; for k := range kinds { ks = append(ks,k) }; sort.Strings(ks)
	n := 0
	for _, k := range ks { fmt.Println(len(kinds[k]), k, kinds[k][:min(5,len(kinds[k]))]); n += len(kinds[k]) }
	fmt.Println("failing", n, "of", count)
}
