package web

import (
	"github.com/attune-go/attune/runtime/answer"
)

func loadStatus(v *view) (any, error) {
	v.live = liveAddress
	s, err := get[answer.Status](v, "/v1/status", nil)
	if err != nil {
		return nil, err
	}
	v.sameAs("this status", []string{"attune", "status"}, "/v1/status", nil)
	return s, nil
}
