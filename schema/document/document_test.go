package document_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// reading returns a Reader that has opened doc.
func reading(t testing.TB, doc string) *document.Reader {
	t.Helper()
	var r document.Reader
	if !r.Open([]byte(doc)) {
		t.Fatalf("%q: %v", doc, r.Close())
	}
	return &r
}

// skipAll reads an object with unknown keys only.
func skipAll(doc string) (document.Unknown, error) {
	var r document.Reader
	var unknown document.Unknown
	if r.Open([]byte(doc)) {
		for ok := r.Object(); ok; ok = r.Member() {
			r.Keep(&unknown)
		}
	}
	return unknown, r.Close()
}

func TestUnknownMembersKeepOrderAndText(t *testing.T) {
	got, err := skipAll("{ \"z\" : 1.50 ,\n\"\\u0061\\/b\":[ 1 , {\"x\" : null} ] , \"\":\"\\u00e9\" }")
	want := document.Unknown{{Key: "z", Value: json.RawMessage("1.50")}, {Key: "a/b", Value: json.RawMessage(`[ 1 , {"x" : null} ]`)},
		{Key: "", Value: json.RawMessage(`"\u00e9"`)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %s, %v", got, err)
	}
}

// syntaxError matches a message of the library, whose text may change.
var syntaxError = regexp.MustCompile(`not JSON: .* \(byte`)

// The pointer of a fault has the keys' values, not their spelling.
func TestPointers(t *testing.T) {
	for doc, want := range map[string]string{
		`{"a": {"\u0062": [0, [1, {"c~/d": x}]]}}`:               "/a/b/1/1/c~0~1d: not JSON: * (byte 34)",
		`{"\"\\": {"k": 1, "k": 2}}`:                             `/"\/k: duplicate key`,
		`{"\ud83d\ude00": [`:                                     "/😀: not JSON: * (byte 18)",
		`{"` + strings.Repeat("é", 100) + `": {"a": 1, "a": 1}}`: "/" + strings.Repeat("é", 60) + "…/a: duplicate key",
		`{"a": 1, "b"}`:                                          "/b: not JSON: * (byte 12)",
		`{"a": 1, "b\n"}`:                                        "/b\n: not JSON: * (byte 14)",
		`{"a`:                                                    "not JSON: * (byte 3)",
		`{"a\`:                                                   "not JSON: * (byte 3)",
		"{\"a\tb\": 1}":                                          "not JSON: * (byte 3)",
		`{,}`:                                                    "not JSON: * (byte 1)",
		`{"a":1}}`:                                               "not JSON: * (byte 7)",
		`{"a":1.}`:                                               "/a: not JSON: * (byte 7)",
		`{"a":1e}`:                                               "/a: not JSON: * (byte 7)",
		`{"a":tru}`:                                              "/a: not JSON: * (byte 8)",
	} {
		if _, err := skipAll(doc); err == nil || syntaxError.ReplaceAllString(err.Error(), "not JSON: * (byte") != want {
			t.Errorf("%s\n got %v\nwant %s", doc, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "-0": 0, "7": 7, "255": 255, "1.0": 1, "2.55e2": 255, "1e2": 100, "1000e-1": 100, "0.0e99": 0,
		"25500e-2": 255, " 9 ": 9} {
		if got := reading(t, text).Int(0, 255); got != want {
			t.Errorf("%s is %d", text, got)
		}
	}
	for _, text := range []string{"256", "-1", "1.5", "1e3", "1e-1", "99999999999999999999", "123456789012", "01", "1a", "+1", ".5", "--1", "1e400"} {
		r := reading(t, text)
		if v := r.OptionalInt(0, 255); r.Close() == nil {
			t.Errorf("%s was read as %d", text, v.Value)
		}
	}
}

func TestCheckerGoesDownAndUp(t *testing.T) {
	var c document.Checker
	c.Enter("a/b")
	c.EnterIndex(3)
	c.At("x", "is wrong")
	c.Here("")
	c.Under(document.Faults{{Pointer: "/y", Message: "too"}})
	c.Leave()
	c.Leave()
	c.Here("all of it")
	if got := c.Err().Error(); got != "/a~1b/3/x: is wrong; /a~1b/3/y: too; all of it" {
		t.Error(got)
	}
	for range 2000 {
		c.Here("again")
	}
	if n := len(c.Err().(document.Faults)); n != 101 { // and one that says that there are more
		t.Errorf("%d faults are kept", n)
	}
}

func TestSpan(t *testing.T) {
	s := document.Span{Min: document.Bound(time.Second), Max: document.Bound(time.Minute)}
	for d, ok := range map[time.Duration]bool{time.Second: true, time.Minute: true, time.Second - 1: false, time.Minute + 1: false} {
		if got := s.Check(document.Duration(d)); (got == "") != ok {
			t.Errorf("%s: %q", d, got)
		}
	}
	if got := (document.Span{}).Check(-1); got != "" {
		t.Error(got)
	}
}

// What is read strictly is JSON. What the standard library accepts is refused only for a reason that it does not
// check. The canonical form is a fixed point.
func FuzzCheck(f *testing.F) {
	for _, doc := range []string{`{"a": [1, 2.50e-3, "x\ud83d\ude00", null, {"b": true}]}`, `[[[]]]`, `-0`, `"\u0000"`, `{"a":1,"a":2}`, "\xff", ` 1 `} {
		f.Add([]byte(doc))
	}
	known := []string{"duplicate key", "NUL", "surrogate", "nested", "UTF-8", "at most 1000 digits"}
	f.Fuzz(func(t *testing.T, doc []byte) {
		err := document.Check(doc)
		if err == nil != json.Valid(doc) {
			if err == nil {
				t.Fatalf("read invalid JSON: %q", doc)
			}
			for _, k := range known {
				if strings.Contains(err.Error(), k) {
					return
				}
			}
			t.Fatalf("%q is JSON: %v", doc, err)
		}
		if err != nil {
			return
		}
		once := document.Canonical(func(w *document.Writer) { w.Raw(doc) })
		twice := document.Canonical(func(w *document.Writer) { w.Raw(once) })
		if !bytes.Equal(once, twice) || document.Check(once) != nil {
			t.Errorf("%q became %q and then %q", doc, once, twice)
		}
	})
}
