package service_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// partial is a detector that reports all but t.alpha, and waits for goOn with that.
type partial struct {
	service.Detector
	goOn chan struct{}
}

func (d *partial) DetectInParts(ctx context.Context, tell func(*capability.Document, []string)) (*capability.Document, error) {
	if d.goOn != nil {
		soFar, err := d.Detect(ctx)
		if err != nil {
			return nil, err
		}
		tell(soFar, []string{"t.alpha"})
		<-d.goOn
	}
	return d.Detect(ctx)
}

// TestRefreshIsAnsweredAtTheEnd checks that a refresh is answered by the end of a round. A
// partial result answers no request, and keeps the answer to an earlier one.
func TestRefreshIsAnsweredAtTheEnd(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg, d := b.config(), &partial{}
	detector := cfg.Detector
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		var err error
		d.Detector, err = detector(defs, warnings)
		return d, err
	}
	svc := b.start(cfg)
	b.step(svc)
	request := func() {
		t.Helper()
		if _, err := b.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil {
			t.Fatal(err)
		}
	}
	request()
	b.pass(svc, 3*service.DefaultHeartbeatInterval)
	b.answered()
	first := *b.row().RefreshRequested

	request()
	d.goOn = make(chan struct{})
	b.clock.advance(2 * service.DefaultHeartbeatInterval)
	b.install("alpha", "echo alpha 1.1.0")
	b.install("beta", "echo beta 2.1.0")
	b.comesToSay(svc, "alpha@1.0.0 beta@2.1.0")
	caps := new(capability.Document)
	if err := json.Unmarshal(b.row().Capabilities, caps); err != nil {
		t.Fatal(err)
	}
	if !caps.Refreshed.Equal(first) || !first.Before(*b.row().RefreshRequested) {
		t.Errorf("before the round ends, the document answers the request of %v, want that of %v", caps.Refreshed, first)
	}
	close(d.goOn)
	b.step(svc)
	b.has("alpha@1.1.0", "beta@2.1.0")
	b.answered()
}

// parts is a detector that reports documents.
type parts struct {
	service.Detector
	tell func(func(*capability.Document, []string))
}

func (d parts) DetectInParts(_ context.Context, tell func(*capability.Document, []string)) (*capability.Document, error) {
	d.tell(tell)
	return &capability.Document{}, nil
}

// TestTheLastPartIsTold checks that the latest partial result is reported after a busy time,
// and that those in between are skipped.
func TestTheLastPartIsTold(t *testing.T) {
	t.Parallel()
	busy, goOn, reports := make(chan struct{}), make(chan struct{}), make(chan string)
	d := parts{tell: func(tell func(*capability.Document, []string)) {
		tell(&capability.Document{AttuneVersion: "first"}, nil)
		<-busy
		tell(&capability.Document{AttuneVersion: "second"}, nil)
		tell(&capability.Document{AttuneVersion: "third"}, nil)
		close(goOn)
	}}
	begun := false
	go service.InParts(t.Context(), d, host.Local(host.LocalConfig{}), func(caps *capability.Document) {
		if !begun {
			begun = true
			close(busy)
			<-goOn
		}
		reports <- caps.AttuneVersion
	})
	for _, want := range []string{"first", "third"} {
		if got := <-reports; got != want {
			t.Fatalf("got the %s document, want the %s", got, want)
		}
	}
}
