package report

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/yrs-go/yrs/bench/measure"
)

// Measures of the chart in pixels.
const (
	chartWidth = 960
	plotLeft   = 330
	plotRight  = 930
	plotTop    = 76
	rowHeight  = 22
	dotRadius  = 5
)

// The chart shows ratios between these; what is beyond stands at the edge.
const (
	leastRatio = 0.001
	mostRatio  = 1000
)

// colours of the peers, readable on white and on black.
var colours = map[string]string{
	Ours: "#d6336c", YRS: "#868e96", Yjs: "#b8860b", Pycrdt: "#2b8a9e", Automerge: "#7a5cd6",
}

const chartStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.small { font-size: 11px }
line { stroke: #d0d7de }
.paper { fill: #ffffff }
.one { stroke: #868e96 }
.open { fill: none; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { .paper { fill: #0d1117 } text { fill: #e6edf3 } line { stroke: #373e47 } .one { stroke: #868e96 } }
</style>
`

// chart draws the rows that are meant for it: a dot for each peer at its time divided by that of native yrs.
func (r *Report) chart() string {
	rows := r.charted()
	bottom := plotTop + rowHeight*len(rows)
	var out strings.Builder
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
		chartWidth, bottom+52, chartWidth, bottom+52)
	out.WriteString("<title>Times of ycrdt and its peers relative to native yrs</title>\n" + chartStyle)
	// Not every reader of SVG knows of dark colours, so the chart brings the paper that its own are for.
	out.WriteString("<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n")
	out.WriteString("<text x=\"16\" y=\"26\" class=\"title\">Time relative to native yrs, less is better</text>\n")
	r.drawLegend(&out)
	drawScale(&out, bottom)
	for i := range rows {
		r.drawRow(&out, &rows[i], plotTop+rowHeight*i+rowHeight/2)
	}
	fmt.Fprintf(&out, "<text x=\"16\" y=\"%d\" class=\"small\">A ring at 1: native yrs did not finish, and the others are relative "+
		"to the time that it had. Open dots: the peer did not finish.</text>\n</svg>\n", bottom+42)
	return out.String()
}

// charted are the rows for the chart that have a time of native yrs.
func (r *Report) charted() []Row {
	var rows []Row
	for _, section := range r.Sections {
		for i := range section.Rows {
			row := &section.Rows[i]
			if row.Chart && Look(r.Grid, row.Of, YRS).Amount > 0 && !r.absent(row) {
				rows = append(rows, *row)
			}
		}
	}
	return rows
}

// drawn are the peers of the chart, ours last and so on top.
func (r *Report) drawn() []string { return append(r.present(Compared), r.present([]string{Ours})...) }

func (r *Report) drawLegend(out *strings.Builder) {
	x := plotLeft
	for _, peer := range r.drawn() {
		fmt.Fprintf(out, "<circle cx=\"%d\" cy=\"46\" r=\"%d\" fill=\"%s\"/><text x=\"%d\" y=\"50\">%s</text>\n",
			x, dotRadius, colours[peer], x+10, peer)
		x += 40 + 7*len(peer)
	}
}

func drawScale(out *strings.Builder, bottom int) {
	for ratio := leastRatio; ratio <= mostRatio*1.01; ratio *= 10 {
		class := ""
		if math.Abs(ratio-1) < 1e-9 {
			class = " class=\"one\""
		}
		x := position(ratio)
		fmt.Fprintf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"%s/>\n", x, x, plotTop-6, bottom, class)
		fmt.Fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" class=\"small\">%.4g</text>\n", x, bottom+16, ratio)
	}
}

func (r *Report) drawRow(out *strings.Builder, row *Row, y int) {
	fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", plotLeft-14, y+4, html.EscapeString(row.Title))
	base := Look(r.Grid, row.Of, YRS).Amount
	for _, peer := range r.drawn() {
		result := Look(r.Grid, row.Of, peer)
		if result.Amount == 0 {
			continue
		}
		paint := fmt.Sprintf("fill=\"%s\"", colours[peer])
		if result.State == measure.TimedOut {
			paint = fmt.Sprintf("class=\"open\" stroke=\"%s\"", colours[peer])
		}
		fmt.Fprintf(out, "<circle cx=\"%.1f\" cy=\"%d\" r=\"%d\" %s><title>%s: %s</title></circle>\n",
			position(result.Amount/base), y, dotRadius, paint, peer, row.Of.text(result, 0))
	}
}

// position is where a ratio stands on the scale.
func position(ratio float64) float64 {
	ratio = min(max(ratio, leastRatio), mostRatio)
	share := math.Log(ratio/leastRatio) / math.Log(mostRatio/leastRatio)
	return plotLeft + share*(plotRight-plotLeft)
}
