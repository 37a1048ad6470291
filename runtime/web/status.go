package web

import (
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

// A serverStatus is the status as the API returns it, and the data of the page Status.
type serverStatus struct {
	Program     string        `json:"program"`
	Guest       bool          `json:"guest"`
	Workers     answer.Counts `json:"workers"`
	Definitions int           `json:"definitions"`
	Malformed   []struct {
		Ref   string `json:"ref"`
		Fault string `json:"fault"`
	} `json:"malformed"`
	LastChange int64     `json:"last_change"`
	Streams    int       `json:"streams"`
	Now        time.Time `json:"now"`
}

func loadStatus(v *view) (any, error) {
	v.live = liveAddress
	s, err := get[serverStatus](v, "/v1/status", nil)
	if err != nil {
		return nil, err
	}
	v.sameAs("this status", nil, "/v1/status", nil)
	v.sameAs("its metrics for Prometheus", nil, "/metrics", nil)
	return s, nil
}
