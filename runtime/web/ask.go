package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// own lists the headers of a request for a page that say nothing about what the page asks.
var own = []string{
	"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Last-Event-Id", "Range",
}

// inner returns the request to the API that a request for a page makes. It has the credentials, the origin and the
// forwarding headers of the page's request, so that the API authorizes it as its own. The path is
// percent-encoded.
func inner(r *http.Request, method, path string, query url.Values, body []byte) *http.Request {
	in := r.Clone(r.Context())
	in.Method, in.RequestURI = method, ""
	in.URL = &url.URL{RawQuery: query.Encode()}
	in.URL.Path, in.URL.RawPath = path, path
	if decoded, err := url.PathUnescape(path); err == nil {
		in.URL.Path = decoded
	}
	in.Body, in.ContentLength, in.TransferEncoding, in.Form, in.PostForm, in.MultipartForm = http.NoBody, 0, nil, nil, nil, nil
	if streams := r.Header.Get("Accept") == eventStream; streams && body == nil {
		return in // with Last-Event-ID
	}
	for _, name := range own {
		in.Header.Del(name)
	}
	in.Header.Set("Accept", "application/json")
	if body != nil {
		in.Header.Set("Content-Type", "application/json")
		in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return in
}

const eventStream = "text/event-stream"

// A bufferedResponse is a response in memory.
type bufferedResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *bufferedResponse) Header() http.Header { return b.header }

// WriteHeader keeps the first status.
func (b *bufferedResponse) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *bufferedResponse) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// ask sends a request to the API and decodes its answer into a value, which may be nil. Errors: *problem.
func (v *view) ask(method, path string, query url.Values, body, to any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	got, err := v.send(inner(v.request, method, path, query, text))
	if err != nil || to == nil {
		return err
	}
	return json.Unmarshal(got.body.Bytes(), to)
}

// send sends a request to the API. Errors: *problem.
func (v *view) send(r *http.Request) (*bufferedResponse, error) {
	got := &bufferedResponse{header: http.Header{}}
	v.web.api.Handler().ServeHTTP(got, r)
	if got.status >= http.StatusOK && got.status <= 299 {
		return got, nil
	}
	p := &problem{Status: http.StatusInternalServerError}
	if strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(got.body.Bytes(), p); err != nil {
			return nil, err
		}
	}
	return nil, p
}

// get asks the API for an answer of a type. Errors: *problem.
func get[T any](v *view, path string, query url.Values) (T, error) {
	var answer T
	err := v.ask(http.MethodGet, path, query, nil, &answer)
	return answer, err
}
