package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
)

// post sends an operation on the host of a form to the API, and returns the address of the host.
func (v *view) post(operation string, body any) (to string, err error) {
	id := v.request.PathValue("id")
	err = v.ask(http.MethodPost, "/v1/workers/"+url.PathEscape(id)+"/"+operation, nil, body, nil)
	return "../" + url.PathEscape(id), err
}

func cordon(v *view) (string, error) {
	return v.post("cordon", struct {
		Reason string `json:"reason,omitempty"`
	}{strings.TrimSpace(v.request.PostForm.Get("reason"))})
}

func uncordon(v *view) (string, error) { return v.post("uncordon", nil) }

func refresh(v *view) (string, error) { return v.post("refresh", nil) }

func taint(v *view) (string, error) {
	text := strings.TrimSpace(v.request.PostForm.Get("taint"))
	op, err := answer.ParseTaintOperation(text)
	if err != nil {
		host := "../" + url.PathEscape(v.request.PathValue("id")) + "?" + url.Values{"taint": {text}}.Encode() + "#operate"
		return host, nil //nolint:nilerr // the host's page says what is wrong, and keeps what was written
	}
	return v.post("taint", op.Taint)
}

func untaint(v *view) (string, error) {
	return v.post("untaint", struct {
		Key    string `json:"key"`
		Effect string `json:"effect,omitempty"`
	}{v.request.PostForm.Get("key"), v.request.PostForm.Get("effect")})
}
