package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

const (
	// recheck is how often a stream asks whether its principal may still read. With tokenFor, a stream ends within 5 seconds
	// of its token.
	recheck = 3500 * time.Millisecond
	// ping is how often a silent stream sends where it is, so that proxies keep it open.
	ping = 15 * time.Second
	// retry is how long clients wait before they connect again.
	retry = 2 * time.Second
)

// A stream answers with changes as they happen.
type stream struct {
	follower *follower
	call     *call
	done     func()
	// statuses is nil in a stream without changes of statuses. nextStatus is the number of the next such change.
	statuses   *standings
	nextStatus int
}

// VisitListChangesResponse writes events until the client, the token or the hub ends.
func (s *stream) VisitListChangesResponse(w http.ResponseWriter) error {
	defer s.done()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx passes each event on at once
	e := &events{w: w, control: http.NewResponseController(w), within: s.follower.api.cfg.Limits.Write}
	begin, err := json.Marshal(struct {
		Last int64 `json:"last"`
	}{s.follower.last})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "retry: %d\n", retry.Milliseconds())
	e.send("begin", s.follower.last, begin)
	s.run(e)
	return nil // the status was sent, so an error has no answer
}

// nextCheck returns when to ask again whether a principal may still read. It is the same time for all streams, so that their
// tokens are read together.
func nextCheck() time.Time {
	now := time.Now()
	return now.Add(recheck - time.Duration(now.UnixNano())%recheck)
}

// run sends events until the stream ends.
func (s *stream) run(e *events) {
	ctx := s.call.request.Context()
	check, pinged := nextCheck(), time.Now()
	for e.err == nil {
		b, err := s.follower.read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // the client comes back
			e.send("end", s.follower.last, []byte(cannotFollow))
			return
		case b.reset:
			e.send("reset", s.follower.last, []byte("{}"))
		}
		for i := range b.changes {
			s.send(e, &b.changes[i])
		}
		if s.sendStatuses(e) || len(b.changes) > 0 {
			pinged = time.Now()
		}
		e.flush()
		if !b.more && !b.view.wait(ctx, time.Until(check)) {
			select {
			case <-b.view.done:
				e.send("end", s.follower.last, []byte(`{"reason":"the server ends"}`))
				return
			default:
			}
		}
		if !time.Now().Before(check) {
			check = nextCheck()
			if err := s.follower.api.mayStill(s.call); err != nil {
				reason := cannotFollow
				if errors.Is(err, ErrUnauthorized) {
					reason = `{"reason":"the token ended"}`
				}
				e.send("end", s.follower.last, []byte(reason))
				return
			}
		}
		if time.Since(pinged) >= ping {
			pinged = time.Now()
			e.mark(s.follower.last)
		}
	}
}

// cannotFollow is the end of a stream whose client may come back.
const cannotFollow = `{"reason":"the server cannot follow the changes"}`

func (s *stream) send(e *events, c *answer.Change) {
	c.Detail = s.call.withoutOutput(c.Detail)
	text, err := json.Marshal(c)
	if err != nil {
		e.err = err
		return
	}
	e.write("change", c.ID, text)
	s.follower.api.metrics.events.Inc()
}

// sendStatuses sends the changes of statuses since the last call, and reports whether there were any.
func (s *stream) sendStatuses(e *events) bool {
	if s.statuses == nil {
		return false
	}
	changes, upTo, complete := s.statuses.after(s.nextStatus)
	s.nextStatus = upTo
	if !complete {
		e.write("reset", s.follower.last, []byte("{}"))
	}
	sent := false
	for i := range changes {
		if !changes[i].isSelected(s.follower.filter) {
			continue
		}
		text, err := json.Marshal(&changes[i])
		if err != nil {
			e.err = err
			return false
		}
		e.write("status", s.follower.last, text)
		sent = true
	}
	return sent
}

// events writes server-sent events. It keeps the first error.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	// within bounds each write.
	within time.Duration
	err    error
}

// send writes an event at once.
func (e *events) send(name string, id int64, data []byte) {
	e.write(name, id, data)
	e.flush()
}

// write writes an event with data of one line.
func (e *events) write(name string, id int64, data []byte) {
	e.print("id: %d\nevent: %s\ndata: %s\n\n", id, name, data)
}

// mark writes the position of the stream. Clients remember the ID, and show no event.
func (e *events) mark(id int64) {
	e.print("id: %d\n\n", id)
	e.flush()
}

func (e *events) print(format string, args ...any) {
	if e.err != nil {
		return
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(e.within)) // tests have no connection
	_, e.err = fmt.Fprintf(e.w, format, args...)
}

func (e *events) flush() {
	if e.err == nil {
		e.err = e.control.Flush()
	}
}
