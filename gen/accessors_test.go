package gen_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/gen/testdata/full"
	"github.com/attune-go/attune/gen/testdata/hostile"
	"github.com/attune-go/attune/gen/testdata/reading"
	"github.com/attune-go/attune/schema/document"
)

// least is a document of full.Tool without a fault.
const least = `"name": "saw", "levels": ["low"], "main": {"id": "a"}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": 0`

func tool(t testing.TB, more string) full.Tool {
	t.Helper()
	var v full.Tool
	if err := v.UnmarshalJSON([]byte("{" + least + more + "}")); err != nil {
		t.Fatalf("read %s: %v", more, err)
	}
	return v
}

func TestAccessorsOfEveryKind(t *testing.T) {
	v := tool(t, `, "title": "A <b>", "level": "high", "words": ["a-b"], "labels": ["x", "y"], "tags": ["t"], "free": ["", " "],
		"note": "n", "loud": true, "checked": false, "count": 1e1, "rank": 7, "any": 3, "wide": -2147483648, "every": "90s", "wait": "5m",
		"late": "-1h", "spare": {"id": "s", "od/d ~key": "o", "x": [1.50]}, "parts": [{"id": "p", "rank": 2}, {"id": "q"}, {"id": "r", "rank": 2}],
		"extra": {"a": 1.0}, "own": 12345678901234567890.00`)
	if err := v.Validate(); err != nil {
		t.Fatal(err)
	}
	text, err := v.MarshalJSON()
	want := `{"name":"saw","title":"A <b>","levels":["low"],"level":"high","words":["a-b"],"labels":["x","y"],"tags":["t"],"free":[""," "],` +
		`"note":"n","loud":true,"checked":false,"count":10,"rank":7,"any":3,"wide":-2147483648,"every":"1m30s","wait":"5m0s","late":"-1h0m0s",` +
		`"main":{"id":"a"},"spare":{"id":"s","od/d ~key":"o","x":[1.50]},"inner":{"id":"c"},"whole":{"id":"b"},` +
		`"parts":[{"id":"p","rank":2},{"id":"q"},{"id":"r","rank":2}],"extra":{"a": 1.0},"must":0,"own":12345678901234567890.00}`
	if err != nil || string(text) != want {
		t.Errorf("written as %s, %v\nwant %s", text, err, want)
	}
	var again full.Tool
	if err := again.UnmarshalJSON(text); err != nil || !reflect.DeepEqual(v, again) {
		t.Errorf("read again: %v\n got %+v\nwant %+v", err, again, v)
	}
	var ids []string
	for _, p := range v.Ordered() {
		ids = append(ids, p.ID)
	}
	if got := strings.Join(ids, " "); got != "p r q" || v.Parts[1].ID != "q" {
		t.Errorf("ordered %s", got)
	}
}

func TestDefaults(t *testing.T) {
	v := tool(t, "")
	if v.LoudOrDefault() || !v.CheckedOrDefault() || v.RankOrDefault() != 5 || v.WaitOrDefault() != 90*time.Second || v.Main.RankOrDefault() != 100 {
		t.Errorf("got %v %v %v %v %v", v.LoudOrDefault(), v.CheckedOrDefault(), v.RankOrDefault(), v.WaitOrDefault(), v.Main.RankOrDefault())
	}
	if full.DefaultToolRank != 5 || full.DefaultToolWait != document.Duration(90*time.Second) || !full.DefaultToolChecked {
		t.Error("the constants are others")
	}
}

func TestEveryFaultIsTold(t *testing.T) {
	for doc, want := range map[string]string{
		`{}`:                                 `/name: is required: a word; /levels: is required; /main: is required; /inner/id: is required; /whole/id: is required; /must: is required`,
		`{` + least + `, "levels": ["low"]}`: "/levels: duplicate key",
		`{` + least + `, "spare": null, "free": null, "rank": null, "wait": null, "loud": null, "extra": null, "parts": []}`: "",
		`{"name": "A", "levels": ["low", "no", "low"], "level": "x", "words": ["a", "", "a"], "tags": ["a", "A", "a"], "note": "nothing",
			"main": {"id": "", "x": 1}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": false, "every": "61m", "wait": "0s", "rank": 0, "any": 2}`: `/any: must be a whole number from 3 to 2147483647, got 2; ` +
			`/rank: must be a whole number from 1 to 2147483647, got 0; ` +
			`/name: must be words in lower case with - between them; /levels/1: must be low or high, got "no"; /levels/2: duplicate "low"; ` +
			`/level: must be low or high, got "x"; /words/1: is required: a word; /words/2: duplicate "a"; ` +
			`/tags/1: must be words in lower case with - between them; /tags/2: duplicate "a"; /note: must not be nothing; ` +
			`/every: must be at most 1h0m0s, got 1h1m0s; /wait: must be at least 1ms and greater than 0s and at most 5m0s, got 0s; /main/id: is required`,
		`{` + least + `, "count": 11}`:                 "/count: must be a whole number from 0 to 10, got 11",
		`{` + least + `, "parts": [null, {"id": 1}]}`:  "/parts/0: must be an object, got null; /parts/1/id: must be text, got a number; /parts/0/id: is required; /parts/1/id: is required",
		`{` + least + `, "every": "x", "labels": [1]}`: `/every: must be a duration such as "10s", got "x"; /labels/0: must be text, got a number`,
	} {
		var v full.Tool
		var c document.Checker
		c.Under(v.UnmarshalJSON([]byte(doc)))
		c.Under(v.Validate())
		got := ""
		if err := c.Err(); err != nil {
			got = err.Error()
		}
		if !sameFaults(got, want) {
			t.Errorf("%s\n got %s\nwant %s", doc, got, want)
		}
	}
}

func sameFaults(a, b string) bool {
	count := map[string]int{}
	for _, f := range strings.Split(a, "; ") {
		count[f]++
	}
	for _, f := range strings.Split(b, "; ") {
		count[f]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestUnknownKeysAtEveryLevel(t *testing.T) {
	v := tool(t, `, "x": 1, "spare": {"id": "s", "y": 1}, "parts": [{"id": "p"}, {"id": "q", "a/b": 1}]`)
	var got []string
	for _, u := range v.UnknownKeys() {
		got = append(got, u.Pointer)
	}
	if strings.Join(got, " ") != "/x /spare/y /parts/1/a~1b" {
		t.Errorf("got %v", got)
	}
}

func TestColumns(t *testing.T) {
	for _, doc := range []string{"", "[", `{"a": 1, "a": 1}`, "[1]"} {
		var v full.Tool
		var tags full.Tags
		if err := v.Scan(doc); err != nil || v.Fault() == nil || v.Validate() == nil || v.IsZero() {
			t.Errorf("scan %q: %v, fault %v", doc, err, v.Fault())
		}
		if err := tags.Scan([]byte(doc)); err != nil || tags.Fault() == nil || tags.Validate() == nil {
			t.Errorf("scan tags %q: %v, fault %v", doc, err, tags.Fault())
		}
		if back, err := v.Value(); err != nil || back != doc {
			t.Errorf("%q goes back as %q, %v", doc, back, err)
		}
		if back, err := tags.Value(); err != nil || back != doc {
			t.Errorf("%q goes back as %q, %v", doc, back, err)
		}
	}
	var v full.Tool
	if err := v.Scan([]byte("{" + least + "}")); err != nil || v.Fault() != nil || v.Name != "saw" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := v.Scan(nil); err != nil || !v.IsZero() {
		t.Errorf("null became %+v, %v", v, err)
	}
	if _, err := v.Value(); err == nil {
		t.Error("a document with faults was given to the database")
	}
	if err := v.Scan(1); err == nil {
		t.Error("a number was scanned")
	}
}

// A document that is not a column collects the faults of its columns.
func TestFaultOfWhatIsInside(t *testing.T) {
	var bad full.Tool
	var tags full.Tags
	for _, column := range []interface{ Scan(any) error }{&bad, &tags} {
		if err := column.Scan("7"); err != nil {
			t.Fatal(err)
		}
	}
	chest := full.Chest{Tags: tags, Best: &bad, Tools: []full.Tool{{}, bad}, Inner: []full.Chests{{Tool: bad}, {}}}
	want := "/tags: must be a list, got a number; /best: must be an object, got a number; /tools/1: must be an object, got a number; " +
		"/inner/0/tool: must be an object, got a number"
	if err := chest.Fault(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := (&full.Chest{Tools: []full.Tool{{}}, Inner: []full.Chests{{}}}).Fault(); err != nil {
		t.Error(err)
	}
}

func TestBare(t *testing.T) {
	const odd = "od/d ~key"
	bare := [][]string{{"note"}, {"main", odd}, {"whole", odd}, {"parts", "7", odd}}
	for _, path := range append(bare, nil, []string{"name"}, []string{odd}, []string{"note", "0"}, []string{"parts"}, []string{"parts", "7"},
		[]string{"parts", odd}, []string{"main", odd, "0"}, []string{"x", "note"}) {
		want := slices.ContainsFunc(bare, func(b []string) bool { return slices.Equal(b, path) })
		if got := (*full.Tool)(nil).Bare(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

// Text in annotations and comments is data in the generated code.
func TestHostileText(t *testing.T) {
	const key = "quo'te\" $$ {{.}} %s \\"
	v := hostile.Odd{Quote: "x", Kind: hostile.Quoted}
	text, err := v.MarshalJSON()
	if err != nil || !strings.Contains(string(text), `"quo'te\" $$ {{.}} %s \\":"x"`) {
		t.Errorf("%s, %v", text, err)
	}
	var again hostile.Odd
	if err := again.UnmarshalJSON(text); err != nil || !reflect.DeepEqual(v, again) || again.Validate() != nil {
		t.Errorf("%+v, %v", again, err)
	}
	again.Kind = "other"
	if err := again.Validate(); err == nil || !strings.HasPrefix(err.Error(), "/kind: must be plain or it's") {
		t.Errorf("%v (the key is %q)", err, key)
	}
}

// Aliases, renamed imports, constants in all forms and files for other systems are read as Go reads them.
func TestReadAsGoReads(t *testing.T) {
	var v reading.T
	if err := v.UnmarshalJSON([]byte(`{"level": "high", "words": ["a"], "parts": [{"id": "x"}], "here": {"y": 1}}`)); err != nil {
		t.Fatal(err)
	}
	v.Level, v.Words = "loud", append(v.Words, "a")
	want := `/level: must be low or high, got "loud"; /words/1: duplicate "a"`
	if err := v.Validate(); err == nil || !sameFaults(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func FuzzGenerated(f *testing.F) {
	f.Add([]byte("{" + least + "}"))
	f.Add([]byte(`{"parts": [{"id": "a", "rank": 1.0}], "wait": "1s", "od/d ~key": 1, "labels": ["a"], "\u006eame": "x"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var v full.Tool
		bad := v.UnmarshalJSON(doc)
		_, _, _ = v.Validate(), v.UnknownKeys(), v.Ordered()
		if bad != nil {
			return
		}
		text, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again full.Tool
		if err := again.UnmarshalJSON(text); err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%v\n got %+v\nwant %+v", err, again, v)
		}
	})
}
