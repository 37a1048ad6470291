package answer_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

func TestReportOf(t *testing.T) {
	t.Parallel()
	doubtful := installed("core.python", "python", "3.12.1")
	doubtful.UnconfirmedSince = time.Now()
	caps := &capability.Document{
		Detected: []capability.Installation{doubtful, installed("core.ruby", "ruby", "3.2")},
		Failed: []capability.Failure{
			{Name: "python", Path: "/usr/bin/python", Outcome: capability.Timeout}, // it is unconfirmed
			{Name: "ruby", Path: "/opt/ruby", Outcome: capability.ExitMismatch},
			{Name: "go", Path: "/usr/bin/go", Outcome: capability.ExitMismatch}, // it is absent
		},
		Extra: map[string]json.RawMessage{"labels": json.RawMessage(`{"zone": "a"}`), "max_concurrent_executions": json.RawMessage("7")},
	}
	caps.Arrange()
	text, err := json.Marshal(caps)
	if err != nil {
		t.Fatal(err)
	}
	identity := "action/x"
	r, err := answer.ReportOf(&store.WorkerSnapshot{Worker: schema.Worker{Identity: &identity, Capabilities: text}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Unconfirmed) != 1 || r.Unconfirmed[0].Name != "python" || len(r.Discounted) != 1 || r.Discounted[0].Path != "/opt/ruby" {
		t.Errorf("got unconfirmed %+v, discounted %+v", r.Unconfirmed, r.Discounted)
	}
	if r.Foreign || !cmp.Equal(r.Labels, map[string]string{"zone": "a"}) || string(r.MaxConcurrent) != "7" {
		t.Errorf("got %+v", r)
	}
	r, err = answer.ReportOf(&store.WorkerSnapshot{Worker: schema.Worker{Capabilities: json.RawMessage(`{"labels": {"zone": 3}, "runtimes": ["go"]}`)}}, nil)
	if err != nil || !r.Foreign || len(r.Labels) != 0 || len(r.Document.Detected) != 1 {
		t.Errorf("of a platform: got %+v, %v", r, err)
	}
	r, err = answer.ReportOf(&store.WorkerSnapshot{}, nil)
	if err != nil || r.Document != nil || r.Unconfirmed == nil || r.Discounted == nil || r.Labels == nil {
		t.Errorf("without a document: got %+v, %v", r, err)
	}
}

// TestShowWorker checks the keys of a worker as JSON, which programs read.
func TestShowWorker(t *testing.T) {
	t.Parallel()
	status := schema.WorkerBusy
	var shown []answer.WorkerView
	for _, w := range []store.WorkerSnapshot{
		{Worker: schema.Worker{ID: 7, Name: "web-1", WorkerRole: schema.RoleAction, WorkerType: schema.WorkerLocal}},
		{Worker: schema.Worker{ID: 8, WorkerRole: schema.RoleSensor, Status: &status, Port: new(80)}, Stale: true, Silent: new(1500 * time.Millisecond)},
	} {
		shown = append(shown, answer.ShowWorker(&w))
	}
	text, err := json.Marshal(shown)
	const times = `"created":"0001-01-01T00:00:00Z","updated":"0001-01-01T00:00:00Z"`
	want := `[{"id":7,"name":"web-1","role":"worker","type":"local","status":"-","last_heartbeat":null,"identity":null,"capabilities":null,` +
		times + `,"stale":false,"silent_seconds":null},` +
		`{"id":8,"name":"","role":"sensor","type":"","status":"busy","port":80,"last_heartbeat":null,"identity":null,"capabilities":null,` +
		times + `,"stale":true,"silent_seconds":1.5}]`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
